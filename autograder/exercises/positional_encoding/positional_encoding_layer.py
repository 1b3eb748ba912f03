"""PositionalEncoding: a layer that adds the table to a batch of sequences.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Check,
    Exercise,
    Formula,
    Generator,
    Misconception,
    StudentError,
    Trial,
    agrees,
    compare,
    holds,
    named,
    needs_known_sizes,
    right_on,
    survives_config,
    traces,
)
from autograder.checking.checks import expect
from autograder.checking.layers import HALF
from autograder.exercises.positional_encoding.inputs import (
    ENCODING,
    EncodedCase,
    off_centre,
    passes_mask,
    refuses_longer,
    sizes,
)
from autograder.exercises.positional_encoding.positional_encoding import positional_encoding


def encoded(x: Array, *, max_length: int) -> Array:
    """Returns x + PE[:T], x (B, T, D)."""
    _, T, D = x.shape
    return x + positional_encoding(max_length, D)[:T]


def _layer(rng: Generator) -> EncodedCase:
    """Returns a layer that allows for more steps than come."""
    B, T, D = sizes(rng)
    return EncodedCase({"max_length": T + int(rng.integers(3, 9))}, {}, (off_centre(rng, B, T, D),))


def _full(rng: Generator) -> EncodedCase:
    """Returns a layer on sequences of exactly max_length."""
    B, T, D = sizes(rng)
    return EncodedCase({"max_length": T}, {}, (off_centre(rng, B, T, D),))


def _lengths(rng: Generator) -> list[EncodedCase]:
    """Returns one layer on shorter and longer sequences, up to max_length."""
    first = _layer(rng)
    B, T, D = first.inputs[0].shape
    longest = first.config["max_length"]
    others = [(B + 1, longest, D), (B + 2, T - 2, D)]
    return [first, *(replace(first, inputs=(off_centre(rng, *shape),)) for shape in others)]


def _blames_the_table(check: Check) -> Check:
    """Returns the check, told apart: where the layer adds what the student's own function gives, that one is wrong."""

    def run(trial: Trial) -> None:
        try:
            check.run(trial)
        except Broken as broken:
            if _adds_own_table(trial):
                raise Broken(str(broken), "wrong-table-added") from broken
            raise

    return replace(check, run=run)


def _adds_own_table(trial: Trial) -> bool:
    case = _layer(trial.rng)
    (x,) = case.inputs
    _, T, D = x.shape
    try:
        table = trial.probe.call("positional_encoding", case.config["max_length"], D)
        found = case.found(trial.probe, trial.exercise.symbol)
    except StudentError:
        return False
    if not isinstance(table, np.ndarray) or table.shape != (case.config["max_length"], D):
        return False
    right = compare(table, positional_encoding(*table.shape), ENCODING) is None
    return not right and compare(found, x + table[:T], ENCODING) is None


def _learns_nothing(trial: Trial) -> None:
    case = _layer(trial.rng)
    layer = case.built(trial.probe, trial.exercise.symbol)
    trainable = [str(weight["path"]) for weight in layer.inventory() if weight["trainable"]]
    if trainable:
        raise Broken(f"The layer has trainable weights: {', '.join(trainable)}.", "trainable-table")


def _follows_policy(trial: Trial) -> None:
    case = _layer(trial.rng)
    # the table is float32 by contract: a float64 layer has no more than its digits
    for policy, given, returned, close in (
        ("float64", np.float64, "float64", ENCODING),
        ("mixed_float16", np.float32, "float16", HALF),
    ):
        inputs = tuple(x.astype(given) for x in case.inputs)
        found = trial.probe.make(trial.exercise.symbol, dtype=policy, **case.config)(*inputs)
        if isinstance(found, np.ndarray):
            if str(found.dtype) != returned:
                raise Broken(f"Made with dtype={policy!r}, the layer returned {found.dtype}.")
            found = found.astype(np.float64)
        expect(trial.exercise, case, found, close)


def _with(
    join: Callable[[Array, Array], Array] = np.add, rows: Callable[[Array, Array], Array] | None = None
) -> Formula:
    """Returns the layer with other rows of the table, or joined to x in another way."""

    def formula(x: Array, *, max_length: int) -> Array:
        table = positional_encoding(max_length, x.shape[-1])
        return join(x, rows(x, table) if rows else table[: x.shape[1]])

    return formula


def concatenated(x: Array, table: Array) -> Array:
    """Returns x and its positions side by side, (B, T, 2D)."""
    return np.concatenate([x, np.broadcast_to(table, x.shape)], axis=-1)


def of_sequence(x: Array, table: Array) -> Array:
    """Returns a row for every sequence of the batch, (B, 1, D)."""
    return table[: len(x), None]


_TABLE = "ops.cast(self.table, self.compute_dtype)"
_ROWS = "table[: ops.shape(x)[1]]"
_RETURN = f"return x + {_ROWS}"
_TOO_LONG = "if x.shape[1] is not None and x.shape[1] > self.max_length:"

_OWN_HALVES = """def positional_encoding(length, depth):
    angle = np.arange(length)[:, None] / 10000 ** (2 * np.arange(depth // 2) / depth)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1).astype("float32")


class PositionalEncoding("""

WAYS_TO_ADD = (
    Misconception(
        "positions-without-x",
        "Your layer returns the rows of its table and forgets x: which token stands somewhere no longer matters. See "
        "the equation in section {section}.",
        wrong=_with(join=lambda x, rows: np.broadcast_to(rows, x.shape)),
        edit=((_RETURN, f"return ops.zeros_like(x) + {_ROWS}"),),
    ),
    Misconception(
        "nothing-added",
        "Your layer returns x as it came: no position has been added. See the equation in section {section}.",
        wrong=lambda x, **_: x,
        edit=((_RETURN, "return x"),),
    ),
    Misconception(
        "position-of-the-sequence",
        "You take a row for each sequence of the batch: all steps of a sequence get the same vector. The axis that "
        "counts steps is the second one, see the shapes in section {section}.",
        wrong=_with(rows=of_sequence),
        edit=((_RETURN, "return x + table[: ops.shape(x)[0], None]"),),
    ),
    Misconception(
        "one-position-for-all",
        "You add one and the same row to every step, the row number T: is a colon missing? See the equation in "
        "section {section}.",
        wrong=_with(rows=lambda x, table: table[x.shape[1]]),
        edit=((_RETURN, "return x + table[ops.shape(x)[1]]"),),
    ),
    Misconception(
        "last-rows",
        "You take the last T rows of the table where the first T are asked for: the first step no longer has "
        "position 0, unless the sequence is as long as the table. See section {section}.",
        wrong=_with(rows=lambda x, table: table[-x.shape[1] :]),
        edit=((_RETURN, "return x + table[-ops.shape(x)[1] :]"),),
    ),
    Misconception(
        "starts-with-the-second-row",
        "Your first step gets row 1 of the table: everything is shifted by one position. Positions count from 0, see "
        "section {section}.",
        wrong=_with(rows=lambda x, table: table[1 : x.shape[1] + 1]),
        edit=((_RETURN, "return x + table[1 : ops.shape(x)[1] + 1]"),),
    ),
    Misconception(
        "multiplied",
        "You multiply x by the table, where section {section} adds it.",
        wrong=_with(join=np.multiply),
        edit=((_RETURN, f"return x * {_ROWS}"),),
    ),
    Misconception(
        "concatenated",
        "Your output is twice as wide as x: you put the positions beside the token's numbers, and section {section} "
        "adds them.",
        wrong=_with(join=concatenated),
        edit=((_RETURN, f"return ops.concatenate([x, ops.zeros_like(x) + {_ROWS}], axis=-1)"),),
    ),
    Misconception(
        "x-scaled-by-the-root-of-d",
        "You multiply x by the root of D before you add. Vaswani et al. do so to their embeddings; here it is not this "
        "layer's business: see the equation in section {section}.",
        wrong=_with(join=lambda x, rows: x * np.sqrt(x.shape[-1]) + rows),
        edit=((_RETURN, f"return x * x.shape[-1] ** 0.5 + {_ROWS}"),),
    ),
)
"""Wrong ways to add a table to x, for both layers; {section} is where the equation stands."""


def mistakes_of_both(
    section: str, too_long_accepted: tuple[tuple[str, str], ...], build: str
) -> tuple[Misconception, ...]:
    """Returns the mistakes that either layer may make, whatever is in its table."""
    return (
        Misconception(
            "whole-table-added",
            f"Your layer is right on sequences of max_length and on no others: it adds its whole table, however long x "
            f"is. See the equation in section {section}.",
            edit=((_RETURN, "return x + table"),),
        ),
        Misconception(
            "mask-dropped",
            "Your numbers are right, and a mask that comes with x ends at your layer: those behind it take padding "
            f"for words. Keras lets a mask through only where a layer says so: see section {section}.",
            edit=(("self.supports_masking = True", "pass"),),
        ),
        Misconception(
            "padding-left-out",
            "Where the mask says padding your layer adds nothing. The mask is for the layers behind yours; your "
            f"numbers don't depend on it. See section {section}.",
            edit=(
                ("def call(self, x):", "def call(self, x, mask=None):"),
                (
                    _RETURN,
                    f"rows = {_ROWS}\n"
                    "        if mask is not None:\n"
                    "            rows = ops.where(mask[..., None], rows, 0)\n"
                    "        return x + rows",
                ),
            ),
        ),
        Misconception(
            "any-length-accepted",
            "Your layer takes sequences longer than max_length without a word, and makes positions up for them. "
            f"Section {section} says what to do instead.",
            edit=too_long_accepted,
        ),
        Misconception(
            "length-left-to-the-backend",
            "On a sequence longer than max_length your addition fails somewhere in the backend, with an error that "
            f"names neither. Look at the length first and raise the ValueError of section {section}.",
            edit=((_TOO_LONG, "if False:"),),
        ),
        Misconception(
            "length-looked-at-once",
            "You look at the length when the layer is built, which happens once: a layer in use is not asked again. "
            f"Section {section} wants the ValueError in every call.",
            edit=(
                (
                    build,
                    "if input_shape[1] is not None and input_shape[1] > self.max_length:\n"
                    f'            raise ValueError("too long")\n        {build}',
                ),
                (_TOO_LONG, "if False:"),
            ),
        ),
        needs_known_sizes(
            f"what section {section} says of functional models", (_RETURN, f"return np.asarray(x) + {_ROWS}")
        ),
        Misconception(
            "ignores-its-dtype-policy",
            "Your layer is right in float32 only: a dtype is written into it, where Keras gives each layer a policy. "
            f"Section {section} says what a policy of float64 or mixed_float16 asks for.",
            edit=((_RETURN, f'return ops.cast(x, "float32") + ops.cast({_ROWS}, "float32")'),),
        ),
    )


_ALWAYS_LONG_ENOUGH = (
    (_TOO_LONG, "if False:"),
    (f"table = {_TABLE}", "table = ops.cast(positional_encoding(4096, x.shape[2]), self.compute_dtype)"),
)

POSITIONAL_ENCODING_LAYER = Exercise(
    symbol="PositionalEncoding",
    formula=encoded,
    checks=(
        _blames_the_table(
            named(
                agrees(
                    "adds PE[p] to step p of every sequence",
                    _layer,
                    points=1.5,
                    hint="B, T and D differ, x is off centre, and max_length is larger than T.",
                ),
                "whole-table-added",
                right_on(_full),
            )
        ),
        _blames_the_table(agrees("takes sequences of exactly max_length", _full, points=0.5, hint="T = max_length.")),
        _blames_the_table(traces(_lengths, points=1)),
        _blames_the_table(passes_mask(_layer, points=1)),
        refuses_longer(_layer, cost=0.5),
        holds(
            "has no trainable weight",
            _learns_nothing,
            cost=0.5,
            hint="The weights of the layer after a call; weights that do not train are allowed.",
        ),
        survives_config(_layer, cost=0.5),
        named(
            holds(
                "follows its dtype policy",
                _follows_policy,
                cost=0.5,
                hint='Made with dtype="float64" and dtype="mixed_float16".',
            ),
            "ignores-its-dtype-policy",
            right_on(_layer),
        ),
    ),
    misconceptions=(
        *(replace(mistake, hint=mistake.hint.format(section="3.1")) for mistake in WAYS_TO_ADD),
        Misconception(
            "wrong-table-added",
            "Your layer adds exactly what your positional_encoding returns, and that is not the encoding of section "
            "1: the layer has no fault of its own. Repair the function, and this repairs itself.",
            edit=(("class PositionalEncoding(", _OWN_HALVES),),
        ),
        Misconception(
            "trainable-table",
            "Your table is a weight that training may change: after one step it is no longer the encoding. Section "
            "3.2 says what the layer owns.",
            edit=(
                (
                    "self.table = positional_encoding(self.max_length, input_shape[-1])",
                    "self.table = self.add_weight(shape=(self.max_length, input_shape[-1]))\n"
                    "        self.table.assign(positional_encoding(self.max_length, input_shape[-1]))",
                ),
            ),
        ),
        *mistakes_of_both(
            "3.2",
            _ALWAYS_LONG_ENOUGH,
            "self.table = positional_encoding(self.max_length, input_shape[-1])",
        ),
    ),
    forbidden=("SinePositionEncoding", "SinusoidalPositionalEmbedding", "get_timing_signal_1d", "PositionEmbedding"),
)
