"""Guards: while a question is answered, ready-made functions refuse to be called by the student's code.

The syntax tree of an answer shows the names that stand in it. A name put together at run time, or a helper in another
cell, does not stand there: so the functions themselves refuse, each in its own code object, under whatever name and
through whatever reference it is reached. Libraries go on using them: only a caller that is no library file is refused.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import sys
import types
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

LIBRARIES = frozenset({"jax", "keras", "numpy", "scipy", "sklearn", "tensorflow", "torch"})
"""Top-level packages whose functions are guarded."""

_PASSED_THROUGH = (
    "/keras/src/layers/layer.py",
    "/keras/src/ops/operation.py",
    "/keras/src/utils/traceback_utils.py",
    "/tensorflow/python/autograph/impl/api.py",
    "/tensorflow/python/util/dispatch.py",
    "/tensorflow/python/util/traceback_utils.py",
)
"""Where libraries wrap every function and layer: the caller is the one behind."""


class ReadyMade(Exception):
    """A guarded function was called by the student's code; the argument is its name."""


@contextlib.contextmanager
def refusing(names: Iterable[str], asking: tuple[str, ...] = ()) -> Generator[list[str]]:
    """Makes ready-made functions of these names refuse the student's code; yields the list of those that did.

    Code that swallows the exception is told by that list.

    Args:
        names: of the functions and classes.
        asking: files of the grader's own that may call them.
    """
    refused: list[str] = []
    guarded = _guarded(frozenset(names), len(sys.modules))
    kept: list[tuple[types.FunctionType, types.CodeType, bool]] = []
    _now.append((asking, refused))
    try:
        for function, code, signature in guarded:
            kept.append((function, function.__code__, "__signature__" in vars(function)))
            # libraries ask functions for their signature
            if signature is not None:
                vars(function).setdefault("__signature__", signature)
            function.__code__ = code
        yield refused
    finally:
        _now.pop()
        for function, code, signed in kept:
            function.__code__ = code
            if not signed:
                vars(function).pop("__signature__", None)


_now: list[tuple[tuple[str, ...], list[str]]] = []
"""Who may call, and where the calls that are refused are noted."""

_Guarded = tuple[types.FunctionType, types.CodeType, inspect.Signature | None]


@functools.lru_cache(maxsize=4)
def _guarded(names: frozenset[str], loaded: int) -> tuple[_Guarded, ...]:
    """Returns each function of these names with the code that refuses, and its signature.

    How many modules are loaded is an argument so that one that is loaded later is searched, too.
    """
    return tuple((function, *_guard(function, name)) for name, function in _functions(names))


def _guard(function: types.FunctionType, name: str) -> tuple[types.CodeType, inspect.Signature | None]:
    original = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__

    def check(arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if _now and _is_students(sys._getframe(2), _now[-1][0]):
            _now[-1][1].append(name)
            raise ReadyMade(name)
        return original(*arguments, **named)

    signature = None
    with contextlib.suppress(ValueError, TypeError):
        signature = inspect.signature(function)
    return _code_that_calls(check, function.__code__), signature


def _code_that_calls(check: Any, like: types.CodeType) -> types.CodeType:
    """Returns code of any signature that hands its arguments on; it needs no variable of the function's module."""

    def template(*arguments: Any, **named: Any) -> Any:
        call: Any = "check"
        return call(arguments, named)

    code = template.__code__
    constants = tuple(check if constant == "check" else constant for constant in code.co_consts)
    return code.replace(co_consts=constants, co_freevars=like.co_freevars, co_name=like.co_name)


def _is_students(frame: types.FrameType | None, asking: tuple[str, ...]) -> bool:
    while frame is not None and frame.f_code.co_filename.endswith(_PASSED_THROUGH):
        frame = frame.f_back
    if frame is None or frame.f_code.co_filename in asking:
        return False
    return not frame.f_code.co_filename.startswith(_library_folders())


@functools.cache
def _library_folders() -> tuple[str, ...]:
    """Returns the folders that no code of the student's comes from."""
    files = (getattr(sys.modules.get(name), "__file__", None) for name in (*LIBRARIES, "contextlib"))
    folders = {str(Path(file).parent) for file in files if file}
    folders |= {str(Path(folder).parent) for folder in folders if not folder.endswith(("python3", "lib"))}
    return (*(f"{folder}/" for folder in folders), "<frozen ", "<__array_function__ internals>")


def _functions(names: frozenset[str]) -> tuple[tuple[str, types.FunctionType], ...]:
    """Returns the functions of the loaded libraries with these names, and what makes and calls the classes."""
    if not names:
        return ()
    found: dict[int, tuple[str, types.FunctionType]] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] not in LIBRARIES:
            continue
        content: dict[str, Any] = getattr(module, "__dict__", {})
        for name in names & content.keys():
            for function in _parts(content[name]):
                found[id(function)] = (name, function)
    return tuple(found.values())


def _parts(value: Any) -> Iterable[types.FunctionType]:
    if isinstance(value, type):
        if (value.__module__ or "").partition(".")[0] in LIBRARIES:
            methods = [vars(value).get(name) for name in ("__init__", "call", "__call__")]
            yield from (method for method in methods if isinstance(method, types.FunctionType))
        return
    value = getattr(value, "_implementation", value)  # NumPy's dispatched functions
    with contextlib.suppress(ValueError, TypeError):
        value = inspect.unwrap(value)
    if isinstance(value, types.FunctionType) and value.__module__.partition(".")[0] in LIBRARIES:
        yield value
