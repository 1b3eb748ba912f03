"""The people of a course: from a CSV file into nbgrader's gradebook, from which formgrader and overview name them."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.pipeline.settings import UsageError
from autograder.sandbox.wire import readable

COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
"""Those of nbgrader's own `nbgrader db student import`; only the first must be there."""


@dataclass(frozen=True)
class Person:
    """A student.

    Attributes:
        id: the name in the gradebook and of the folder with submissions.
        first_name: may be empty, as all below.
        last_name: the family's.
        email: an address.
        lms_user_id: the number that the learning platform knows the student by.
    """

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


def read_roster(path: Path) -> list[Person]:
    """Reads a roster.

    Raises:
        UsageError: the file is not there or not as it must be; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"The roster {path} cannot be read ({error.strerror}): name a CSV file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not text in UTF-8 ({error.reason} at byte {error.start}): save it as 'CSV UTF-8'."
        ) from error
    rows = csv.DictReader(lines, restval="", strict=True)
    try:
        return _people(path, rows)
    except csv.Error as error:
        raise UsageError(f"{path}, line {rows.line_num}: {error}; mend the quotes and commas there.") from error


def _people(path: Path, rows: csv.DictReader[str]) -> list[Person]:
    found = [name.strip().lower() for name in rows.fieldnames or ()]
    rows.fieldnames = found
    if "id" not in found:
        raise UsageError(
            f"{path}: its first line names the columns {', '.join(found) or '(none)'}; "
            f"expected {', '.join(COLUMNS)}, separated by commas, of which id must be there."
        )
    people: dict[str, Person] = {}
    for row in rows:
        person = Person(**{column: (row.get(column) or "").strip() for column in COLUMNS})
        if problem := problem_of_id(person.id):
            raise UsageError(f"{path}, line {rows.line_num}: the id {person.id!r} {problem}.")
        if person.id in people:
            raise UsageError(f"{path}, line {rows.line_num}: the id {person.id!r} stands in an earlier line, too.")
        people[person.id] = person
    return list(people.values())


def problem_of_id(student: str) -> str:
    """Returns why this cannot be the name of a student's folder and page, or an empty text."""
    if not student:
        return "is empty"
    if student.startswith(".") or re.search(r'[/\\*?\[\]{}:"<>|]', student):
        return 'must not begin with a dot or hold any of / \\ * ? [ ] { } : " < > |'
    if len(student) > 100 or not student.isprintable() or readable(student) != student:
        return "must have at most 100 letters, all of them printable"
    return ""


def squeezed(name: str) -> str:
    """Returns a name's letters and digits alone, in small ones: what platforms write differently is then the same."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def enter(db_url: str, people: list[Person]) -> None:
    """Enters names and addresses into the gradebook; what the roster leaves empty stays as it is there."""
    with Gradebook(db_url) as gradebook:
        for person in people:
            known = {column: getattr(person, column) for column in COLUMNS[1:] if getattr(person, column)}
            gradebook.update_or_create_student(person.id, **known)


def names(db_url: str) -> dict[str, str]:
    """Returns the full names that the gradebook knows, by id."""
    with Gradebook(db_url) as gradebook:
        people: list[Any] = gradebook.students
        named = {str(one.id): f"{one.first_name or ''} {one.last_name or ''}".strip() for one in people}
    return {student: name for student, name in named.items() if name}
