"""Item analysis: how hard each exercise was, and whether it tells strong students from weak ones.

Difficulty is the mean share of an exercise's points: the lower, the harder. Discrimination is the correlation of its
points with the points of all other exercises: the item-total correlation, corrected for the item's own part in the
total (Henrysson: Correction of item-total correlations in item analysis. Psychometrika 28, 1963, pages 211 to 218). The
bounds of the words for it are those that Ebel and Frisbie give for another index, the difference between the best and
the weakest students: Essentials of Educational Measurement, 5th edition, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_FEWEST = 3
"""With two submissions every correlation is 1 or -1."""


@dataclass(frozen=True)
class Item:
    """What a class shows of an exercise.

    Attributes:
        symbol: the exercise.
        max_score: its points.
        difficulty: the mean share of its points, from 0 to 1.
        discrimination: from -1 to 1; None where there is nothing to compare.
        full: how many have all of its points.
        nothing: how many have none of them.
    """

    symbol: str
    max_score: float
    difficulty: float
    discrimination: float | None
    full: int
    nothing: int

    @property
    def verdict(self) -> str:
        """What the discrimination says, in words."""
        if self.discrimination is None:
            return "nothing to compare"
        limits = ((0.4, "very good"), (0.3, "good"), (0.2, "marginal"))
        return next((word for limit, word in limits if self.discrimination >= limit), "poor")


def analysed(exercises: Sequence[tuple[str, float]], scores: Sequence[Sequence[float]]) -> list[Item]:
    """Returns the analysis of each exercise.

    Args:
        exercises: symbols and their points.
        scores: for each submission the points in these exercises; none if nothing could be read.
    """
    if not scores:
        return []
    points = np.asarray(scores, dtype=np.float64)  # (submissions, exercises)
    total = points.sum(axis=1)
    items: list[Item] = []
    for (symbol, most), own in zip(exercises, points.T, strict=True):
        items.append(
            Item(
                symbol,
                most,
                float(own.mean() / most) if most else 0.0,
                _correlation(own, total - own),
                int((own >= most).sum()),
                int((own <= 0).sum()),
            )
        )
    return items


def _correlation(own: np.ndarray, rest: np.ndarray) -> float | None:
    if len(own) < _FEWEST or np.ptp(own) < 1e-9 or np.ptp(rest) < 1e-9:
        return None
    return float(np.corrcoef(own, rest)[0, 1])
