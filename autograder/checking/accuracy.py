"""The accuracy protocol: the grader trains the student's model and scores it on labels it keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.checking.exercise import Broken, Check, Split, Trial
from autograder.checking.probe import Instance
from autograder.checking.training import answers, fresh, too_much, train_and_check

EPOCHS = 3
CHANCE = 0.5
"""What guessing reaches."""
PARTS = 5
"""In so many parts the test rows are asked about; one of them shows what a model knows before training."""
RESERVED_IDS = 3
"""Padding, start and unknown keep their ids 0, 1 and 2."""
FREQUENT, LEFT_OUT = 20, 0.2
"""Of each of the most frequent words in public rows, this part of its occurrences is left out."""


def reaches_accuracy(
    name: str,
    *,
    corpus: str,
    points: float,
    floor: float,
    full: float,
    small: tuple[float, float] | None = None,
    always: bool = True,
    diagnose: Callable[[np.ndarray], str | None] = lambda probabilities: None,
    after: Callable[[Trial, Instance, Split], None] = lambda trial, model, split: None,
    hint: str = "",
) -> Check:
    """A check that the student's builder makes a model that learns a corpus.

    Rows are disguised anew for this grading and shuffled, and the labels of the test split never leave the grader,
    so that nothing brought along from outside is worth anything.

    Args:
        name: what holds, as a sentence.
        corpus: name of the corpus.
        points: points at and above `full`.
        floor: accuracy up to which nothing is earned; points rise linearly from there.
        full: accuracy from which all points are earned.
        small: floor and full in their place on a corpus that is cut down for machines without a GPU.
        always: False for a corpus that only some runs have; the check is skipped in the others.
        diagnose: names the misconception behind the test probabilities, if it recognises one.
        after: raises `Broken` if the trained model is not what it should be, which costs a quarter of what it earned.
        hint: what it looks at, for students.
    """
    whole, cut_down = (floor, full), small or (floor, full)

    def run(trial: Trial) -> str:
        learned = learn(trial, corpus)
        labels, probabilities = learned.labels, learned.probabilities
        misconception = diagnose(probabilities)
        names = (misconception,) if misconception else ()
        try:
            accuracy = score(labels, probabilities)
        except Broken as broken:
            raise Broken(str(broken), *names) from broken
        least, enough = cut_down if learned.split.small else whole
        fraction = float(np.clip((accuracy - least) / (enough - least), 0.0, 1.0))
        reached = f"The model reached an accuracy of {accuracy:.3f} on {len(labels):,} unseen rows"
        if fraction and (before := _known(learned)) >= too_much(CHANCE, least):
            raise Broken(
                f"{reached}, and {before:.3f} with the weights from before training: what it knows is not in its "
                "weights."
            )
        reached += "." if fraction == 1.0 else f"; points rise from {least:.2f} to {enough:.2f}."
        if fraction:
            try:
                after(trial, learned.model, learned.split)
            except Broken as broken:
                raise Broken(
                    f"{reached} {broken}", *names, *broken.misconceptions, fraction=0.75 * fraction
                ) from broken
        if fraction < 1.0:
            raise Broken(reached, *names, fraction=fraction)
        return reached

    return Check(
        name,
        run,
        points=points,
        hint=hint,
        data=None if always else corpus,
        trains=True,
        thresholds={corpus: whole} | ({f"{corpus}-small": small} if small else {}),
    )


@dataclass(frozen=True)
class Learned:
    """A trained model, and what it says of the test rows.

    Attributes:
        model: trained.
        split: the disguised rows.
        probabilities: what the model gave for test rows, in an order drawn anew.
        labels: (M,) of these rows.
        untrained: what it gave for the other test rows with its weights from before training.
        untrained_labels: of those rows.
    """

    model: Instance
    split: Split
    probabilities: np.ndarray
    labels: np.ndarray
    untrained: np.ndarray
    untrained_labels: np.ndarray


def learn(trial: Trial, corpus: str) -> Learned:
    """Builds the student's model, trains it on a corpus and asks for its test probabilities.

    Raises:
        Broken: the model can't be graded, or training did nothing.
        StudentError: the student's code raised.
    """
    split = disguised(trial.data(corpus), trial.rng)
    rows, length = split.x_train.shape
    trial.probe.seed(int(trial.rng.integers(2**31)))
    model = fresh(trial, split.vocabulary_size, length)
    order = trial.rng.permutation(rows)
    weights = train_and_check(trial, model, split.x_train[order], split.y_train[order], EPOCHS)
    order = trial.rng.permutation(len(split.x_test))
    parts, labels = np.array_split(split.x_test[order], PARTS), np.array_split(split.y_test[order], PARTS)
    found, untrained = answers(trial, model, weights, parts, model.predict)
    del parts[untrained]
    before, their_labels = found.pop(untrained), labels.pop(untrained)
    return Learned(model, split, _joined(found, parts), np.concatenate(labels), before, their_labels)


def _joined(found: Sequence[np.ndarray], parts: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the answers for all parts; raises `Broken` where they are not one for each row, all of one shape."""
    for answer, part in zip(found, parts, strict=True):
        if answer.shape != (len(part), *found[0].shape[1:]):
            raise Broken(
                f"The model's predictions for {len(part):,} rows have shape {answer.shape}, expected ({len(part)}, 1)."
            )
    return np.concatenate(found)


def _known(learned: Learned) -> float:
    """Returns the accuracy with the weights from before training; 0 where there are no probabilities."""
    try:
        return score(learned.untrained_labels, learned.untrained)
    except Broken:
        return 0.0


def disguised(split: Split, rng: np.random.Generator) -> Split:
    """Returns rows that a table of known ones does not find again.

    Word ids are permuted; padding, start and unknown keep theirs. Renaming leaves which places of a row hold the same
    word, and that tells most reviews apart: so public rows also lose some of their most frequent words, which say
    little but repeat most.
    """
    words = np.arange(RESERVED_IDS, split.vocabulary_size)
    table = np.concatenate([np.arange(RESERVED_IDS), rng.permutation(words)]).astype(np.int32)
    train, test = split.x_train, split.x_test
    if split.public:
        counts = np.bincount(train.ravel(), minlength=split.vocabulary_size)
        counts[:RESERVED_IDS] = 0
        frequent = np.argsort(-counts)[:FREQUENT]
        length = train.shape[1] - split.spare
        train, test = (_thinned(rows, frequent, length, rng) for rows in (train, test))
    return replace(split, x_train=table[train], x_test=table[test])


def _thinned(rows: np.ndarray, words: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Returns rows (N, length): the last tokens of rows that have lost some occurrences of these words."""
    leave_out = np.isin(rows, words) & (rng.random(rows.shape) < LEFT_OUT)
    order = np.argsort(leave_out, axis=1, kind="stable")
    rows = np.take_along_axis(np.where(leave_out, 0, rows), order, axis=1)
    first = np.maximum((rows != 0).sum(axis=1, keepdims=True) - length, 0)
    return np.take_along_axis(rows, first + np.arange(length), axis=1)


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
