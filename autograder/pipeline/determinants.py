"""What results depend on besides the submission: our own code, as far as it is used, and the packages below it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import sequence_data

_ROOT = Path(__file__).resolve().parent.parent.parent
_DATA = Path(sequence_data.__file__).resolve().parent
_PACKAGES = (
    ("numpy",),
    ("keras",),
    ("tensorflow-cpu", "tensorflow"),
    ("jax",),
    ("torch",),
    ("scikit-learn",),
    ("ipython",),
)
"""Packages that numbers depend on, by all names that a package goes by."""


@cache
def grader_digest() -> str:
    """Returns a hash of the whole grader: the same one on the machine that asks and on a worker."""
    return _digest(path for folder in ("checking", "exercises", "sandbox", "pipeline") for path in _of(folder))


@cache
def digest_for(name: str) -> str:
    """Returns a hash of what the results of an assignment depend on; other assignments' exercises are not in it."""
    _, _, folder = name.partition("_")
    return _digest(
        [*_of("checking"), *_of("sandbox"), *used_by("autograder.pipeline.work", f"autograder.exercises.{folder}")]
    )


def used_by(*modules: str) -> set[Path]:
    """Returns the files of these modules of ours, and of all that they import."""
    found: set[Path] = set()
    left = list(modules)
    while left:
        if (path := _file(left.pop())) and path not in found:
            found.add(path)
            left += _imported(path)
    return found


def _file(module: str) -> Path | None:
    path = _ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n]+)|import\s+([\w.]+))", re.MULTILINE)


def _imported(path: Path) -> Iterator[str]:
    for module, names, itself in _IMPORT.findall(path.read_text(encoding="utf-8")):
        yield module or itself
        yield from (f"{module}.{name}" for name in re.findall(r"\w+", names))


def _of(folder: str) -> Iterable[Path]:
    return (_ROOT / "autograder" / folder).rglob("*.py")


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    for path in sorted(_DATA.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    for names in _PACKAGES:
        digest.update(f"{names[0]}={_version(names)}".encode())
    digest.update(f"python={sys.version_info[:2]}".encode())
    digest.update(f"backend={os.environ.get('KERAS_BACKEND', 'tensorflow')}".encode())
    return digest.hexdigest()


def _version(names: Sequence[str]) -> str:
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            return version(name)
    return "none"
