"""build_transformer: a classifier of the student's own with attention in it, trained and scored by the grader.

Positions are what the corpus of distant order asks for: self-attention without them, and a pooling over time behind it,
gives the same for every order of the words (Vaswani et al. 2017, arXiv:1706.03762, section 3.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Instance,
    Misconception,
    StudentError,
    Trial,
    holds,
    reaches_accuracy,
)
from autograder.checking.accuracy import check_parameters
from autograder.exercises.transformer.inputs import token_rows

_VOCABULARY = 500
_LENGTH = 40
_SAME = 1e-5
"""What rounding may make of one and the same probability."""


def _fresh(trial: Trial, vocabulary_size: int = _VOCABULARY, sequence_length: int = _LENGTH) -> Instance:
    return trial.probe.make(trial.exercise.symbol, vocabulary_size, sequence_length)


def _names(layers: Iterable[dict[str, Any]]) -> set[str]:
    return {name for layer in layers for name in (layer["class"], *layer["bases"])}


def _attends(trial: Trial) -> None:
    description = check_parameters(_fresh(trial))
    if not any("Attention" in name for name in _names(description["layers"])):
        raise Broken("There is no attention layer in the model.", "no-attention")


def _is_compiled(trial: Trial) -> None:
    if not _fresh(trial).describe()["compiled"]:
        raise Broken("The model that came back is not compiled.", "not-compiled")


def _gives_one_probability(trial: Trial) -> None:
    model = _fresh(trial)
    rows = token_rows(trial.rng, 24, _VOCABULARY, _LENGTH)
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


def _serves_other_vocabularies(trial: Trial) -> None:
    for vocabulary_size, length in ((3_100, 27), (700, 90)):
        model = _fresh(trial, vocabulary_size, length)
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


def _takes_shorter_rows(trial: Trial) -> None:
    model = _fresh(trial)
    rows = token_rows(trial.rng, 6, _VOCABULARY, _LENGTH)
    for length in (_LENGTH, 17, 4):
        try:
            found = model.predict(rows[:, :length])
        except StudentError as error:
            raise Broken(
                f"Built for {_LENGTH} tokens, it raised {error.kind} for rows of {length}.",
                *(("full-rows-only",) if length < _LENGTH else ()),
            ) from error
        if len(found) != 6:
            raise Broken(f"For 6 rows of {length} tokens the output has shape {found.shape}.")


def _awake(trial: Trial, rows: Array) -> Instance:
    """Returns a model that does not say the same of all rows: one that starts so is trained for a moment."""
    model = _fresh(trial)
    if np.ptp(model.predict(rows)) <= _SAME:
        labels = np.arange(640) % 2
        easy = token_rows(trial.rng, 640, _VOCABULARY, _LENGTH)
        easy[labels == 1, ::3] = 7
        model.fit(easy, labels, batch_size=64, epochs=3, validation=0.1, seed=int(trial.rng.integers(2**31)))
    return model


def _ignores_padding(trial: Trial) -> None:
    rows = token_rows(trial.rng, 32, _VOCABULARY, _LENGTH)
    rows[:, 12:] = 0
    model = _awake(trial, rows)
    try:
        shorter = [model.predict(rows[:, :length]) for length in (12, 15, 29)]
    except StudentError as error:
        raise Broken(f"It raised {error.kind} for rows shorter than {_LENGTH}.", "full-rows-only") from error
    found = model.predict(rows)
    for other in shorter:
        if other.shape != found.shape or float(np.abs(other - found).max()) > _SAME:
            raise Broken("With more padding behind them, the same words get other probabilities.", "padding-counts")


def _tells_orders_apart(trial: Trial) -> None:
    rows = token_rows(trial.rng, 64, _VOCABULARY, _LENGTH)
    model = _awake(trial, rows)
    shuffled = trial.rng.permuted(rows, axis=1)
    change = np.abs(model.predict(rows) - model.predict(shuffled)).max()
    if change <= _SAME / 5:
        raise Broken("The same words in another order get the same probability.", "no-positions")


def _reads_to_the_end(trial: Trial) -> None:
    rows = token_rows(trial.rng, 64, _VOCABULARY, _LENGTH)
    other = rows.copy()
    other[:, 20:] = token_rows(trial.rng, 64, _VOCABULARY, 20)
    model = _fresh(trial)
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


_INPUT = 'tokens = keras.Input((None,), dtype="int32")'
_EMBEDDING = "x = keras.layers.Embedding(vocabulary_size, 32, mask_zero=True)(tokens)"
_POSITIONS = "x = AddPositions(sequence_length)(x)"
_BLOCK = "x = TransformerEncoderBlock(num_heads=2, hidden_dim=64)(x)"
_POOLING = "x = keras.layers.GlobalAveragePooling1D()(x)"
_UNIT = 'keras.layers.Dense(1, activation="sigmoid")'
_LOSS = 'loss="binary_crossentropy"'

BUILD_TRANSFORMER = Exercise(
    symbol="build_transformer",
    checks=(
        holds(
            "has an attention layer and at most 5 million parameters",
            _attends,
            cost=4,
            hint="Looks at the class of every layer, nested ones included.",
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
            _serves_other_vocabularies,
            cost=1,
            hint="Built anew for a larger and a smaller vocabulary, with rows to match.",
        ),
        holds(
            "accepts any length up to sequence_length",
            _takes_shorter_rows,
            cost=1,
            hint="Built for 40 tokens, asked about rows of 40, 17 and 4.",
        ),
        holds(
            "gives the same when more padding follows",
            _ignores_padding,
            cost=1,
            hint="Twelve words, followed by 0, 3, 17 and 28 times padding.",
        ),
        holds(
            "tells one order of the words from another",
            _tells_orders_apart,
            hint="Takes no points by itself; it says why the accuracy is low.",
        ),
        holds(
            "reads to the end of a row",
            _reads_to_the_end,
            hint="Takes no points by itself; it says why the accuracy is low.",
        ),
        reaches_accuracy(
            "learns which of two distant words comes first",
            corpus="order",
            points=5,
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
            full=0.84,
            always=False,
            diagnose=_from_probabilities,
            hint="IMDb with 10,000 words and 200 tokens; only in runs that have the reviews.",
        ),
    ),
    misconceptions=(
        Misconception(
            "no-positions",
            "Your model gives the same for the same words in any order: nothing in it knows where a word stands, so "
            "that it can't learn which of two came first. See what attention does not see in section 3.1.",
            edit=((_POSITIONS + "  # (B, L, 32)\n", "# no positions\n"),),
        ),
        Misconception(
            "no-attention",
            "No layer of your model, and no layer inside one, is attention. The accuracy may be fine without; this "
            "assignment is about attention: see the contract in section 3.3.",
            edit=(
                (
                    _BLOCK,
                    "fed = keras.layers.Dense(32)(keras.layers.Dense(64, activation='relu')(x))\n"
                    "    x = keras.layers.LayerNormalization()(x + fed)",
                ),
            ),
        ),
        Misconception(
            "padding-counts",
            "The same words get another probability when more padding follows: somewhere padding is attended to, or "
            "averaged over. A mask has to come from the tokens and reach the block and the pooling: see section 3.2.",
            edit=((_EMBEDDING, "x = keras.layers.Embedding(vocabulary_size, 32)(tokens)"),),
        ),
        Misconception(
            "full-rows-only",
            "Your model refuses rows shorter than sequence_length: something in it needs all steps, a layer that "
            "flattens them, or positions for every one. See the contract in section 3.3.",
            edit=(
                (_INPUT, 'tokens = keras.Input((sequence_length,), dtype="int32")'),
                (_POOLING, "x = keras.layers.Flatten()(x)"),
            ),
        ),
        Misconception(
            "no-sigmoid",
            "Your model's outputs are not between 0 and 1: the last layer has no sigmoid, or the loss applies it "
            "(from_logits) and predict doesn't. See the contract in section 3.3.",
            edit=(
                (_UNIT, "keras.layers.Dense(1)"),
                (_LOSS, "loss=keras.losses.BinaryCrossentropy(from_logits=True)"),
            ),
        ),
        Misconception(
            "softmax-over-one-unit",
            "Your model says exactly 1 of every review: a softmax over a single unit always does. See the contract in "
            "section 3.3.",
            edit=(('activation="sigmoid"', 'activation="softmax"'),),
        ),
        Misconception(
            "two-output-units",
            "Your model gives two numbers per review, one per class. Section 3.3 asks for one, the probability that "
            "the review is positive.",
            edit=(
                (_UNIT, 'keras.layers.Dense(2, activation="softmax")'),
                (_LOSS, 'loss="sparse_categorical_crossentropy"'),
            ),
        ),
        Misconception(
            "output-per-step",
            "Your model gives a number for every token: nothing brings the time axis together. See the shapes in "
            "section 3.3.",
            edit=((_POOLING, "x = keras.layers.Dropout(0)(x)"),),
        ),
        Misconception(
            "not-compiled",
            "Your model comes back without optimizer and loss, so that it can't be trained. See the contract in "
            "section 3.3.",
            edit=(("    model.compile(", "    dict("),),
        ),
        Misconception(
            "vocabulary-size-hard-coded",
            "Your embedding has a fixed number of rows; with another vocabulary there are ids beyond it. See what the "
            "arguments mean in section 3.3.",
            edit=(("keras.layers.Embedding(vocabulary_size,", "keras.layers.Embedding(2_000,"),),
        ),
        Misconception(
            "sequence-length-hard-coded",
            "Your model has positions for a fixed length, whatever sequence_length says. See what the arguments mean "
            "in section 3.3.",
            edit=((_POSITIONS, "x = AddPositions(64)(x)"),),
        ),
        Misconception(
            "reads-only-the-beginning",
            "What stands at the end of a review changes nothing: your model cuts rows off. A word may stand anywhere, "
            "see the corpus in section 3.1.",
            edit=((_EMBEDDING, _EMBEDDING.replace("(tokens)", "(tokens[:, :8])")),),
        ),
    ),
    deadline=600.0,
)
