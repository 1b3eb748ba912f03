"""build_sequence_cnn: a model of the student's own that reads reviews, trained and scored by the grader."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Generator,
    Instance,
    Misconception,
    StudentError,
    Trial,
    holds,
    reaches_accuracy,
)

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D")
"""Class names that make a layer recurrent, its own or one that it derives from."""


def _fresh(trial: Trial, vocabulary_size: int, sequence_length: int) -> Instance:
    return trial.probe.make(trial.exercise.symbol, vocabulary_size, sequence_length)


def _rows(rng: Generator, count: int, vocabulary_size: int, length: int) -> Array:
    return rng.integers(3, vocabulary_size, (count, length)).astype(np.int32)


def _names(layers: Iterable[dict[str, Any]]) -> set[str]:
    return {name for layer in layers for name in (layer["class"], *layer["bases"])}


def _is_a_compiled_convolution(trial: Trial) -> None:
    description = _fresh(trial, 500, 40).describe()
    names = _names(description["layers"])
    if found := sorted(name for name in names if name.endswith("Attention")):
        raise Broken(f"The model has attention in it: {', '.join(found)}.", "attention-used")
    if found := sorted(names.intersection(RECURRENT)):
        raise Broken(f"The model has recurrence in it: {', '.join(found)}.", "recurrence-used")
    widths = [max(layer["kernel_size"]) for layer in description["layers"] if layer["kernel_size"]]
    if not widths:
        raise Broken("There is no convolution in the model.", "no-convolution")
    if max(widths) < 2:
        raise Broken("All convolutions in the model have width 1.", "width-one-only")


def _is_compiled(trial: Trial) -> None:
    if not _fresh(trial, 500, 40).describe()["compiled"]:
        raise Broken("The model that came back is not compiled.", "not-compiled")


def _gives_one_probability(trial: Trial) -> None:
    model = _fresh(trial, 500, 40)
    rows = _rows(trial.rng, 24, 500, 40)
    for count in (24, 5):  # any batch size
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
        model = _fresh(trial, vocabulary_size, length)
        rows = _rows(trial.rng, 16, vocabulary_size, length)
        rows[:, ::2] = vocabulary_size - 1
        try:
            found = model.predict(rows)
        except StudentError as error:
            raise Broken(
                f"Built for {vocabulary_size:,} ids and {length} tokens, it raised {error.kind}.",
                _hard_coded(model, length),
            ) from error
        if found.shape != (16, 1):
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
    return "vocabulary-size-hard-coded"


def _reads_to_the_end(trial: Trial) -> None:
    model = _fresh(trial, 500, 40)
    rows = _rows(trial.rng, 64, 500, 40)
    other = rows.copy()
    other[:, 20:] = _rows(trial.rng, 64, 500, 20)
    if np.array_equal(model.predict(rows), model.predict(other)):
        raise Broken("Other words in the second half of the rows change nothing.", "reads-only-the-beginning")


def _from_probabilities(probabilities: Array) -> str | None:
    if probabilities.ndim == 2 and probabilities.shape[1] == 2:
        return "two-output-units"
    if probabilities.ndim == 3:
        return "output-per-step"
    if probabilities.min() < 0.0 or probabilities.max() > 1.0:
        return "no-sigmoid"
    if (probabilities == 1.0).all():
        return "softmax-over-one-unit"
    return None


BUILD_SEQUENCE_CNN = Exercise(
    symbol="build_sequence_cnn",
    checks=(
        holds(
            "has a convolution of width 2 or more, and neither attention nor recurrence",
            _is_a_compiled_convolution,
            cost=3,
            hint="Looks at the class and the kernel_size of every layer, nested ones included.",
        ),
        holds("is compiled", _is_compiled, cost=0.5),
        holds(
            "gives one probability for each row",
            _gives_one_probability,
            cost=0.5,
            hint="24 rows, then 5, before any training.",
        ),
        holds(
            "serves other vocabularies and lengths",
            _serves_other_sizes,
            cost=1,
            hint="Built anew for a larger and a smaller vocabulary, with rows to match.",
        ),
        holds(
            "reads to the end of a row",
            _reads_to_the_end,
            hint="Takes no points by itself; it says why the accuracy is low.",
        ),
        reaches_accuracy(
            "learns what phrases say",
            corpus="phrases",
            points=4,
            floor=0.75,
            full=0.95,
            diagnose=_from_probabilities,
            hint="Trained by the grader on 8,000 generated reviews, scored on 2,000 others.",
        ),
        reaches_accuracy(
            "learns from real reviews",
            corpus="imdb",
            points=2,
            floor=0.80,
            full=0.85,
            always=False,
            diagnose=_from_probabilities,
            hint="IMDb with 10,000 words and 200 tokens; only in runs that have the reviews.",
        ),
    ),
    misconceptions=(
        Misconception(
            "no-sigmoid",
            "Your model's outputs are not between 0 and 1: the last layer has no sigmoid, or the loss applies it "
            "(from_logits) and predict doesn't. See the last line of the contract in section 7.",
            edit=(
                ('keras.layers.Dense(1, activation="sigmoid")', "keras.layers.Dense(1)"),
                ('loss="binary_crossentropy"', "loss=keras.losses.BinaryCrossentropy(from_logits=True)"),
            ),
        ),
        Misconception(
            "softmax-over-one-unit",
            "Your model says exactly 1 of every review: a softmax over a single unit always does. See the last line "
            "of the contract in section 7.",
            edit=(('activation="sigmoid"', 'activation="softmax"'),),
        ),
        Misconception(
            "two-output-units",
            "Your model gives two numbers per review, one per class. Section 7 asks for one, the probability that the "
            "review is positive.",
            edit=(
                ('keras.layers.Dense(1, activation="sigmoid")', 'keras.layers.Dense(2, "softmax")'),
                ('loss="binary_crossentropy"', 'loss="sparse_categorical_crossentropy"'),
            ),
        ),
        Misconception(
            "output-per-step",
            "Your model gives a number for every token: nothing brings the time axis together. See the shapes in "
            "section 7.",
            edit=(("    x = keras.layers.GlobalMaxPooling1D()(x)", "    x = keras.layers.Dropout(0)(x)"),),
        ),
        Misconception(
            "width-one-only",
            "All your convolutions have width 1: each sees one word at a time, and a word alone does not say whether "
            "it was negated. See what a bag of words misses in section 7.",
            edit=(("keras.layers.Conv1D(64, 3,", "keras.layers.Conv1D(64, 1,"),),
        ),
        Misconception(
            "no-convolution",
            "There is no convolution in your model: it averages or maximises over single words. See what a bag of "
            "words misses in section 7.",
            edit=(
                (
                    'keras.layers.Conv1D(64, 3, padding="same", activation="relu")',
                    'keras.layers.Dense(64, activation="relu")',
                ),
            ),
        ),
        Misconception(
            "recurrence-used",
            "There is a recurrent layer in your model. It may learn the task, but this assignment is about "
            "convolution: see the contract in section 7.",
            edit=(
                (
                    'keras.layers.Conv1D(64, 3, padding="same", activation="relu")',
                    "keras.layers.GRU(8, return_sequences=True)",
                ),
            ),
        ),
        Misconception(
            "attention-used",
            "There is an attention layer in your model. It comes in a later assignment; this one is about "
            "convolution: see the contract in section 7.",
            edit=(
                (
                    "    x = keras.layers.GlobalMaxPooling1D()(x)",
                    "    x = keras.layers.MultiHeadAttention(1, 8)(x, x)\n    x = keras.layers.GlobalMaxPooling1D()(x)",
                ),
            ),
        ),
        Misconception(
            "not-compiled",
            "Your model comes back without optimizer and loss, so that it can't be trained. See the first line of the "
            "contract in section 7.",
            edit=(("    model.compile(", "    dict("),),
        ),
        Misconception(
            "vocabulary-size-hard-coded",
            "Your embedding has a fixed number of rows; with another vocabulary there are ids beyond it. See what the "
            "arguments mean in section 7.",
            edit=(("keras.layers.Embedding(vocabulary_size,", "keras.layers.Embedding(2_000,"),),
        ),
        Misconception(
            "sequence-length-hard-coded",
            "Your model takes rows of a fixed length, whatever sequence_length says. See what the arguments mean in "
            "section 7.",
            edit=(("keras.Input((sequence_length,)", "keras.Input((64,)"),),
        ),
        Misconception(
            "reads-only-the-beginning",
            "What stands at the end of a review changes nothing: your model cuts rows off. A phrase may stand "
            "anywhere, see the corpus in section 7.",
            edit=(
                ("    x = keras.layers.GlobalMaxPooling1D()(x)", "    x = keras.layers.GlobalMaxPooling1D()(x[:, :8])"),
            ),
        ),
    ),
    deadline=300.0,
)
