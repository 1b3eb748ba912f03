"""Whose marks a grading would change: old and new ones, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.exercises import assignment
from autograder.pipeline.gradebook import Entry, Mark
from autograder.pipeline.ledger import Ledger
from autograder.pipeline.roll import Roll
from autograder.report.cell import number


@dataclass(frozen=True)
class Change:
    """The marks of a student that would become others.

    Attributes:
        student: whose.
        marks: old and new points of what changes, by grade_id; None where there are none: a new question, or one that
            was taken away.
        before: all points of this assignment so far.
        after: all points then.
        same_notebook: whether the old marks were given for the same file, as far as that is known.
    """

    student: str
    marks: Mapping[str, tuple[float | None, float | None]]
    before: float
    after: float
    same_notebook: bool

    def __str__(self) -> str:
        parts = [
            f"{cell.removeprefix('test_')} {_points(old)} → {_points(new)}" for cell, (old, new) in self.marks.items()
        ]
        reason = "" if self.same_notebook else ", another notebook"
        return f"{self.student}: {number(self.before)} → {number(self.after)} ({'; '.join(parts)}){reason}"


def changes(name: str, roll: Roll, entries: Mapping[str, Entry], ledger: Ledger) -> list[Change]:
    """Compares what the gradebook says with the results of a roll.

    Marks that people have given in the place of the grader's stay, so they are no change.

    Args:
        name: of the assignment.
        roll: the results.
        entries: what the gradebook says, by student.
        ledger: which files that was for.

    Returns:
        A change for each student who has other marks in the gradebook; students without any are not among them.
        Where a question is gone its marks go for everybody, also for those who are not on the roll.
    """
    graded = set(roll.graded)
    found = [
        _change(name, student, roll, entry, ledger) if student in graded else _without_removed(name, student, entry)
        for student, entry in sorted(entries.items())
    ]
    return [change for change in found if change.marks]


def _without_removed(name: str, student: str, entry: Entry) -> Change:
    asked = {*(f"test_{exercise.symbol}" for exercise in assignment(name).exercises), *assignment(name).written}
    before = {cell: mark.score for cell, mark in entry.marks.items()}
    gone = {cell: score for cell, score in before.items() if cell not in asked and score}
    marks = {cell: (score, None) for cell, score in gone.items()}
    return Change(student, marks, _sum(before), _sum(before) - _sum(gone), same_notebook=True)


_SHOWN = 20
"""Students that a grading names before it writes other marks for the same notebook; a preview names all."""


def announced(found: Sequence[Change]) -> list[str]:
    """Returns the lines that say whose marks change for the same notebook; another one may well have others."""
    same = [change for change in found if change.same_notebook]
    if not same:
        return []
    left = len(same) - _SHOWN
    return [
        f"other marks for the same notebook, {len(same)} of the students:",
        *(f"  {change}" for change in same[:_SHOWN]),
        *([f"  and {left} more; the overview compares all of them"] if left > 0 else []),
    ]


def _change(name: str, student: str, roll: Roll, entry: Entry, ledger: Ledger) -> Change:
    after: dict[str, float | None] = {}
    for symbol, report in roll.result(student).reports.items():
        cell = f"test_{symbol}"
        old = entry.marks.get(cell, Mark(None, None, None, False, report.max_score))
        after[cell] = replace(old, auto=report.score).score
    for cell in assignment(name).written:
        after[cell] = entry.marks[cell].score if cell in entry.marks else None
    before = {cell: mark.score for cell, mark in entry.marks.items() if cell in after or mark.score}
    marks = {
        cell: (before.get(cell), after.get(cell))
        for cell in [*after, *before]
        if not _equal(before.get(cell), after.get(cell))
    }
    last = ledger.last(student)
    same_notebook = last is None or last.handed_in in ("", roll.handed_in(student))
    return Change(student, marks, _sum(before), _sum(after), same_notebook)


def _sum(points: Mapping[str, float | None]) -> float:
    return sum(value or 0.0 for value in points.values())


def _equal(old: float | None, new: float | None) -> bool:
    return old == new if old is None or new is None else abs(old - new) < 1e-6


def _points(value: float | None) -> str:
    return "none" if value is None else number(value)
