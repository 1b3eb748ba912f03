"""build_transformer: a classifier of the student's own with attention in it, trained and scored by the grader.

Positions are what the corpus of distant order asks for: self-attention without them, and a pooling over time behind it,
gives the same for every order of the words (Vaswani et al. 2017, arXiv:1706.03762, section 3.5).
"""

from __future__ import annotations

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Instance,
    Misconception,
    Split,
    StudentError,
    Trial,
    classifiers,
    holds,
    reaches_accuracy,
)
from autograder.checking.training import check_parameters, train

_SAME = 1e-5
"""What rounding may make of one and the same probability."""


def _attends(trial: Trial) -> None:
    description = check_parameters(classifiers.fresh(trial))
    if not any("Attention" in name for name in classifiers.class_names(description["layers"])):
        raise Broken("There is no attention layer in the model.", "no-attention")


def _takes_shorter_rows(trial: Trial) -> None:
    model = classifiers.fresh(trial)
    rows = classifiers.token_rows(trial.rng, 6)
    for length in (classifiers.LENGTH, 17, 4):
        try:
            found = model.predict(rows[:, :length])
        except StudentError as error:
            raise Broken(
                f"Built for {classifiers.LENGTH} tokens, it raised {error.kind} for rows of {length}.",
                *(("full-rows-only",) if length < classifiers.LENGTH else ()),
            ) from error
        if len(found) != 6:
            raise Broken(f"For 6 rows of {length} tokens the output has shape {found.shape}.")


def _awake(trial: Trial, rows: Array) -> Instance:
    """Returns a model that does not say the same of all rows: one that starts so is trained for a moment."""
    model = classifiers.fresh(trial)
    if np.ptp(model.predict(rows)) <= _SAME:
        labels = np.arange(640) % 2
        easy = classifiers.token_rows(trial.rng, 640)
        easy[labels == 1, ::3] = 7
        train(trial, model, easy, labels, epochs=3)
    return model


def _ignores_padding(trial: Trial) -> None:
    rows = classifiers.token_rows(trial.rng, 32)
    rows[:, 12:] = 0
    model = _awake(trial, rows)
    try:
        shorter = [model.predict(rows[:, :length]) for length in (12, 15, 29)]
    except StudentError as error:
        raise Broken(f"It raised {error.kind} for rows shorter than {classifiers.LENGTH}.", "full-rows-only") from error
    found = model.predict(rows)
    for other in shorter:
        if other.shape != found.shape or float(np.abs(other - found).max()) > _SAME:
            raise Broken("With more padding behind them, the same words get other probabilities.", "padding-counts")


def _trained(trial: Trial, model: Instance, split: Split) -> None:
    """Raises `Broken` if a trained model's answers change with more padding, or don't with the order of the words."""
    classifiers.heeds_order(trial, model, split, "no-positions")
    rows = split.x_test[split.x_test[:, -1] == 0][:500]  # many real reviews fill all places
    length = int(np.median((rows != 0).sum(axis=1)))
    short = rows[(rows[:, length:] == 0).all(axis=1)]
    if not np.abs(model.predict(short) - model.predict(short[:, :length])).max() <= 10 * _SAME:
        raise Broken(
            "The trained model gives the same words other probabilities when more padding follows.", "padding-counts"
        )


def _tells_orders_apart(trial: Trial) -> None:
    rows = classifiers.token_rows(trial.rng, 64)
    model = _awake(trial, rows)
    shuffled = trial.rng.permuted(rows, axis=1)
    change = np.abs(model.predict(rows) - model.predict(shuffled)).max()
    if change <= _SAME / 5:
        raise Broken("The same words in another order get the same probability.", "no-positions")


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
            "has an attention layer, and 500 to 5 million parameters",
            _attends,
            cost=4,
            hint="Looks at the class of every layer, nested ones included.",
        ),
        classifiers.is_compiled(),
        classifiers.gives_one_probability(),
        classifiers.serves_other_sizes(),
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
        classifiers.reads_to_the_end(),
        reaches_accuracy(
            "learns which of two distant words comes first",
            corpus="order",
            points=5,
            floor=0.75,
            full=0.99,
            diagnose=classifiers.from_probabilities,
            after=_trained,
            hint="Trained by the grader on 8,000 generated reviews, scored on 2,000 others.",
        ),
        reaches_accuracy(
            "learns from real reviews",
            corpus="imdb",
            points=2,
            floor=0.80,
            full=0.84,
            small=(0.70, 0.82),
            always=False,
            diagnose=classifiers.from_probabilities,
            after=_trained,
            hint="IMDb, only in runs that have it: all of it, 200 tokens each; without a GPU half of it, 128 tokens.",
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
                    "    x = keras.layers.LayerNormalization()(keras.layers.Add()([x, fed]))",
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
    deadline=900.0,
)
