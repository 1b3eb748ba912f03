"""Take a class's notebooks out of the zip that a learning platform made, to where nbgrader looks for them.

`nbgrader zip_collect` reads names by the same patterns (platforms.py). For the rest it trusts its files: it unpacks
whatever their size, knows no roster, empties a student's folder before it copies, and stops at two notebooks without
timestamps.
"""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from traitlets.config import Config

from autograder.pipeline.archive import Member, members, opened, read
from autograder.pipeline.classroom import writing_to
from autograder.pipeline.gradebook import check
from autograder.pipeline.journal import write_atomically
from autograder.pipeline.nbgrader_stages import timestamp
from autograder.pipeline.platforms import Label, Platform, labels
from autograder.pipeline.roster import Person, enter, problem_of_id, read_roster, squeezed
from autograder.pipeline.settings import Limits, UsageError
from autograder.pipeline.stages import configure


@dataclass
class Collected:
    """What became of an archive.

    Attributes:
        platform: whose names it has.
        new: students whose notebook was written.
        unchanged: students whose notebook was there already, with the same content.
        late: those of both that the platform calls late.
        left_out: a sentence for every file that was not taken.
    """

    platform: Platform = "folders"
    new: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    late: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class _Handed:
    """A notebook of a student's."""

    member: Member
    label: Label

    @property
    def path(self) -> str:
        return self.member.path

    def copy(self, assignment: str) -> int | None:
        """Returns the number that a browser or Canvas gave to a copy of the assignment; None for another name."""
        found = re.fullmatch(rf"{re.escape(assignment)}(?:-(\d+)| ?\((\d+)\))?", self.label.file)
        return int(found.group(1) or found.group(2) or 0) if found else None

    def age(self, assignment: str) -> tuple[int, int, datetime]:
        """Returns what grows from one attempt to the next."""
        return self.label.attempt, self.copy(assignment) or 0, self.member.time


class _NotTakenError(Exception):
    """Why a file is not taken, in words that follow its path."""


def enter_roster(path: Path, course: Path, out: Path) -> list[Person]:
    """Reads a roster, enters it into the gradebook in `out`, and returns it.

    Raises:
        UsageError: it can't be read, or `out` can't be written to.
    """
    people = read_roster(path)
    with writing_to(out):
        config = Config()
        configure(config, course, out=out)
        check(config.CourseDirectory.db_url)
        enter(config.CourseDirectory.db_url, people)
    return people


def collect(path: Path, assignment: str, submitted: Path, roster: Sequence[Person] | None, limits: Limits) -> Collected:
    """Takes the notebooks of an assignment out of an archive.

    Args:
        path: the zip.
        assignment: what its notebooks answer.
        submitted: the folder that gets `STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb` and, beside it, `timestamp.txt`.
        roster: who may hand in; None takes everybody, under the name in the archive.
        limits: the size of a notebook.

    Raises:
        UsageError: the archive can't be read, or `submitted` can't be written to.
    """
    done = Collected()
    with opened(path) as archive:
        everything = list(members(archive, limits.notebook_bytes))
        done.left_out += [f"{member.path} {member.problem}." for member in everything if member.problem]
        notebooks = [member for member in everything if not member.problem]
        done.platform, found = labels([member.path for member in notebooks], assignment)
        by_student: dict[str, list[_Handed]] = defaultdict(list)
        for member in notebooks:
            try:
                student = _whose(found.get(member.path), found, roster)
                by_student[student].append(_Handed(member, found[member.path]))
            except _NotTakenError as why:
                done.left_out.append(f"{member.path} {why}.")
        for student, handed in sorted(by_student.items()):
            chosen, others = _choose(student, handed, assignment)
            done.left_out += others
            if chosen is not None:
                _place(archive, chosen, student, submitted / student / assignment, assignment, done)
    return done


def _whose(label: Label | None, found: Mapping[str, Label], roster: Sequence[Person] | None) -> str:
    """Returns a student's id.

    Raises:
        _NotTakenError: there is none, or it is not clear which.
    """
    if label is None:
        raise _NotTakenError(
            "says nothing of whose it is; expected STUDENT/NAME.ipynb, or the names of Moodle or Canvas"
        )
    called = f"{label.student} {label.number}".strip()
    if roster is None:
        student = label.student or label.number
        if len({other.number for other in found.values() if other.student == label.student}) > 1 and label.student:
            raise _NotTakenError(f"is of one of several people called {student!r}: give a roster with lms_user_id")
        if problem := problem_of_id(student):
            raise _NotTakenError(f"is of {called!r}, and a student's name {problem}")
        return student
    people = [person for person in roster if label.number and person.lms_user_id == label.number]
    people = people or [person for person in roster if squeezed(label.student) in _spellings(person)]
    if not people:
        raise _NotTakenError(f"is of {called!r}, who is not in the roster")
    if len(people) > 1:
        ids = ", ".join(person.id for person in people)
        raise _NotTakenError(f"is of {called!r}, who may be any of {ids}: give their lms_user_id in the roster")
    return people[0].id


def _spellings(person: Person) -> set[str]:
    names = (person.id, person.first_name + person.last_name, person.last_name + person.first_name)
    return {squeezed(name) for name in names} - {""}


def _choose(student: str, handed: list[_Handed], assignment: str) -> tuple[_Handed | None, list[str]]:
    """Returns the notebook that counts, and a sentence about each of the others."""
    named = [one for one in handed if one.copy(assignment) is not None]
    if not named and len(handed) > 1:
        reason = f"is one of {len(handed)} notebooks of {student}, none of them called {assignment}.ipynb: rename one"
        return None, [f"{one.path} {reason}." for one in handed]
    chosen = max(named or handed, key=lambda one: one.age(assignment))
    others: list[str] = []
    for one in handed:
        if one is not chosen:
            reason = "is an earlier attempt of" if one in named else "is another notebook of"
            others.append(f"{one.path} {reason} {student}; {chosen.path} counts.")
    return chosen, others


def _place(
    archive: zipfile.ZipFile, handed: _Handed, student: str, folder: Path, assignment: str, done: Collected
) -> None:
    """Writes a notebook and when it was handed in, unless what is there is as late; says in `done` what became of it.

    Raises:
        UsageError: the folder can't be written to.
    """
    path, time = folder / f"{assignment}.ipynb", handed.member.time
    try:
        content = read(archive, handed.member)
        unchanged = path.is_file() and path.read_bytes() == content
        if not unchanged:
            _check_later(handed.member, student, path)
            folder.mkdir(parents=True, exist_ok=True)
            # without it a run that is stopped here is one that has not begun
            (folder / "timestamp.txt").unlink(missing_ok=True)
            write_atomically(path, content)
        if timestamp(folder) is None:
            write_atomically(folder / "timestamp.txt", f"{time.isoformat(' ')}\n".encode())
    except (_NotTakenError, ValueError) as why:
        done.left_out.append(f"{handed.path} {why}.")
        return
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to ({error.strerror}): name another with --submitted.") from error
    (done.unchanged if unchanged else done.new).append(student)
    if handed.label.late:
        done.late.append(student)


def _check_later(member: Member, student: str, path: Path) -> None:
    """Raises `_NotTakenError` if the notebook that is there is not known to be earlier."""
    if not path.exists():
        return
    before = timestamp(path.parent)
    if before is None:
        raise _NotTakenError(
            f"differs from {path}, and no timestamp.txt there tells which is later: delete the one that does not count"
        )
    if member.time <= before:
        raise _NotTakenError(f"is of {member.time}, not later than what is there of {student}, of {before}")
