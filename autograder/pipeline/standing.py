"""How far the grading of a class has got, for whoever waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """Submissions of an assignment, counted.

    Attributes:
        total: to be graded.
        kept: whose results were there from an earlier run.
        graded: in this run.
        failed: that did not end as "graded": late, crashed, missing and so on.
        seconds: since this run began to grade.
        entered: whose marks and feedback page are written; None before that has begun.
        entered_earlier: those of them for whom there was nothing to write.
        entering_seconds: since this run began to write.
    """

    total: int
    kept: int = 0
    graded: int = 0
    failed: int = 0
    seconds: float = 0.0
    entered: int | None = None
    entered_earlier: int = 0
    entering_seconds: float = 0.0

    @property
    def done(self) -> int:
        """Submissions whose result is there."""
        return self.kept + self.graded

    def __str__(self) -> str:
        if self.entered is not None:
            parts = [f"{self.entered} of {self.total} entered into the gradebook"]
            parts += _speed(self.entered - self.entered_earlier, self.entering_seconds, self.total - self.entered)
        else:
            parts = [f"{self.done} of {self.total} graded"]
            if self.kept:
                parts.append(f"{self.kept} of them earlier")
            parts += _speed(self.graded, self.seconds, self.total - self.done)
        if self.failed:
            parts.append(f"{self.failed} failed")
        return ", ".join(parts)


def _speed(done: int, seconds: float, left: int) -> list[str]:
    if not done or not seconds:
        return []
    return [_pace(done / seconds), *([f"about {_span(left * seconds / done)} left"] if left else [])]


def _pace(rate: float) -> str:
    return f"{rate:.1f} a second" if rate >= 1 else f"{1 / rate:.1f} s each"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


@dataclass(frozen=True)
class Audience:
    """Whoever waits.

    Attributes:
        show: is shown how far it has got, whenever it gets further.
        tell: is told, in a line, what holds at the moment: how a training gets on, that there is no worker.
        announce: is told, in a line, what stays true.
    """

    show: Callable[[Standing], None] = lambda standing: None
    tell: Callable[[str], None] = lambda line: None
    announce: Callable[[str], None] = lambda line: None


NOBODY = Audience()
