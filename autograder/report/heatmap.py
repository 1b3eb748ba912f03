"""Students by checks: who passed what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

State = Literal["passed", "failed", "skipped", "ended"]


@dataclass(frozen=True)
class Cell:
    """What became of a check, or of all checks of an exercise that ended early.

    Attributes:
        state: decides the colour.
        text: what stands in the cell.
        span: how many checks that is about.
    """

    state: State
    text: str
    span: int = 1


MOST = 2_000
"""Students of a table: a browser takes no more at a time."""


@dataclass(frozen=True)
class HeatMap:
    """A table of students by checks.

    Attributes:
        exercises: symbols with the names of their checks.
        rows: students with a cell for each check, the best first.
    """

    exercises: Sequence[tuple[str, Sequence[str]]]
    rows: Sequence[tuple[str, Sequence[Cell]]]

    @property
    def shown(self) -> Sequence[tuple[str, Sequence[Cell]]]:
        """The rows that a page shows: of many, some at equal distances."""
        return self.rows[:: -(-len(self.rows) // MOST) or 1]

    @property
    def passed(self) -> list[float | None]:
        """For each check the share of those whom it was asked of, and who passed it; None if it was asked of nobody."""
        asked: list[list[bool]] = [[] for _, checks in self.exercises for _ in checks]
        for _, cells in self.rows:
            place = 0
            for cell in cells:
                if cell.state in ("passed", "failed"):
                    asked[place].append(cell.state == "passed")
                place += cell.span
        return [sum(answers) / len(answers) if answers else None for answers in asked]


@cache
def cell(*, passed: bool, skipped: bool) -> Cell:
    """Returns the cell of a check."""
    if skipped:
        return Cell("skipped", "–")
    return Cell("passed", "✓") if passed else Cell("failed", "✗")
