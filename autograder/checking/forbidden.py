"""Find ready-made forms of a symbol in a student's code, by its syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable


def find_forbidden(source: str, names: Iterable[str], symbol: str) -> str | None:
    """Returns a sentence about the first forbidden name the code uses, or None.

    A name counts wherever it can reach a library: as an attribute (`ops.softmax`), an import, a plain name other than
    the student's own symbols and variables, or a text handed to `getattr`. What cannot be parsed, such as lines for
    IPython, is searched as text.
    """
    wanted = frozenset(names)
    tree = _parsed(source)
    if tree is None:
        lines = source.split("\n")
        for number, line in enumerate(lines, 1):
            if (_MAGIC.match(line) or _REACHES.search(line)) and (found := _in_text(line, wanted)):
                return _sentence(number, found)
        tree = _parsed("\n".join(_MAGIC.sub(_without_magic, line) for line in lines))
    if tree is None:
        return None
    defined = {symbol} | {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    if not any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
        # a variable of the student's own, e.g. `conv = 0`: without a star import its name reaches no library
        defined |= {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        } | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        found: str | None = None
        if isinstance(node, ast.Attribute):
            found = node.attr
        elif isinstance(node, ast.Name) and node.id not in defined:
            found = node.id
        elif isinstance(node, ast.alias):
            found = node.name.rpartition(".")[2]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found = node.value.rpartition(".")[2] if id(node) not in docstrings else None
        if found in wanted:
            return _sentence(getattr(node, "lineno", 0), str(found))
    return None


def uses(name: str) -> str:
    """Returns the sentence about a ready-made form that was called while the checks ran."""
    return (
        f"While the checks ran, your code called {name}, a ready-made form of what this exercise asks you to write; "
        "write it out with simpler operations."
    )


def _sentence(line: int, name: str) -> str:
    return (
        f"Line {line} uses {name}, a ready-made form of what this exercise asks you to write; "
        "write it out with simpler operations."
    )


def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


_MAGIC = re.compile(r"^(\s*)(?:[\w.,\s]+=\s*)?[%!?].*$|^(\s*)[^#'\"]*\?\s*$")
"""A line for IPython: a magic command, a shell command, a question for help."""
_REACHES = re.compile(r"\w\s*\.\s*\w|\bimport\b|\bgetattr\b")


def _without_magic(line: re.Match[str]) -> str:
    return (line[1] or line[2] or "") + "pass"


def _in_text(text: str, wanted: frozenset[str]) -> str | None:
    return next((word for word in re.findall(r"\w+", text) if word in wanted), None)
