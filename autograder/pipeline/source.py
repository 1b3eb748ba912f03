"""The source notebook of an assignment: which cells are whose."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.checking import Assignment
from autograder.pipeline.settings import UsageError

SETUP_TAG = "setup"
"""Tag of the source's own code cells that solutions need, such as imports."""
_SOLUTION = re.compile(r"^[ \t]*### BEGIN SOLUTION\n(.*?)^[ \t]*### END SOLUTION[ \t]*$", re.M | re.S)


def grade_id(cell: NotebookNode) -> str | None:
    """Returns the cell's nbgrader id, or None."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def is_solution(cell: NotebookNode) -> bool:
    """Tells whether students write this cell."""
    return bool(cell.metadata.get("nbgrader", {}).get("solution", False))


def graded_symbol(cell: NotebookNode) -> str | None:
    """Returns the symbol that a locked grade cell `test_<symbol>` grades, or None."""
    settings = cell.metadata.get("nbgrader", {})
    name = settings.get("grade_id", "")
    if settings.get("grade") and not settings.get("solution") and name.startswith("test_"):
        return name.removeprefix("test_")
    return None


def is_visible_check(cell: NotebookNode) -> bool:
    """Tells whether this is a visible check: a grade cell worth nothing, so that nbgrader's Validate runs it."""
    settings = cell.metadata.get("nbgrader", {})
    return str(settings.get("grade_id", "")).startswith("check_") and settings.get("points") == 0


def is_setup(cell: NotebookNode) -> bool:
    """Tells whether the cell prepares what solutions need."""
    return cell.cell_type == "code" and SETUP_TAG in cell.metadata.get("tags", [])


@dataclass(frozen=True)
class SourceNotebook:
    """An instructor's notebook.

    Attributes:
        name: of the assignment, its folder and its notebook.
        text: the file's text, which is what determines a grading.
    """

    name: str
    text: str

    @property
    def notebook(self) -> NotebookNode:
        """A fresh copy of the notebook."""
        return nbformat.reads(self.text, as_version=4)

    @property
    def setup(self) -> str:
        """The code that solutions need first."""
        return "\n\n".join(cell.source for cell in self.notebook.cells if is_setup(cell))

    @property
    def solutions(self) -> dict[str, str]:
        """The solved code cells by grade_id, without the BEGIN and END lines."""
        return {
            str(grade_id(cell)): _SOLUTION.sub(lambda found: found.group(1).rstrip("\n"), cell.source)
            for cell in self.notebook.cells
            if cell.cell_type == "code" and is_solution(cell)
        }


def read_source(course: Path, name: str) -> SourceNotebook:
    """Reads the source notebook of an assignment.

    Raises:
        UsageError: the course has no such notebook, or the file is none.
    """
    path = course / "source" / name / f"{name}.ipynb"
    return SourceNotebook(name, notebook_text(path, "take the file from git again, or name another assignment"))


def complete(source: SourceNotebook, wanted: Assignment) -> SourceNotebook:
    """Returns a source that has a solution of each exercise.

    Raises:
        UsageError: it has not.
    """
    absent = [exercise.symbol for exercise in wanted.exercises if exercise.symbol not in source.solutions]
    if absent:
        raise UsageError(
            f"source/{source.name} has no solution cell for {', '.join(absent)}: "
            f"`autograder build {source.name}` lists all that is wrong with it."
        )
    return source


def notebook_text(path: Path, remedy: str) -> str:
    """Returns the text of a notebook of ours.

    Args:
        path: the file.
        remedy: what to do if it is no notebook.

    Raises:
        UsageError: it is not there, or no notebook.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): {remedy}.") from error
    if problem := not_a_notebook(content):
        raise UsageError(f"{path} {problem}: {remedy}.")
    return content.decode()


def not_a_notebook(content: bytes) -> str:
    """Returns why a file is no notebook, in words that follow its path; empty if it is one."""
    try:
        notebook: Any = json.loads(content.decode())
    except ValueError as error:  # also of the decoding
        return f"is not a notebook, its text is not JSON ({error})"
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4 or not isinstance(notebook.get("cells"), list):
        return "is not a notebook, which has nbformat 4 and a list of cells"
    return ""
