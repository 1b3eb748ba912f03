"""build_gpt: a language model of the student's own, trained by the grader to sort letters.

Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training", and Radford et al. 2019, "Language
Models are Unsupervised Multitask Learners", made language models of the Transformer's decoder alone. The task is that
of Karpathy's minGPT (demo.ipynb), whose sorting model https://bbycroft.net/llm walks through.
"""

from __future__ import annotations

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
    classifiers,
    holds,
)
from autograder.checking.sorting import CONTEXT, IGNORED, LETTERS, SYMBOLS, Sorting, logits_of, shifted, sorts_letters
from autograder.checking.training import BATCH_SIZE, fresh, train

LEAK = 1e-3
"""How much an earlier logit may move, in parts of the logits' spread: float32 moves them by less than 1e-5."""


def _rows(rng: Generator, count: int, vocabulary_size: int, length: int) -> Array:
    return rng.integers(0, vocabulary_size, (count, length)).astype(np.int32)


def _other_tokens(rng: Generator, rows: Array, vocabulary_size: int) -> Array:
    """Returns a different token in every place."""
    return ((rows + rng.integers(1, vocabulary_size, rows.shape)) % vocabulary_size).astype(np.int32)


def _looks_back_only(rng: Generator, model: Instance, vocabulary_size: int, length: int) -> None:
    """Raises `Broken` if logits change with later tokens, or don't change with any earlier one."""
    rows = _rows(rng, 16, vocabulary_size, length)
    other = _other_tokens(rng, rows, vocabulary_size)
    logits = logits_of(model, rows, vocabulary_size)
    allowed = LEAK * float(logits.std()) + 1e-6
    for start in (1, length // 2, length - 1):
        later = rows.copy()
        later[:, start:] = other[:, start:]
        moved = np.abs(logits_of(model, later, vocabulary_size) - logits)[:, :start].max(axis=(0, 2))
        if (moved > allowed).any():
            where = int(np.argmax(moved > allowed))
            raise Broken(
                f"Other tokens from position {start} on change the logits at position {where}, which stands before "
                "them.",
                "not-causal",
            )
    earlier = rows.copy()
    earlier[:, :-1] = other[:, :-1]
    if np.array_equal(logits_of(model, earlier, vocabulary_size)[:, -1], logits[:, -1]):
        raise Broken("Other tokens before the last position don't change the logits there.", "tokens-do-not-meet")


def _gives_logits(trial: Trial) -> None:
    model = fresh(trial, 13, 9)
    rows = _rows(trial.rng, 17, 13, 9)
    for count in (17, 5):  # any batch size
        found = logits_of(model, rows[:count], 13)
        if (found >= 0).all() and np.allclose(found.sum(axis=-1), 1.0, atol=1e-3):
            raise Broken(
                "At every position the outputs are positive and sum to 1: probabilities.", "probabilities-for-logits"
            )


def _serves_other_sizes(trial: Trial) -> None:
    for vocabulary_size, length in ((30, 7), (5, 23)):
        model = fresh(trial, vocabulary_size, length)
        rows = _rows(trial.rng, 6, vocabulary_size, length)
        rows[:, ::2] = vocabulary_size - 1
        try:
            found = model.predict(rows)
        except StudentError as error:
            raise Broken(
                f"Built for {vocabulary_size} tokens and a context of {length}, it raised {error.kind}.",
                _hard_coded(model, vocabulary_size, length),
            ) from error
        if found.shape != (6, length, vocabulary_size):
            raise Broken(
                f"Built for {vocabulary_size} tokens and a context of {length}, its output has shape {found.shape}.",
                _hard_coded(model, vocabulary_size, length),
            )


def _hard_coded(model: Instance, vocabulary_size: int, length: int) -> str:
    shapes = model.describe()
    into, out = (shapes[name] or [None] for name in ("input_shape", "output_shape"))
    if len(into) > 1 and into[1] not in (None, length):
        return "context-length-hard-coded"
    return "last-position-only" if len(out) == 2 else "vocabulary-size-hard-coded"


def _is_causal(trial: Trial) -> None:
    _looks_back_only(trial.rng, fresh(trial, 13, 9), 13, 9)


def _ignores_targets(trial: Trial) -> None:
    vocabulary_size, length = 13, 9
    model = fresh(trial, vocabulary_size, length)
    rows = _rows(trial.rng, 10 * BATCH_SIZE, vocabulary_size, length)
    before = logits_of(model, rows[:16], vocabulary_size)
    try:
        train(trial, model, rows, np.full_like(rows, IGNORED), epochs=1)
    except StudentError as error:
        message = f"Trained with targets of -1 it raised {error.kind}: {error.detail[:300]}"
        raise Broken(message, "refuses-minus-one") from error
    after = model.predict(rows[:16])
    if not np.isfinite(after).all():
        raise Broken("Trained on targets of -1 alone, the model gives NaN.", "nothing-over-nothing")
    moved = float(np.abs(after - before).max())
    if moved > 1e-2 * float(before.std()) + 1e-4:  # weight decay moves it by less
        raise Broken(
            f"Trained on targets of -1 alone, the model's logits moved by up to {moved:.2g}.", "learns-from-minus-one"
        )


def _can_be_trained(trial: Trial, model: Instance) -> None:
    """Raises `Broken` where training would be in vain, or its result not what it seems."""
    description = model.describe()
    if not description["compiled"]:
        raise Broken("The model that came back is not compiled.", "not-compiled")
    _looks_back_only(trial.rng, model, SYMBOLS, CONTEXT)


def _from_the_trained_model(model: Instance, task: Sorting) -> str | None:
    rows, targets = shifted(task.letters[:200], task.ordered[:200])
    same = np.repeat(rows[:, :1], rows.shape[1], axis=1)  # rows of one letter: only their place tells tokens apart
    logits = logits_of(model, same, SYMBOLS)
    if np.abs(logits - logits[:, :1]).max() < 1e-3 * logits.std():
        return "no-positions"
    chosen = logits_of(model, rows, SYMBOLS).argmax(axis=-1)[:, LETTERS - 1 : -1]
    if (chosen == targets[:, LETTERS:]).mean() > 0.8 > (chosen == targets[:, LETTERS - 1 : -1]).mean():
        return "shifted-twice"
    return None


_LOSS = "keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)"
_SPARSE = "keras.losses.sparse_categorical_crossentropy"

BUILD_GPT = Exercise(
    symbol="build_gpt",
    checks=(
        classifiers.is_compiled(13, 9),
        holds(
            "gives logits for every position",
            _gives_logits,
            cost=0.5,
            hint="17 rows, then 5, before any training: (B, context_length, vocabulary_size), and no softmax.",
        ),
        holds(
            "serves other vocabularies and contexts",
            _serves_other_sizes,
            cost=1,
            hint="Built anew for a larger and a smaller vocabulary, a shorter and a longer context.",
        ),
        holds(
            "looks back and never ahead",
            _is_causal,
            cost=1,
            hint="Other tokens from some position on; then other tokens before the last. Again after training.",
        ),
        holds(
            "learns nothing from targets of -1",
            _ignores_targets,
            cost=1,
            hint="Nine batches whose targets are all -1.",
        ),
        sorts_letters(
            "sorts letters that it has not seen",
            points=7,
            floor=0.5,
            full=0.99,
            before=_can_be_trained,
            diagnose=_from_the_trained_model,
            hint="Trained by the grader on 16,000 rows; 1,000 others sorted, and right only if all six letters are.",
        ),
    ),
    misconceptions=(
        Misconception(
            "not-causal",
            "Your model looks ahead: at a position it sees the very token that it is to predict. In training it "
            "copies, and when it has to write by itself there is nothing to copy. See section 2.2.",
            edit=(("use_causal_mask=True", "use_causal_mask=False"),),
        ),
        Misconception(
            "tokens-do-not-meet",
            "What your model says at a position depends on the token there alone: nothing brings the earlier ones in. "
            "See what a block is made of in section 2.2.",
            edit=(("x = x + attention(normed, normed, use_causal_mask=True)", "x = x + normed"),),
        ),
        Misconception(
            "no-positions",
            "Your trained model treats a row of equal letters alike at every place: it does not know where a token "
            "stands, and so not how many it has put in order already. See the second line of the table in section "
            "2.2.",
            edit=(("x = Positions()(x)", "pass"),),
        ),
        Misconception(
            "shifted-twice",
            "Your trained model names not the next letter but the one after it: the targets that come in are shifted "
            "by one already, and your loss shifts them again. See the picture in section 2.1.",
            edit=(
                (
                    _LOSS,
                    f"lambda t, p: {_LOSS}(t[:, 1:], p[:, :-1])",
                ),
            ),
        ),
        Misconception(
            "refuses-minus-one",
            "Your loss takes the target -1 for a class and fails. Section 2.2 says what such a target means.",
            edit=((", ignore_class=-1", ""),),
        ),
        Misconception(
            "learns-from-minus-one",
            "Your loss takes the target -1 for a token, it seems, and your model learns to predict that one where "
            "there is nothing to know. Section 2.2 says what such a target means.",
            edit=((_LOSS, f"lambda t, p: {_SPARSE}(ops.maximum(t, 0), p, from_logits=True)"),),
        ),
        Misconception(
            "nothing-over-nothing",
            "Your loss divides by the number of targets that count, and in a batch without any that is 0/0: from then "
            "on everything is NaN. See section 2.2.",
            edit=(
                (
                    _LOSS,
                    "lambda t, p: ops.sum(\n"
                    '        ops.cast(t >= 0, "float32")\n'
                    f"        * {_SPARSE}(ops.maximum(t, 0), p, from_logits=True)\n"
                    '    ) / ops.sum(ops.cast(t >= 0, "float32"))',
                ),
            ),
        ),
        Misconception(
            "probabilities-for-logits",
            "Your model ends in a softmax; section 2.2 asks for logits, and a loss that is told so.",
            edit=(
                (
                    "logits = keras.layers.Dense(vocabulary_size)",
                    'logits = keras.layers.Dense(vocabulary_size, "softmax")',
                ),
                ("from_logits=True", "from_logits=False"),
            ),
        ),
        Misconception(
            "last-position-only",
            "Your model gives the logits of one position. In training every position predicts the token after it, so "
            "that one row is many lessons: see the shapes in section 2.2.",
            edit=(("(x)  # (B, T, V)", "(x[:, -1])"),),
        ),
        Misconception(
            "not-compiled",
            "Your model comes back without optimizer and loss, so that it can't be trained. See section 2.2.",
            edit=(("    model.compile(", "    dict("),),
        ),
        Misconception(
            "vocabulary-size-hard-coded",
            "Your model knows a fixed number of tokens, whatever vocabulary_size says. See section 2.2.",
            edit=(
                ("keras.layers.Embedding(vocabulary_size,", "keras.layers.Embedding(7,"),
                ("keras.layers.Dense(vocabulary_size)", "keras.layers.Dense(7)"),
            ),
        ),
        Misconception(
            "context-length-hard-coded",
            "Your model takes rows of a fixed length, whatever context_length says. See section 2.2.",
            edit=(("keras.Input((context_length,)", "keras.Input((12,)"),),
        ),
    ),
    deadline=300.0,
)
