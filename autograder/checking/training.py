"""How the grader trains a student's model: epoch by epoch, on weights and losses that come out to be looked at.

Keras' own `EarlyStopping` would choose the best epoch as well, inside; from outside each epoch can be told to whoever
waits, and training that did nothing is seen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from autograder.checking.exercise import Broken, Trial
from autograder.checking.probe import Instance

Given = TypeVar("Given")

BATCH_SIZE = 64
VALIDATION = 0.1
"""The part of the training rows that chooses the best epoch."""
FEWEST, MOST = 500, 5_000_000
"""Parameters that a model may have."""


@dataclass(frozen=True)
class Weights:
    """All numbers in a model's weights end to end, (P,), from before and after training."""

    untrained: np.ndarray
    trained: np.ndarray


def fresh(trial: Trial, vocabulary_size: int, length: int) -> Instance:
    """Returns an untrained model from the student's builder, with its weights made."""
    model = trial.probe.make(trial.exercise.symbol, vocabulary_size, length)
    model.build(np.full((1, length), 3, np.int32))  # an id that every vocabulary has
    return model


def train(trial: Trial, model: Instance, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    """Trains a model; it ends with the weights of the epoch whose loss on the held-out rows was lowest.

    Args:
        trial: draws the seed and is told of every epoch.
        model: compiled.
        x: rows to train on, (N, L); the first tenth is held out.
        y: targets, (N, ...).
        epochs: passes over the rows.

    Raises:
        StudentError: the model is not compiled, or cannot be trained on these rows.
    """
    seed = int(trial.rng.integers(2**31))
    held = int(len(x) * VALIDATION)
    best, lowest, started = model.weights(), math.nan, time.monotonic()
    for epoch in range(epochs):
        losses = model.train_epoch(
            x[held:], y[held:], x[:held], y[:held], epoch=epoch, batch_size=BATCH_SIZE, seed=seed + epoch
        )
        if math.isnan(lowest) or losses["val_loss"] < lowest:
            best, lowest = model.weights(), losses["val_loss"]
        left = (time.monotonic() - started) / (epoch + 1) * (epochs - epoch - 1)
        trial.tell(
            f"epoch {epoch + 1} of {epochs}, loss {losses['loss']:.3f}, {losses['val_loss']:.3f} on held-out rows"
            + (f", about {left:.0f} s left" if left else "")
        )
    model.set_weights(best)


def train_and_check(trial: Trial, model: Instance, x: np.ndarray, y: np.ndarray, epochs: int) -> Weights:
    """Trains a model of a size that can be graded, and sees that training moved it.

    Raises:
        Broken: it has too few or too many parameters, its trained weights are not finite, or none of them moved.
        StudentError: it is not compiled, or cannot be trained on these rows.
    """
    parameters = check_parameters(model)["parameters"]
    before = model.weights()
    if before.size > MOST:
        raise Broken(f"The model says that it has {parameters:,} parameters, but its weights are {before.size:,}.")
    trial.tell(f"training a model of {parameters:,} parameters on {len(x):,} rows")
    train(trial, model, x, y, epochs)
    after = model.weights()
    if after.dtype.kind != "f" or not np.isfinite(after).all():
        raise Broken("After training, not all weights of the model are finite numbers.")
    if np.array_equal(before, after):
        raise Broken("Training moved none of the model's weights.")
    return Weights(before, after)


def answers(
    trial: Trial, model: Instance, weights: Weights, parts: Sequence[np.ndarray], ask: Callable[[np.ndarray], Given]
) -> tuple[list[Given], int]:
    """Asks a trained model about some rows, about one part of them with its weights from before training.

    Which part that is, is drawn by chance. It is as large as the others and its rows come up nowhere else; weights are
    set before every question. Whoever knows as much of it as of the others does not know it from training.

    Args:
        trial: draws the part.
        model: has its trained weights again in the end.
        weights: from before and after training.
        parts: rows.
        ask: asks the model about a part.

    Returns:
        What was answered about each part, and which of them it was.
    """
    untrained, found = int(trial.rng.integers(len(parts))), list[Given]()
    for number, part in enumerate(parts):
        model.set_weights(weights.untrained if number == untrained else weights.trained)
        found.append(ask(part))
    model.set_weights(weights.trained)
    return found, untrained


def too_much(chance: float, floor: float) -> float:
    """Returns how well a model may not do with its weights from before training: halfway from guessing to the floor."""
    return (chance + floor) / 2


def check_parameters(model: Instance) -> dict[str, Any]:
    """Returns the model's description; raises `Broken` if it has too few or too many parameters to be graded."""
    description = model.describe()
    if not FEWEST <= description["parameters"] <= MOST:
        raise Broken(
            f"The model has {description['parameters']:,} parameters; it must have {FEWEST:,} to {MOST:,} of them."
        )
    return description
