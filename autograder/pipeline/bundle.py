"""What a student gets, as one zip: the released notebooks, the data package, an environment, a page to read."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

import nbformat

from autograder.exercises import NAMES
from autograder.pipeline.build import BuildError, plain, release_problems, solution_lines
from autograder.pipeline.journal import write_atomically
from autograder.pipeline.source import not_a_notebook, read_source

FOLDER = "sequence-models"
"""What the zip unpacks to."""
_STUDENTS = ("README.md", "environment.yml", "nbgrader_config.py", "requirements.txt", "start.py")
_DATA = ("*.md", "pyproject.toml", "sequence_data/*.py", "sequence_data/py.typed")
_LONG = 20
"""Letters of a solution's line that no other file holds by chance."""


def contents(course: Path) -> dict[str, bytes]:
    """Returns the files of the bundle by their path in it, each one named here or by a pattern.

    Raises:
        BuildError: a file is missing.
    """
    paths = {f"notebooks/{name}.ipynb": course / "release" / name / f"{name}.ipynb" for name in NAMES}
    paths |= {name: course / "students" / name for name in _STUDENTS}
    paths["LICENSE"] = course / "LICENSE"
    data = course / "data"
    paths |= {f"data/{path.relative_to(data).as_posix()}": path for pattern in _DATA for path in data.glob(pattern)}
    missing = [str(path) for path in paths.values() if not path.is_file()]
    if missing:
        raise BuildError(f"{', '.join(missing)}: not there; `autograder build` makes release/, the rest is in git.")
    return {name: path.read_bytes() for name, path in sorted(paths.items())}


def problems(course: Path, files: Mapping[str, bytes]) -> Iterator[str]:
    """Yields what must not be handed out: a stale notebook, a line of a solution, a trace of the grader."""
    texts = {name: content.decode(errors="replace") for name, content in files.items()}
    for name, content in files.items():
        if texts[name].encode() != content:
            yield f"{name} is not text in UTF-8: take the file from git again"
    squeezed = {name: plain(text) for name, text in texts.items()}
    for assignment in NAMES:
        source, notebook = read_source(course, assignment), f"notebooks/{assignment}.ipynb"
        if problem := not_a_notebook(files[notebook]):
            yield f"{notebook} {problem}: run `autograder build {assignment}`"
            continue
        for problem in release_problems(source, nbformat.reads(texts[notebook], as_version=4)):
            yield f"{notebook}: {problem}: run `autograder build {assignment}`"
        for line in sorted(solution_lines(source)):
            for name, text in squeezed.items():
                if name != notebook and len(line) >= _LONG and line in text:
                    yield f"{name} holds a line of a solution of {assignment}: {line}"
    for name, text in texts.items():
        if "autograder" in text:
            yield f"{name} names the autograder, which students do not have"


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Returns a zip that depends on the files alone: sorted, without times, not compressed."""
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on Windows too
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def write_bundle(course: Path, path: Path) -> list[str]:
    """Writes the bundle and returns the paths in it.

    Raises:
        BuildError: a file is missing, or the bundle would give something away; nothing is written then.
    """
    files = contents(course)
    found = list(problems(course, files))
    if found:
        raise BuildError("\n".join(found))
    write_atomically(path, zipped(files))
    return sorted(files)
