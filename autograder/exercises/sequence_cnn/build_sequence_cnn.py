"""build_sequence_cnn: a model of the student's own that reads reviews, trained and scored by the grader."""

from __future__ import annotations

from autograder.checking import (
    Broken,
    Exercise,
    Instance,
    Misconception,
    Split,
    Trial,
    classifiers,
    holds,
    reaches_accuracy,
)

RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D")
"""Class names that make a layer recurrent, its own or one that it derives from."""


def _convolves(trial: Trial) -> None:
    description = classifiers.fresh(trial).describe()
    names = classifiers.class_names(description["layers"])
    if found := sorted(name for name in names if name.endswith("Attention")):
        raise Broken(f"The model has attention in it: {', '.join(found)}.", "attention-used")
    if found := sorted(names.intersection(RECURRENT)):
        raise Broken(f"The model has recurrence in it: {', '.join(found)}.", "recurrence-used")
    widths = [max(layer["kernel_size"]) for layer in description["layers"] if layer["kernel_size"]]
    if not widths:
        raise Broken("There is no convolution in the model.", "no-convolution")
    if max(widths) < 2:
        raise Broken("All convolutions in the model have width 1.", "width-one-only")


def _trained(trial: Trial, model: Instance, split: Split) -> None:
    classifiers.heeds_order(trial, model, split, "width-one-only")


BUILD_SEQUENCE_CNN = Exercise(
    symbol="build_sequence_cnn",
    checks=(
        holds(
            "has a convolution of width 2 or more, and neither attention nor recurrence",
            _convolves,
            cost=3,
            hint="Looks at the class and the kernel_size of every layer, nested ones included.",
        ),
        classifiers.is_compiled(),
        classifiers.gives_one_probability(),
        classifiers.serves_other_sizes(),
        classifiers.reads_to_the_end(),
        reaches_accuracy(
            "learns what phrases say",
            corpus="phrases",
            points=4,
            floor=0.75,
            full=0.95,
            diagnose=classifiers.from_probabilities,
            hint="Trained by the grader on 8,000 generated reviews, scored on 2,000 others.",
        ),
        reaches_accuracy(
            "learns from real reviews",
            corpus="imdb",
            points=2,
            floor=0.80,
            full=0.83,
            small=(0.70, 0.77),
            always=False,
            diagnose=classifiers.from_probabilities,
            after=_trained,
            hint="IMDb, only in runs that have it: all of it, 200 tokens each; without a GPU half of it, 128 tokens.",
        ),
    ),
    misconceptions=(
        Misconception(
            "no-sigmoid",
            "Your model's outputs are not between 0 and 1: nothing brings them there, or only the loss does "
            "(from_logits), which predict never calls. See the last point of the exercise in section 7.",
            edit=(
                ('keras.layers.Dense(1, activation="sigmoid")', "keras.layers.Dense(1)"),
                ('loss="binary_crossentropy"', "loss=keras.losses.BinaryCrossentropy(from_logits=True)"),
            ),
        ),
        Misconception(
            "softmax-over-one-unit",
            "Your model says exactly 1 of every review: a softmax over a single unit always does. See the last "
            "point of the exercise in section 7.",
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
            "convolution: see the third point of the exercise in section 7.",
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
            "convolution: see the third point of the exercise in section 7.",
            edit=(
                (
                    "    x = keras.layers.GlobalMaxPooling1D()(x)",
                    "    x = keras.layers.MultiHeadAttention(1, 8)(x, x)\n    x = keras.layers.GlobalMaxPooling1D()(x)",
                ),
            ),
        ),
        Misconception(
            "not-compiled",
            "Your model comes back without optimizer and loss, so that it can't be trained. See the first point of "
            "the exercise in section 7.",
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
