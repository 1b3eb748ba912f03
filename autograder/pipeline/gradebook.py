"""What the gradebook says of an assignment, in a few questions for a whole class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import nbgrader.api
from nbgrader.api import Gradebook
from sqlalchemy import make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from autograder.pipeline.settings import UsageError

_tables: Any = nbgrader.api
"""Its classes stand for tables; their columns are not annotated."""


class GradebookError(Exception):
    """The gradebook's database went away or refused; the message says what to do."""


@dataclass(frozen=True)
class Mark:
    """The points of one cell.

    Attributes:
        auto: given by the grader.
        manual: given by hand; they count in the place of the grader's.
        extra: given by hand in addition.
        waits: for somebody to look at it.
        max_score: what the grader can give.
    """

    auto: float | None
    manual: float | None
    extra: float | None
    waits: bool
    max_score: float

    @property
    def score(self) -> float | None:
        """The points that count; None while there are none."""
        points = self.auto if self.manual is None else self.manual
        return None if points is None else points + (self.extra or 0.0)

    @property
    def by_hand(self) -> bool:
        """Whether a person gave points, in the place of the grader's or in addition."""
        return self.manual is not None or bool(self.extra)


@dataclass(frozen=True)
class Entry:
    """What the gradebook says of one student.

    Attributes:
        marks: by grade_id.
        comments: given by hand or by the grader, by grade_id.
        penalty: points lost for being late.
        extension: time allowed to this student in addition.
    """

    marks: Mapping[str, Mark] = field(default_factory=dict[str, Mark])
    comments: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    penalty: float | None = None
    extension: str = ""


def check(url: str) -> None:
    """Opens the gradebook, and makes an empty one where there is none.

    Raises:
        UsageError: it cannot be opened.
    """
    try:
        with Gradebook(url):
            pass
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(
            f"The gradebook's db_url cannot be used ({error}); expected one like postgresql://user@host/database."
        ) from error
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The gradebook {_shown(url)} needs the package {error.name}: "
            "pip install 'sequence-models-autograder[postgres]'."
        ) from error
    except SQLAlchemyError as error:
        raise UsageError(f"The gradebook {_shown(url)} cannot be opened {_cause_and_remedy(error, url)}") from error


_INDEXED = (
    ("submitted_assignment", "student_id"),
    ("submitted_notebook", "assignment_id"),
    ("grade", "notebook_id"),
    ("comment", "notebook_id"),
)
"""Columns by which nbgrader looks for what belongs to a student, and has no index."""


def index(url: str) -> None:
    """Has the database find a student's marks without going through those of the class.

    nbgrader asks twenty times for each student: without these indexes ten thousand take the square of it.
    """
    with Gradebook(url) as gradebook:
        for table, column in _INDEXED:
            name = f"autograder_{table}_{column}"
            gradebook.db.execute(text(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})"))
        gradebook.db.commit()


def _cause_and_remedy(error: SQLAlchemyError, url: str) -> str:
    """Returns what a database said, in one line, and what to do about it."""
    if url.startswith("sqlite:"):
        return f"({_said(error)}): let this user write to it, put a copy of it back, or name another folder with --out."
    return f"({_said(error)}): does the server run, is there such a database, may this user write to it?"


@contextmanager
def explained(url: str) -> Generator[None]:
    """Turns what the database says of a failure into a sentence.

    Raises:
        GradebookError: the database failed within the block.
    """
    try:
        yield
    except SQLAlchemyError as error:
        raise failed(url, _said(error)) from error


def failed(url: str, said: str) -> GradebookError:
    """Returns the error of a database that has said this."""
    return GradebookError(
        f"The gradebook {_shown(url)} failed ({said}): see that its server runs, its disk is not full and no other "
        "program keeps it locked, then run the same command again; what was graded is kept."
    )


def _said(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]


def _shown(url: str) -> str:
    parts = make_url(url)
    return parts.database or "" if url.startswith("sqlite:") else parts.render_as_string(hide_password=True)


def due(url: str, name: str) -> str:
    """Returns when an assignment is due; empty if that is not set."""
    with Gradebook(url) as gradebook:
        found = _rows(gradebook, select(_tables.Assignment.duedate).where(_tables.Assignment.name == name))
        return "".join(str(date) for (date,) in found if date)


def entries(url: str, name: str, students: Sequence[str] | None = None) -> dict[str, Entry]:
    """Returns what the gradebook says of an assignment, of all students that it knows or of some."""
    cell, grade, comment = _tables.BaseCell, _tables.Grade, _tables.Comment
    assignment, handed_in, notebook = _tables.Assignment, _tables.SubmittedAssignment, _tables.SubmittedNotebook

    def of(*columns: Any) -> Any:
        query = select(handed_in.student_id, *columns).select_from(notebook)
        query = query.join(handed_in, notebook.assignment_id == handed_in.id)
        query = query.join(assignment, handed_in.assignment_id == assignment.id).where(assignment.name == name)
        return query if students is None else query.where(handed_in.student_id.in_(students))

    marks: dict[str, dict[str, Mark]] = defaultdict(dict)
    comments: dict[str, dict[str, str | None]] = defaultdict(dict)
    found: dict[str, Entry] = {}
    with Gradebook(url) as gradebook:
        given = (grade.auto_score, grade.manual_score, grade.extra_credit, grade.needs_manual_grade, grade.max_score)
        query = of(cell.name, *given)
        query = query.join(grade, grade.notebook_id == notebook.id).join(cell, grade.cell_id == cell.id)
        for student, key, auto, manual, extra, waits, max_score in _rows(gradebook, query):
            marks[student][key] = Mark(auto, manual, extra, bool(waits), max_score)
        query = of(cell.name, comment.auto_comment, comment.manual_comment)
        query = query.join(comment, comment.notebook_id == notebook.id).join(cell, comment.cell_id == cell.id)
        for student, key, automatic, manual in _rows(gradebook, query):
            comments[student][key] = automatic if manual is None else manual
        query = of(notebook.late_submission_penalty, handed_in.extension)
        for student, penalty, extension in _rows(gradebook, query):
            found[student] = Entry(marks[student], comments[student], penalty, str(extension or ""))
    return found


def _rows(gradebook: Gradebook, query: Any) -> Iterable[Any]:
    return gradebook.db.execute(query)


def record_missing(url: str, name: str, students: Sequence[str]) -> None:
    """Enters 0 for everything of students whose notebook is not there."""
    with Gradebook(url) as gradebook:
        for student in students:
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission(name, student)
            notebook: Any = gradebook.find_submission_notebook(name, name, student)
            for grade in notebook.grades:
                grade.auto_score = 0
                grade.needs_manual_grade = False
            notebook.late_submission_penalty = None
        gradebook.db.commit()


def settle(url: str, name: str, cells: Mapping[str, Sequence[str]]) -> None:
    """Notes that nobody needs to look at these cells again, by student."""
    with Gradebook(url) as gradebook:
        for student, keys in cells.items():
            for key in keys:
                grade: Any = gradebook.find_grade(key, name, name, student)
                grade.needs_manual_grade = False
        gradebook.db.commit()
