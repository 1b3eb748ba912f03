"""The accuracy protocol: the grader trains the student's model and scores it on labels it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checking.exercise import Broken, Check, Split, Trial
from autograder.checking.probe import Instance, Probe

BATCH_SIZE = 64
EPOCHS = 3
VALIDATION = 0.1
"""The part of the training rows that chooses the best epoch."""
PARAMETER_LIMIT = 5_000_000
RESERVED_IDS = 3
"""Padding, start and unknown keep their ids 0, 1 and 2."""


def reaches_accuracy(
    name: str,
    *,
    corpus: str,
    points: float,
    floor: float,
    full: float,
    always: bool = True,
    diagnose: Callable[[np.ndarray], str | None] = lambda probabilities: None,
    hint: str = "",
) -> Check:
    """A check that the student's builder makes a model that learns a corpus.

    Token ids are renamed by a permutation drawn for this grading, rows are shuffled, and the labels of the test
    split never leave the grader, so that nothing brought along from outside is worth anything.

    Args:
        name: what holds, as a sentence.
        corpus: name of the corpus.
        points: points at and above `full`.
        floor: accuracy up to which nothing is earned; points rise linearly from there.
        full: accuracy from which all points are earned.
        always: False for a corpus that only some runs have; the check is skipped in the others.
        diagnose: names the misconception behind the test probabilities, if it recognises one.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> None:
        split = renamed(trial.data(corpus), trial.rng)
        probabilities, labels = trained(trial.probe, trial.exercise.symbol, split, trial.rng)
        misconception = diagnose(probabilities)
        names = (misconception,) if misconception else ()
        try:
            accuracy = score(labels, probabilities)
        except Broken as broken:
            raise Broken(str(broken), *names) from broken
        fraction = float(np.clip((accuracy - floor) / (full - floor), 0.0, 1.0))
        if fraction < 1.0:
            raise Broken(
                f"The model reached an accuracy of {accuracy:.3f} on unseen rows; "
                f"points rise from {floor:.2f} to {full:.2f}.",
                *names,
                fraction=fraction,
            )

    return Check(name, run, points=points, hint=hint, data=None if always else corpus)


def trained(probe: Probe, symbol: str, split: Split, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Builds and trains the student's model; returns its test probabilities and the labels that belong to them.

    Raises:
        Broken: the model is too large.
    """
    rows, length = split.x_train.shape
    model = probe.make(symbol, split.vocabulary_size, length)
    check_parameters(model)
    order = rng.permutation(rows)
    model.fit(
        split.x_train[order],
        split.y_train[order],
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        validation=VALIDATION,
        seed=int(rng.integers(2**31)),
    )
    order = rng.permutation(len(split.x_test))
    return model.predict(split.x_test[order]), split.y_test[order]


def renamed(split: Split, rng: np.random.Generator) -> Split:
    """Returns the split with its word ids permuted; padding, start and unknown keep theirs."""
    words = np.arange(RESERVED_IDS, split.vocabulary_size)
    table = np.concatenate([np.arange(RESERVED_IDS), rng.permutation(words)]).astype(np.int32)
    return Split(
        table[split.x_train],
        split.y_train,
        table[split.x_test],
        split.y_test,
        split.vocabulary_size,
    )


def check_parameters(model: Instance) -> dict[str, Any]:
    """Returns the model's description; raises `Broken` if it has too many parameters to be graded."""
    description = model.describe()
    if description["parameters"] > PARAMETER_LIMIT:
        raise Broken(
            f"The model has {description['parameters']:,} parameters; at most {PARAMETER_LIMIT:,} are allowed."
        )
    return description


def score(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Returns the accuracy of probabilities (N,) or (N, 1) against labels (N,).

    Raises:
        Broken: the predictions are not N finite numbers between 0 and 1.
    """
    from sklearn.metrics import accuracy_score

    if probabilities.shape not in ((len(labels),), (len(labels), 1)):
        raise Broken(
            f"The model's predictions for {len(labels)} rows have shape {probabilities.shape}, "
            f"expected ({len(labels)}, 1)."
        )
    if probabilities.dtype.kind != "f" or not np.isfinite(probabilities).all():
        raise Broken("The model's predictions are not all finite numbers.")
    low, high = float(probabilities.min()), float(probabilities.max())
    if low < 0.0 or high > 1.0:
        raise Broken(
            f"The model's predictions lie between {low:.2f} and {high:.2f}; probabilities lie between 0 and 1."
        )
    return float(accuracy_score(labels, probabilities.reshape(-1) >= 0.5))
