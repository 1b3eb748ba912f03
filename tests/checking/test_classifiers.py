"""What is asked of a trained classifier besides its accuracy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.checking import Broken, Check, Exercise, Probe, Split, Trial, classifiers

ROWS = np.random.default_rng(0).integers(3, 60, (50, 12)).astype(np.int32)
ROWS[:, 9:] = 0
SPLIT = Split(ROWS, ROWS[:, 0] % 2, ROWS, ROWS[:, 0] % 2, 60)
TRIAL = Trial(
    Exercise("build", (Check("holds", lambda trial: None, points=1),), ()),
    Probe(lambda question: {}),
    np.random.default_rng(1),
    lambda name: SPLIT,
)


class Trained:
    """Answers with a function of the rows."""

    def __init__(self, predict: Callable[[np.ndarray], np.ndarray]) -> None:
        self.predict = predict


def test_a_model_that_reads_one_place_heeds_the_order():
    model: Any = Trained(lambda rows: rows[:, :1] / 60)
    classifiers.heeds_order(TRIAL, model, SPLIT, "no-positions")


@pytest.mark.parametrize(
    "predict",
    [
        lambda rows: rows.sum(axis=1, keepdims=True) / 900,
        lambda rows: rows.max(axis=1, keepdims=True) / 60,
        lambda rows: (rows != 0)[:, 10:11] * 1.0,  # where the padding is stays as it was
        lambda rows: np.full((len(rows), 1), 0.5),
    ],
    ids=["mean", "maximum", "padding", "constant"],
)
def test_a_bag_of_words_does_not(predict: Callable[[np.ndarray], np.ndarray]):
    model: Any = Trained(predict)
    with pytest.raises(Broken, match="another order") as broken:
        classifiers.heeds_order(TRIAL, model, SPLIT, "no-positions")
    assert broken.value.misconceptions == ("no-positions",)
