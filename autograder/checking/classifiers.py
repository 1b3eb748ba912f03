"""What every classifier of token ids promises before it is trained: compiled, one probability a row, any vocabulary.

The misconceptions that these checks name (`two-output-units`, `vocabulary-size-hard-coded` and so on) are the
exercise's own, since their hints point into its notebook.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograder.checking import training
from autograder.checking.checks import holds
from autograder.checking.compare import Array
from autograder.checking.exercise import Broken, Check, Split, Trial
from autograder.checking.probe import Instance, StudentError
from autograder.checking.seeds import Generator

VOCABULARY = 500
LENGTH = 40
"""What a classifier is built for unless a check says otherwise."""


def fresh(trial: Trial, vocabulary_size: int = VOCABULARY, sequence_length: int = LENGTH) -> Instance:
    """Returns an untrained model from the student's builder."""
    return training.fresh(trial, vocabulary_size, sequence_length)


def token_rows(rng: Generator, count: int, vocabulary_size: int = VOCABULARY, length: int = LENGTH) -> Array:
    """Returns rows of words (count, length) without padding."""
    return rng.integers(3, vocabulary_size, (count, length)).astype(np.int32)


def class_names(layers: Iterable[dict[str, Any]]) -> set[str]:
    """Returns the names of the layers' classes and of all they derive from."""
    return {name for layer in layers for name in (layer["class"], *layer["bases"])}


def is_compiled(*sizes: int) -> Check:
    """A gate: the model that the builder returns for these sizes has an optimizer and a loss."""

    def run(trial: Trial) -> None:
        if not fresh(trial, *sizes).describe()["compiled"]:
            raise Broken("The model that came back is not compiled.", "not-compiled")

    return holds("is compiled", run, cost=0.5, hint="Optimizer and loss are there.")


def gives_one_probability() -> Check:
    """A gate: (B, 1) finite numbers for any number of rows B, and not all of them 1."""
    return holds(
        "gives one probability for each row",
        _gives_one_probability,
        cost=0.5,
        hint="24 rows, then 5, before any training.",
    )


def serves_other_sizes() -> Check:
    """A gate: the builder heeds its vocabulary_size and sequence_length."""
    return holds(
        "serves other vocabularies and lengths",
        _serves_other_sizes,
        cost=1,
        hint="Built anew for a larger and a smaller vocabulary, with rows to match.",
    )


def reads_to_the_end() -> Check:
    """A gate: the end of a row changes something, whatever accuracy the beginning alone may reach."""
    return holds(
        "reads to the end of a row",
        _reads_to_the_end,
        cost=1,
        hint="Other words in the second half of the rows; some answer has to change.",
    )


def heeds_order(trial: Trial, model: Instance, split: Split, misconception: str) -> None:
    """Raises `Broken` if a trained classifier says the same of a row whatever the order of its words."""
    rows = split.x_test[:200]
    shuffled = rows.copy()
    for row in shuffled:
        row[row != 0] = trial.rng.permutation(row[row != 0])
    if not np.abs(model.predict(rows) - model.predict(shuffled)).max() > 1e-4:
        raise Broken("The trained model gives the same words in another order the same probability.", misconception)


def from_probabilities(probabilities: Array) -> str | None:
    """Names the misconception behind a trained classifier's test probabilities, if they show one."""
    if probabilities.ndim == 2 and probabilities.shape[1] == 2:
        return "two-output-units"
    if probabilities.ndim == 3:
        return "output-per-step"
    if probabilities.min() < 0.0 or probabilities.max() > 1.0:
        return "no-sigmoid"
    if (probabilities == 1.0).all():
        return "softmax-over-one-unit"
    return None


def _gives_one_probability(trial: Trial) -> None:
    model = fresh(trial)
    rows = token_rows(trial.rng, 24)
    for count in (24, 5):
        found = model.predict(rows[:count])
        if found.shape != (count, 1):
            names = ("two-output-units",) if found.shape == (count, 2) else ()
            names = names or (("output-per-step",) if found.ndim == 3 else ())
            raise Broken(f"For {count} rows the model's output has shape {found.shape}, expected ({count}, 1).", *names)
        if not np.isfinite(found).all():
            raise Broken("The model's outputs are not all finite numbers.")
        if (found == 1.0).all():
            raise Broken("The model says exactly 1 of every row.", "softmax-over-one-unit")


def _serves_other_sizes(trial: Trial) -> None:
    for vocabulary_size, length in ((3_100, 27), (700, 90)):
        model = fresh(trial, vocabulary_size, length)
        rows = token_rows(trial.rng, 16, vocabulary_size, length)
        rows[:, ::2] = vocabulary_size - 1
        try:
            found = model.predict(rows)
        except StudentError as error:
            raise Broken(
                f"Built for {vocabulary_size:,} ids and {length} tokens, it raised {error.kind}.",
                _hard_coded(model, length),
            ) from error
        if len(found) != 16:
            raise Broken(f"For 16 rows of {length} tokens the output has shape {found.shape}.")
        rows[:, ::2] = vocabulary_size - 2
        if np.array_equal(found, model.predict(rows)):
            raise Broken(
                f"Built for {vocabulary_size:,} ids, it does not tell the last two apart.", "vocabulary-size-hard-coded"
            )


def _hard_coded(model: Instance, length: int) -> str:
    shape = model.describe()["input_shape"] or [None, None]
    if len(shape) > 1 and shape[1] not in (None, length):
        return "sequence-length-hard-coded"
    try:
        model.predict(np.full((2, length), 3, np.int32))  # an id that every vocabulary has
    except StudentError:
        return "sequence-length-hard-coded"
    return "vocabulary-size-hard-coded"


def _reads_to_the_end(trial: Trial) -> None:
    model = fresh(trial)
    rows = token_rows(trial.rng, 64)
    other = rows.copy()
    half = LENGTH // 2
    other[:, half:] = token_rows(trial.rng, 64, VOCABULARY, LENGTH - half)
    if np.array_equal(model.predict(rows), model.predict(other)):
        raise Broken("Other words in the second half of the rows change nothing.", "reads-only-the-beginning")
