"""Enter results into the gradebook and the feedback pages: of those students only for whom something has changed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from traitlets.config import Config

from autograder.pipeline.gradebook import Entry, due, entries, record_missing, settle
from autograder.pipeline.grading import Graded
from autograder.pipeline.ledger import Entered, Ledger
from autograder.pipeline.nbgrader_stages import StageError, autograde, generate_feedback, timestamp
from autograder.pipeline.roll import Roll
from autograder.pipeline.summary import feedback_page

_TOGETHER = 20
"""Students that are entered before it is noted: a run that is killed enters so many again at most."""


class Entering:
    """Enters the results of an assignment.

    Args:
        config: of nbgrader's stages.
        name: of the assignment.
        roll: the results.
        out: the results folder.
        ledger: what was entered earlier.
        rules: what marks follow from besides, such as penalties for being late.
    """

    def __init__(self, config: Config, name: str, roll: Roll, out: Path, ledger: Ledger, rules: str) -> None:
        self._config = config
        self._url = str(config.CourseDirectory.db_url)
        self._name = name
        self._roll = roll
        self._out = out
        self._ledger = ledger
        self._rules = (self._url, due(self._url, name), rules)

    def enter(self, show: Callable[[int], None]) -> dict[str, Entry]:
        """Enters what is not entered yet.

        What people have given (marks, comments, more time) stays; where they changed it, the page is written again.

        Args:
            show: is shown how many students are entered.

        Returns:
            What the gradebook now says, by student.
        """
        found = entries(self._url, self._name)
        students = self._roll.graded
        left = [student for student in students if not self._is_entered(student, found.get(student))]
        show(len(students) - len(left))
        failed: dict[str, StageError] = {}
        for start in range(0, len(left), _TOGETHER):
            together = left[start : start + _TOGETHER]
            try:
                self._enter(together, found)
            except StageError:
                failed |= self._enter_one_by_one(together, found)
            show(len(students) - len(left) + start + len(together))
        if failed:
            first = next(iter(failed.values()))
            raise StageError(f"{', '.join(failed)}: not entered, while the others are ({first})")
        return found

    def _enter_one_by_one(self, students: Sequence[str], found: dict[str, Entry]) -> dict[str, StageError]:
        """Enters whom it can of those who could not be entered together; returns why not the others."""
        failed: dict[str, StageError] = {}
        for student in students:
            try:
                self._enter([student], found)
            except StageError as error:
                failed[student] = error
        return failed

    def _enter(self, students: Sequence[str], found: dict[str, Entry]) -> None:
        students = self._roll.still(students)
        handed_in = [student for student in students if self._roll.is_there(student)]
        if missing := [student for student in students if student not in handed_in]:
            record_missing(self._url, self._name, missing)
            self._take_away(missing)
        # where the marks are right nbgrader does not enter them again: it would ask for another look at those by hand
        if wrong := [student for student in handed_in if not self._has_marks(student, found.get(student))]:
            before = {student: found[student] for student in wrong if student in found}
            autograde(self._config, self._name, wrong)
            if before:
                self._settle(before, entries(self._url, self._name, list(before)))
        if handed_in:
            generate_feedback(self._config, self._name, handed_in)
        found.update(entries(self._url, self._name, students))
        self._ledger.note({student: self._fingerprints(student, found[student]) for student in handed_in})

    def _settle(self, before: Mapping[str, Entry], now: Mapping[str, Entry]) -> None:
        """Leaves marks by hand settled where neither the notebook nor what the grader says has changed."""
        settled = {
            student: [
                cell
                for cell, mark in entry.marks.items()
                if mark.manual is not None and not mark.waits and now[student].marks[cell].auto == mark.auto
            ]
            for student, entry in before.items()
            if (last := self._ledger.last(student)) and last.handed_in == self._roll.handed_in(student)
        }
        if any(settled.values()):
            settle(self._url, self._name, settled)

    def _take_away(self, students: Sequence[str]) -> None:
        """Removes pages and graded notebooks of those whose submission is gone."""
        for student in students:
            for folder in (self._graded(student).parent, feedback_page(self._out, student, self._name).parent):
                shutil.rmtree(folder, ignore_errors=True)

    def _graded(self, student: str) -> Path:
        return self._out / "autograded" / student / self._name / f"{self._name}.ipynb"

    def _is_entered(self, student: str, entry: Entry | None) -> bool:
        if entry is None:
            return False
        if not self._roll.is_there(student):
            page = feedback_page(self._out, student, self._name)
            return not entry.penalty and not page.exists() and all(mark.auto == 0 for mark in entry.marks.values())
        last = self._ledger.last(student)
        return (
            self._has_marks(student, entry)
            and last is not None
            and last.page == self._fingerprints(student, entry).page
            and feedback_page(self._out, student, self._name).is_file()
        )

    def _has_marks(self, student: str, entry: Entry | None) -> bool:
        last = self._ledger.last(student)
        return (
            entry is not None
            and last is not None
            and last.marks == self._fingerprints(student, entry).marks
            and _agree(entry, self._roll.result(student))
            and self._graded(student).is_file()
        )

    def _fingerprints(self, student: str, entry: Entry) -> Entered:
        handed_in_at = timestamp(self._roll.path(student).parent)
        marks = _hash(self._roll.key(student), handed_in_at, entry.extension, *self._rules)
        page = _hash(marks, sorted(entry.marks.items()), sorted(entry.comments.items()), entry.penalty)
        return Entered(marks, page, self._roll.handed_in(student))


def _agree(entry: Entry, graded: Graded) -> bool:
    """Tells whether the gradebook has the points of a result: it may be a new one, or others may have written to it."""
    found = {cell: mark.auto for cell, mark in entry.marks.items()}
    return all(
        (points := found.get(f"test_{symbol}")) is not None and abs(points - report.score) < 1e-6
        for symbol, report in graded.reports.items()
    )


def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()
