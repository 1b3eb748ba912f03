"""LearnedPositionalEmbedding: a table of positions that is learned like any other weight.

Gehring et al. 2017, "Convolutional Sequence to Sequence Learning", arXiv:1705.03122, section 3.1; compared with the
sinusoids in Vaswani et al. 2017, arXiv:1706.03762, section 3.5 and table 3, row (E).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    Generator,
    Inventory,
    LayerCase,
    Misconception,
    StudentError,
    Trial,
    agrees,
    follows_policy,
    has_gradients,
    has_weights,
    named,
    right_on,
    survives_config,
    traces,
)
from autograder.exercises.positional_encoding.inputs import off_centre, passes_mask, refuses_longer, sizes
from autograder.exercises.positional_encoding.positional_encoding import positional_encoding
from autograder.exercises.positional_encoding.positional_encoding_layer import (
    WAYS_TO_ADD,
    concatenated,
    mistakes_of_both,
    of_sequence,
)


def learned(x: Array, *, positions: Array, max_length: int) -> Array:
    """Returns x + positions[:T], x (B, T, D), positions (max_length, D)."""
    return x + positions[: x.shape[1]]


def _case(rng: Generator, spare: int) -> LayerCase:
    B, T, D = sizes(rng)
    positions = rng.normal(0.4, 1.2, (T + spare, D)).astype(np.float32)
    return LayerCase({"max_length": T + spare}, {"positions": positions}, (off_centre(rng, B, T, D),))


def _layer(rng: Generator) -> LayerCase:
    """Returns a layer that allows for more steps than come."""
    return _case(rng, int(rng.integers(3, 9)))


def _full(rng: Generator) -> LayerCase:
    return _case(rng, 0)


def _lengths(rng: Generator) -> list[LayerCase]:
    """Returns one layer on shorter and longer sequences, up to max_length."""
    first = _layer(rng)
    B, T, D = first.inputs[0].shape
    others = [(B + 1, first.config["max_length"], D), (B + 2, T - 2, D)]
    return [first, *(replace(first, inputs=(off_centre(rng, *shape),)) for shape in others)]


def _right_in_full_only(trial: Trial) -> bool:
    """Tells whether a table of the right shape is right for sequences of max_length alone."""
    case = _layer(trial.rng)
    layer = trial.probe.make(trial.exercise.symbol, **case.config)
    with contextlib.suppress(StudentError):
        layer(*case.inputs)  # the call may fail where building did not
    try:
        layer.assign(case.weights)
    except StudentError:
        return False
    return right_on(_full)(trial)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the mistake behind weights that are not positions (max_length, D)."""
    _, T, D = case.inputs[0].shape
    longest = case.config["max_length"]
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if not shapes:
        return "no-keras-weight"
    if shapes == [(longest, D)] and not inventory[0]["trainable"]:
        return "frozen-table"
    known = {
        (T, D): "as-long-as-the-first-batch",
        (D, longest): "table-transposed",
        (D,): "one-vector-for-all",
        (longest,): "one-number-for-a-position",
        (longest, 1): "one-number-for-a-position",
        (1, longest, D): "an-axis-for-the-batch",
    }
    return known.get(shapes[0]) if len(shapes) == 1 else None


def _with(
    join: Callable[[Array, Array], Array] = np.add, rows: Callable[[Array, Array], Array] | None = None
) -> Formula:
    """Returns the layer with other rows of its table, or joined to x in another way."""

    def formula(x: Array, *, positions: Array, max_length: int) -> Array:
        return join(x, rows(x, positions) if rows else positions[: x.shape[1]])

    return formula


def _sines_as_well(x: Array, *, positions: Array, max_length: int) -> Array:
    return learned(x + positional_encoding(*x.shape[1:]), positions=positions, max_length=max_length)


_WRONG: dict[str, Formula] = {
    "positions-without-x": _with(join=lambda x, rows: np.broadcast_to(rows, x.shape)),
    "nothing-added": lambda x, **_: x,
    "position-of-the-sequence": _with(rows=of_sequence),
    "one-position-for-all": _with(rows=lambda x, table: table[x.shape[1]]),
    "last-rows": _with(rows=lambda x, table: table[-x.shape[1] :]),
    "starts-with-the-second-row": _with(rows=lambda x, table: table[1 : x.shape[1] + 1]),
    "multiplied": _with(join=np.multiply),
    "concatenated": _with(join=concatenated),
    "x-scaled-by-the-root-of-d": _with(join=lambda x, rows: x * np.sqrt(x.shape[-1]) + rows),
}

_WEIGHT = 'self.positions = self.add_weight(name="positions", shape=(self.max_length, input_shape[-1]))'
_SHAPE = "shape=(self.max_length, input_shape[-1])"
_TABLE = "table = self.positions"
_RETURN = "return x + table[: ops.shape(x)[1]]"
_TOO_LONG = "if x.shape[1] is not None and x.shape[1] > self.max_length:"

_LAST_ROW_AGAIN = (
    (_TOO_LONG, "if False:"),
    (
        _RETURN,
        "steps = ops.minimum(ops.arange(ops.shape(x)[1]), self.max_length - 1)\n"
        "        return x + ops.take(table, steps, axis=0)",
    ),
)

LEARNED_POSITIONAL_EMBEDDING = Exercise(
    symbol="LearnedPositionalEmbedding",
    formula=learned,
    checks=(
        named(
            agrees(
                "adds row p of its table to step p of every sequence",
                _layer,
                points=1.5,
                hint="The table is set by us; B, T, D and max_length differ, x is off centre.",
            ),
            "whole-table-added",
            _right_in_full_only,
        ),
        agrees("takes sequences of exactly max_length", _full, points=0.5, hint="T = max_length."),
        has_gradients(
            _layer, points=1, hint="One training step; each row moves by its gradient, rows without a step not at all."
        ),
        traces(_lengths, points=0.5),
        passes_mask(_layer, points=0.5),
        has_weights(
            "has the weight positions (max_length, D), trainable, and no other",
            _layer,
            cost=1,
            diagnose=_odd_weights,
            hint="One trainable weight, under this attribute name.",
        ),
        refuses_longer(_layer, cost=0.5),
        survives_config(_layer, cost=0.5),
        follows_policy(_layer, "float64", "mixed_float16", cost=0.5),
    ),
    misconceptions=(
        *(
            replace(mistake, hint=mistake.hint.format(section="4.1"), wrong=_WRONG[mistake.name])
            for mistake in WAYS_TO_ADD
        ),
        Misconception(
            "sines-added-as-well",
            "You add the sinusoids of section 1 on top of the learned rows; this layer takes their place. See the "
            "equation in section 4.1.",
            wrong=_sines_as_well,
            edit=(
                (
                    _RETURN,
                    f"{_RETURN} + ops.cast(positional_encoding(self.max_length, x.shape[2]), x.dtype)"
                    "[: ops.shape(x)[1]]",
                ),
            ),
        ),
        Misconception(
            "frozen-table",
            "Your table is there but not trainable, so no training step can move it: it would stay the random "
            "numbers it began with. See section 4.2.",
            edit=((_SHAPE, f"{_SHAPE}, trainable=False"),),
        ),
        Misconception(
            "no-keras-weight",
            "Your table is a plain tensor: Keras doesn't know of it, so it is neither trained nor saved. Section 4.2 "
            "says how a layer makes a weight.",
            edit=((_WEIGHT, "self.positions = keras.random.normal((self.max_length, input_shape[-1]))"),),
        ),
        Misconception(
            "as-long-as-the-first-batch",
            "Your table has as many rows as the first batch has steps: a longer sequence finds no row. Its length is "
            "max_length, see section 4.1.",
            edit=((_SHAPE, "shape=(input_shape[1], input_shape[-1])"),),
        ),
        Misconception(
            "table-transposed",
            "Your table is stored transposed, positions along its columns. Section 4.1 gives its shape.",
            edit=(
                (_SHAPE, "shape=(input_shape[-1], self.max_length)"),
                (_TABLE, "table = ops.transpose(self.positions)"),
            ),
        ),
        Misconception(
            "one-vector-for-all",
            "Your weight is a single vector: it moves all steps alike and tells no position from another. Section 4.1 "
            "gives its shape.",
            edit=((_SHAPE, "shape=(input_shape[-1],)"), (_RETURN, "return x + table")),
        ),
        Misconception(
            "one-number-for-a-position",
            "Your table holds one number for each position, added to all features alike. Section 4.1 gives each "
            "position a vector.",
            edit=((_SHAPE, "shape=(self.max_length, 1)"),),
        ),
        Misconception(
            "an-axis-for-the-batch",
            "Your table has an axis for the batch; all sequences share one table, and broadcasting does the rest. "
            "Section 4.1 gives its shape.",
            edit=((_SHAPE, "shape=(1, self.max_length, input_shape[-1])"), (_TABLE, "table = self.positions[0]")),
        ),
        *mistakes_of_both("4.2", _LAST_ROW_AGAIN, _WEIGHT),
    ),
    forbidden=("PositionEmbedding", "TokenAndPositionEmbedding"),
)
