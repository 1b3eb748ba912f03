"""A class's results as one HTML page that needs nothing else: marks, exercises, mistakes, what is left to do."""

from __future__ import annotations

import os
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from autograder.report import figures
from autograder.report.heatmap import MOST, HeatMap
from autograder.report.items import Item
from autograder.report.pages import rendered


@dataclass(frozen=True)
class Mark:
    """A student's mark for an exercise or a written answer.

    Attributes:
        score: points; None while an answer waits for a person.
        max_score: points at stake.
        status: how grading ended.
        note: what was found, in a few words.
        by_hand: whether a person gave points that the grader would have given.
    """

    score: float | None
    max_score: float
    status: str = "graded"
    note: str = ""
    by_hand: bool = False

    @property
    def share(self) -> float:
        """The earned part of the points, from 0 to 1."""
        return min(max((self.score or 0.0) / self.max_score, 0.0), 1.0) if self.max_score else 0.0


@dataclass(frozen=True)
class Row:
    """A student of the table.

    Attributes:
        student: the name of the folder.
        full_name: may be empty.
        status: how grading ended.
        score: points, less the penalty.
        max_score: points at stake.
        penalty: points lost for being late.
        marks: of every question.
        feedback: where the page lies, if there is one.
    """

    student: str
    full_name: str
    status: str
    score: float
    max_score: float
    penalty: float
    marks: Sequence[Mark]
    feedback: str | None


@dataclass(frozen=True)
class Ended:
    """What did not run to its end.

    Attributes:
        student: whose.
        exercise: which; empty if it is the whole submission.
        status: how it ended.
        reason: one sentence.
    """

    student: str
    exercise: str
    status: str
    reason: str


@dataclass(frozen=True)
class Waiting:
    """A written question and the students whose answers nobody has marked yet."""

    question: str
    max_score: float
    students: Sequence[str]


@dataclass(frozen=True)
class Changed:
    """A student whose marks are others than in the last run.

    Attributes:
        student: who.
        before: points in the last run.
        now: points in this one.
        questions: where, with both marks.
    """

    student: str
    before: float
    now: float
    questions: Sequence[str]


@dataclass(frozen=True)
class Change:
    """How a run compares with the last one.

    Attributes:
        conditions: what else was different: the seed, the data.
        common: how many students are in both runs.
        before: their mean in the last run.
        now: their mean in this one.
        changed: whose marks changed.
        added: who is new.
        gone: who is not there any more.
    """

    conditions: Sequence[str]
    common: int
    before: float
    now: float
    changed: Sequence[Changed]
    added: Sequence[str]
    gone: Sequence[str]


@dataclass(frozen=True)
class Section:
    """An assignment of the page.

    Attributes:
        assignment: its name.
        stamp: how it was graded.
        trusted: whether its marks prove anything.
        questions: its exercises, then its written questions, with their points.
        max_score: points of the assignment.
        rows: its students.
        items: its exercises, analysed.
        analysed: how many submissions that is about.
        misconceptions: symbol, name, hint and how many students hold it, the most frequent first.
        ended: what did not run to its end.
        waiting: what waits for a person.
        change: since the last run; None if there was none.
        checks: students by checks.
    """

    assignment: str
    stamp: str
    trusted: bool
    questions: Sequence[tuple[str, float]]
    max_score: float
    rows: Sequence[Row]
    items: Sequence[Item]
    analysed: int
    misconceptions: Sequence[tuple[str, str, str, int]]
    ended: Sequence[Ended]
    waiting: Sequence[Waiting]
    change: Change | None
    checks: HeatMap

    @property
    def shown(self) -> Sequence[Row]:
        """The students that the table of marks shows."""
        return self.rows[:MOST]

    @property
    def scores(self) -> list[float]:
        """The points of all students."""
        return [row.score for row in self.rows]

    @property
    def mean(self) -> float:
        """Their mean."""
        return statistics.fmean(self.scores)

    @property
    def median(self) -> float:
        """Their median."""
        return statistics.median(self.scores)

    @property
    def unmarked(self) -> int:
        """How many answers wait for a person."""
        return sum(len(question.students) for question in self.waiting)

    @property
    def marks_plot(self) -> Markup:
        """The distribution of marks."""
        return figures.marks(figures.distribution(self.scores, self.max_score))

    @property
    def items_plot(self) -> Markup:
        """Difficulty and discrimination."""
        return figures.difficulty_and_discrimination(self.items)


def most_frequent(found: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str, int]]:
    """Returns (symbol, misconception, hint) with their counts, the most frequent first."""
    return [(*one, count) for one, count in Counter(found).most_common()]


def page(title: str, sections: Sequence[Section]) -> str:
    """Returns the overview as one page of HTML that needs nothing else."""
    return rendered("overview.html.j2", title=title, sections=sections)


def relative(path: Path, start: Path) -> str | None:
    """Returns a link from a page in one folder to another file, or None if that one is not there."""
    return quote(Path(os.path.relpath(path, start)).as_posix()) if path.is_file() else None
