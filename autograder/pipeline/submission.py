"""Read what a student handed in: the sources of their answers, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.pipeline.settings import Limits
from autograder.pipeline.source import grade_id, is_solution
from autograder.sandbox.wire import readable


@dataclass(frozen=True)
class Submission:
    """A student's answers.

    Attributes:
        student: who handed in.
        assignment: what.
        answers: source by grade_id, of the assignment's solution cells that were found.
        problem: why nothing could be read, in a sentence; empty if all is well.
        notes: oddities by grade_id, for the report.
    """

    student: str
    assignment: str
    answers: Mapping[str, str] = field(default_factory=dict[str, str])
    problem: str = ""
    notes: Mapping[str, str] = field(default_factory=dict[str, str])


class Unreadable(Exception):
    """A file that is no notebook; the message names it and the reason."""


def read_notebook(path: Path, limits: Limits) -> NotebookNode:
    """Reads a notebook from an untrusted file.

    Raises:
        Unreadable: there is none, or the file is not one.
    """
    name = path.name
    try:
        if path.is_symlink() or any(parent.is_symlink() for parent in list(path.parents)[:2]):
            raise Unreadable(f"{name} is a link; hand in the notebook itself.")
        if not path.is_file():
            raise Unreadable(f"{name} was not handed in.")
        if path.stat().st_size > limits.notebook_bytes:
            raise Unreadable(
                f"{name} has {path.stat().st_size:,} bytes, more than {limits.notebook_bytes:,}: clear its outputs."
            )
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{name} may not be read by the grader ({error.strerror}).") from None
    try:
        content: Any = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:  # also of the decoding
        raise Unreadable(f"{name} is not a notebook: its text is not JSON ({error}).") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise Unreadable(f"{name} is not a notebook: it has no list of cells (nbformat 4).")
    if content.get("nbformat") != 4:
        raise Unreadable(f"{name} has nbformat {repr(content.get('nbformat'))[:40]}, expected 4.")
    for cell in content["cells"]:
        _mend(cell, name)
    cells = [NotebookNode(cell) for cell in content["cells"]]
    for cell in cells:
        cell.metadata = NotebookNode(cell.metadata)
    return NotebookNode(metadata=NotebookNode(), nbformat=4, nbformat_minor=5, cells=cells)


def _mend(cell: Any, name: str) -> None:
    """Joins a cell's lines; raises `Unreadable` if it has no text."""
    if not isinstance(cell, dict):
        raise Unreadable(f"{name} is not a notebook: one of its cells is not an object.")
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(map(str, source))
    cell["source"] = readable(str(source))
    if not isinstance(cell.get("metadata"), dict):
        cell["metadata"] = {}
    if not isinstance(cell["metadata"].get("nbgrader", {}), dict):
        del cell["metadata"]["nbgrader"]


def _short(name: object) -> str:
    """Returns a name that a student chose as a message may hold it: short, and plain letters only."""
    return re.sub(r"[^\w .-]", "?", str(name)[:40], flags=re.ASCII)


def read_submission(student: str, path: Path, template: NotebookNode, name: str, limits: Limits) -> Submission:
    """Reads the answers to an assignment.

    Args:
        student: who handed in.
        path: their notebook.
        template: the released notebook.
        name: of the assignment.
        limits: what a notebook may hold.

    Returns:
        The answers; `problem` says why there are none.
    """
    try:
        notebook = read_notebook(path, limits)
    except Unreadable as error:
        return Submission(student, name, problem=str(error))
    return answers(student, notebook, template, name, limits)


def answers(student: str, notebook: NotebookNode, template: NotebookNode, name: str, limits: Limits) -> Submission:
    """Picks the answers out of a notebook; see `read_submission`."""
    stubs = {grade_id(cell): cell for cell in template.cells if is_solution(cell)}
    found: dict[str, str] = {}
    notes: dict[str, str] = {}
    foreign: set[str] = set()
    for cell in notebook.cells:
        key = grade_id(cell)
        if not isinstance(key, str):
            continue
        if key not in stubs:
            foreign.add(key)
            continue
        stub = stubs[key]
        if cell.get("cell_type") != stub.cell_type:
            notes[key] = f"The cell is of type {_short(cell.get('cell_type'))}; it was handed out as {stub.cell_type}."
            continue
        if len(cell.source) > limits.cell_characters:
            notes[key] = f"The cell has more than {limits.cell_characters:,} characters."
            continue
        if key in found and cell.source != found[key]:
            notes[key] = "The notebook holds this cell more than once; the first edited one counts."
        if key not in found or found[key] == stub.source:
            found[key] = cell.source
    known = {grade_id(cell) for cell in template.cells}
    if not found and stubs:
        if foreign - known:
            some = ", ".join(map(_short, sorted(foreign - known)[:3]))
            problem = f"{name}.ipynb holds the cells of another assignment ({some}, ...)."
        else:
            problem = f"{name}.ipynb holds none of the assignment's answer cells: were they deleted?"
        return Submission(student, name, problem=problem)
    return Submission(student, name, found, notes=notes)
