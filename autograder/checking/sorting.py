"""The sorting task: the grader trains a language model on letters and their order, and lets it sort others.

A row is some letters followed by the same letters in order, so that a model which predicts the next token of such rows
sorts. It is the task of Karpathy's minGPT (demo.ipynb) and of the model that https://bbycroft.net/llm walks through.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.checking.exercise import Broken, Check, Trial
from autograder.checking.probe import Instance
from autograder.checking.training import answers, fresh, too_much, train_and_check

CORPUS = "letters"
SYMBOLS = 8
"""Letters of the alphabet: the tokens 0 to 7."""
LETTERS = 6
"""Letters of a row, drawn with repetition."""
CONTEXT = 2 * LETTERS - 1
"""Tokens of a row without the last, which nothing comes after."""
IGNORED = -1
"""The target of a position whose next token can't be known: there is nothing to learn."""
ROWS = 16_000
"""Rows to train on: 6 % of those that there are."""
EPOCHS = 5
CHANCE = 0.0
"""What guessing sorts."""
UNSEEN = 1_000
"""Rows to sort; none of them is among those trained on."""
PARTS = 3
"""In so many parts rows are asked about: those to sort, and one that shows what a model knows before training."""


@dataclass(frozen=True)
class Sorting:
    """Rows to train on, and letters to sort.

    Attributes:
        x_train: (N, CONTEXT) letters and all but the last of the same letters in order.
        y_train: (N, CONTEXT) the token that follows each of x_train; IGNORED before the last unsorted letter.
        letters: (M, LETTERS) unseen.
        ordered: (M, LETTERS) the same in order; never leaves the grader.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    letters: np.ndarray
    ordered: np.ndarray


def sorting(rng: np.random.Generator) -> Sorting:
    """Returns the task for an alphabet whose order is drawn anew."""
    alphabet = rng.permutation(SYMBOLS)  # the tokens in their order
    ranks = rng.integers(0, SYMBOLS, (ROWS, LETTERS))
    x_train, y_train = shifted(alphabet[ranks], alphabet[np.sort(ranks)])
    other = rng.integers(0, SYMBOLS, (3 * UNSEEN, LETTERS))
    seen = np.isin(_number(other), _number(ranks))
    other = other[~seen][: UNSEEN * PARTS // (PARTS - 1)]
    return Sorting(x_train, y_train, alphabet[other], alphabet[np.sort(other)])


def shifted(letters: np.ndarray, ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs and targets (N, CONTEXT): the target of each token is the next one, where it can be known."""
    rows = np.concatenate([letters, ordered], axis=1).astype(np.int32)
    targets = rows[:, 1:].copy()
    targets[:, : letters.shape[1] - 1] = IGNORED
    return rows[:, :-1], targets


def _number(ranks: np.ndarray) -> np.ndarray:
    """Returns one number for each row of letters."""
    return ranks @ SYMBOLS ** np.arange(LETTERS)


def sorts_letters(
    name: str,
    *,
    points: float,
    floor: float,
    full: float,
    before: Callable[[Trial, Instance], None],
    diagnose: Callable[[Instance, Sorting], str | None] = lambda model, task: None,
    hint: str = "",
) -> Check:
    """A check that the student's builder makes a model that learns to sort.

    The grader trains it and then decodes by itself: it asks for logits, takes the largest at the last token, appends
    it and asks again. What the model is asked to sort it has not seen, and the sorted rows stay with the grader.

    Args:
        name: what holds, as a sentence.
        points: points at and above `full`.
        floor: share of rows sorted exactly up to which nothing is earned; points rise linearly from there.
        full: share from which all points are earned.
        before: raises `Broken` where the model can't be trained for this, before and again after training.
        diagnose: names the misconception behind a trained model, if it recognises one.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> str:
        learned = learn(trial, before)
        model, task, exact = learned.model, learned.task, learned.exact
        fraction = float(np.clip((exact - floor) / (full - floor), 0.0, 1.0))
        reached = f"The trained model sorted {exact:.1%} of {UNSEEN:,} unseen rows exactly"
        if fraction and learned.untrained >= too_much(CHANCE, floor):
            raise Broken(
                f"{reached}, and {learned.untrained:.1%} with the weights from before training: what it knows is not "
                "in its weights."
            )
        if fraction < 1.0:
            misconception = diagnose(model, task)
            raise Broken(
                f"{reached}; points rise from {floor:.0%} to {full:.0%}.",
                *((misconception,) if misconception else ()),
                fraction=fraction,
            )
        return f"{reached}."

    return Check(name, run, points=points, hint=hint, trains=True, thresholds={CORPUS: (floor, full)})


@dataclass(frozen=True)
class Learned:
    """A trained model, and how well it sorts.

    Attributes:
        model: trained.
        task: what it was trained on.
        exact: the share of the unseen letters that it puts in order without a mistake.
        untrained: the same with the weights from before training.
    """

    model: Instance
    task: Sorting
    exact: float
    untrained: float


def learn(trial: Trial, before: Callable[[Trial, Instance], None]) -> Learned:
    """Builds the student's model, trains it on a task drawn anew and lets it sort.

    Args:
        trial: draws the task.
        before: raises `Broken` where the model can't be trained for this, before and again after training.

    Raises:
        Broken: the model can't be graded, or training did nothing.
        StudentError: the student's code raised.
    """
    task = sorting(trial.rng)
    trial.probe.seed(int(trial.rng.integers(2**31)))
    model = fresh(trial, SYMBOLS, CONTEXT)
    before(trial, model)
    weights = train_and_check(trial, model, task.x_train, task.y_train, EPOCHS)
    before(trial, model)
    parts, ordered = np.array_split(task.letters, PARTS), np.array_split(task.ordered, PARTS)
    found, part = answers(trial, model, weights, parts, lambda letters: decoded(model, letters))
    exact = [float((rows == right).all(axis=1).mean()) for rows, right in zip(found, ordered, strict=True)]
    untrained = exact.pop(part)
    return Learned(model, task, float(np.mean(exact)), untrained)


def decoded(model: Instance, letters: np.ndarray) -> np.ndarray:
    """Returns the greedy continuation of the letters (N, LETTERS) by as many tokens."""
    rows = np.zeros((len(letters), CONTEXT), np.int32)
    rows[:, :LETTERS] = letters
    found = np.zeros_like(letters)
    for step in range(LETTERS):
        last = LETTERS - 1 + step
        found[:, step] = logits_of(model, rows, SYMBOLS)[:, last].argmax(axis=-1)
        if last + 1 < CONTEXT:
            rows[:, last + 1] = found[:, step]
    return found


def logits_of(model: Instance, rows: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """Returns the model's logits (B, T, V) for rows (B, T).

    Raises:
        Broken: they are not (B, T, V) finite numbers.
    """
    found = model.predict(rows)
    wanted = (*rows.shape, vocabulary_size)
    if found.shape != wanted:
        names = ("last-position-only",) if found.shape == (len(rows), vocabulary_size) else ()
        raise Broken(f"For rows {rows.shape} the model's output has shape {found.shape}, expected {wanted}.", *names)
    if found.dtype.kind != "f" or not np.isfinite(found).all():
        raise Broken("The model's outputs are not all finite numbers.")
    return found
