"""What a run of the checks found: values only, for people (HTML, text) and for files (JSON)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["graded", "timeout", "crashed", "out-of-memory", "forbidden", "missing"]
"""How grading an exercise or a submission ended; everything but "graded" costs it its points."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        name: what the check shows, as a sentence students may read.
        points: points at stake; 0 for a gate.
        cost: points a failed gate takes away.
        earned: points earned, minus the cost of a failed gate.
        passed: whether everything it asks for held.
        message: how the student's result differs; when passed, what was found where that is worth knowing.
        misconceptions: names of the wrong formulas that give the same result, most likely first.
        hint: what the check looks at, shown to students.
        skipped: True where the check needs data that this run does not have.
    """

    name: str
    points: float
    cost: float
    earned: float
    passed: bool
    message: str = ""
    misconceptions: tuple[str, ...] = ()
    hint: str = ""
    skipped: bool = False


@dataclass(frozen=True)
class Report:
    """The outcome of all checks of one exercise.

    Attributes:
        symbol: the graded symbol.
        max_score: points of the exercise.
        checks: the outcomes, in the order in which they ran.
        status: how it ended.
        reason: one sentence for the student when `status` is not "graded".
        misconception: the wrong formula that explains most of the failed checks, or None.
        hint: that misconception's hint.
        seconds: time it took.
    """

    symbol: str
    max_score: float
    checks: tuple[CheckResult, ...] = ()
    status: Status = "graded"
    reason: str = ""
    misconception: str | None = None
    hint: str = ""
    seconds: float = field(default=0.0, compare=False)

    @property
    def score(self) -> float:
        """Points earned: checks minus gates, never below 0, scaled to the checks that ran."""
        if self.status != "graded":
            return 0.0
        available = sum(check.points for check in self.checks if not check.skipped)
        if available <= 0:
            return 0.0
        earned = max(sum(check.earned for check in self.checks), 0.0)
        return round(self.max_score * earned / available, 4)

    @property
    def first_failure(self) -> CheckResult | None:
        """The first check that failed: the one to read first."""
        return next((check for check in self.checks if not check.passed), None)
