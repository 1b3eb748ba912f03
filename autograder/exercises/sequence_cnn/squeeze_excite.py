"""SqueezeExcite: a gate for every channel, from its mean over time.

Hu, Shen & Sun 2018, "Squeeze-and-Excitation Networks", arXiv:1709.01507, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    Generator,
    Inventory,
    LayerCase,
    Misconception,
    agrees,
    distinct_sizes,
    has_gradients,
    has_weights,
    other_sizes,
    survives_config,
    traces,
)
from autograder.exercises.sequence_cnn.activations import identity, relu, sigmoid
from autograder.exercises.sequence_cnn.inputs import centred, off_centre


def excited(
    pool: Callable[[Array], Array] = lambda x: x.mean(axis=1, keepdims=True),
    inner: Callable[[Array], Array] = relu,
    outer: Callable[[Array], Array] = sigmoid,
    join: Callable[[Array, Array], Array] = np.multiply,
) -> Formula:
    """Returns squeeze-and-excitation with the given parts; the defaults are the formula."""

    def formula(x: Array, *, w1: Array, b1: Array, w2: Array, b2: Array, **_: Any) -> Array:
        z = pool(x)  # (B, 1, C)
        s = outer(inner(z @ w1 + b1) @ w2 + b2)  # (B, 1, C)
        return join(x, s)  # (B, L, C)

    return formula


squeeze_excite = excited()
"""z = mean over time of x; s = sigmoid(relu(z w1 + b1) w2 + b2); out = x s. Hu et al., (2)-(4)."""


def _case(rng: Generator, C: int, ratio: int | None, B: int | None = None, T: int | None = None) -> LayerCase:
    R = max(1, C // (ratio or 4))
    batch, time = distinct_sizes(rng, 2, 12, 18)
    x = off_centre(rng, B or batch, T or time, C)
    while True:  # the hidden numbers must have both signs, else a missing relu would not show
        w1, b1 = centred(rng, C, R), 2 * centred(rng, R)
        hidden = x.mean(axis=1) @ w1 + b1
        if (hidden > 0.5).any() and (R == 1 or (hidden < -0.5).any()):
            break
    weights = {"w1": w1, "b1": b1, "w2": centred(rng, R, C), "b2": centred(rng, C)}
    return LayerCase({} if ratio is None else {"ratio": ratio}, weights, (x,))


def _plain(rng: Generator) -> LayerCase:
    return _case(rng, int(rng.integers(6, 9)), 2)


def _by_default(rng: Generator) -> LayerCase:
    return _case(rng, int(rng.integers(9, 12)), None)  # C // 4 = 2, not a whole quotient


def _few_channels(rng: Generator) -> LayerCase:
    return _case(rng, 3, 4)  # fewer channels than the ratio: R is 1, not 0


def _as_long_as_wide(rng: Generator) -> LayerCase:
    # T = C on purpose: a mean over the wrong axis then gives numbers where it else gives an error
    return _case(rng, 7, 2, T=7)


def _as_many_as_long(rng: Generator) -> LayerCase:
    # B = T on purpose: gates (B, C) then broadcast along the wrong axis without an error
    return _case(rng, 8, 3, B=5, T=5)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    C, R = case.weights["w1"].shape
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if any(0 in shape for shape in shapes):
        return "no-hidden-unit-left"
    ratio = case.config.get("ratio", 4)
    if (C, C * ratio) in shapes:
        return "widened-by-the-ratio"
    if ratio != R and (C, ratio) in shapes:
        return "ratio-taken-for-the-width"
    return None


def _gate_over_batch(x: Array, s: Array) -> Array:
    return x * s[:, 0]


SQUEEZE_EXCITE = Exercise(
    symbol="SqueezeExcite",
    formula=squeeze_excite,
    checks=(
        agrees(
            "weights each channel by its gate",
            _plain,
            points=2,
            hint="Weights set by the grader, B, L and C differ, ratio 2.",
        ),
        traces(other_sizes(_plain), points=0.5),
        has_gradients(_plain, points=0.5),
        agrees("the ratio is 4 unless told otherwise", _by_default, cost=0.5),
        agrees("pools over time, not over channels", _as_long_as_wide, cost=0.5, hint="As many steps as channels."),
        agrees(
            "applies a sequence's gates to that sequence",
            _as_many_as_long,
            cost=0.5,
            hint="As many sequences as steps.",
        ),
        has_weights(
            "has the weights w1 (C, R), b1 (R,), w2 (R, C), b2 (C,) and no other", _plain, cost=1, diagnose=_odd_weights
        ),
        has_weights(
            "keeps one hidden unit when there are fewer channels than the ratio",
            _few_channels,
            cost=0.5,
            diagnose=_odd_weights,
            hint="C = 3, ratio 4.",
        ),
        survives_config(_plain, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "mean-over-channels",
            "You average over the channels, one number per step, where the squeeze asks for one number per channel. "
            "See the shape of z in section 5.",
            wrong=lambda x, **w: excited(pool=lambda x: x.mean(axis=2)[:, None])(x, **w),
            edit=(("ops.mean(x, axis=1)", "ops.mean(x, axis=2)"),),
        ),
        Misconception(
            "maximum-over-time",
            "You squeeze by the maximum over time; your gates differ from the formula's. See the first equation of "
            "section 5.",
            wrong=excited(pool=lambda x: x.max(axis=1, keepdims=True)),
            edit=(("ops.mean(x, axis=1)", "ops.max(x, axis=1)"),),
        ),
        Misconception(
            "sum-over-time",
            "You squeeze by the sum over time, so that long sequences get other gates than short ones. See the first "
            "equation of section 5.",
            wrong=excited(pool=lambda x: x.sum(axis=1, keepdims=True)),
            edit=(("ops.mean(x, axis=1)", "ops.sum(x, axis=1)"),),
        ),
        Misconception(
            "nothing-squeezed",
            "You compute a gate for every step: nothing is pooled over time. See the shape of z in section 5.",
            wrong=excited(pool=identity),
            edit=(("z = ops.mean(x, axis=1)", "z = x"), ("s[:, None, :]", "s")),
        ),
        Misconception(
            "no-relu-inside",
            "The hidden numbers keep their negative signs: there is no relu between the two matrices. See the second "
            "equation of section 5.",
            wrong=excited(inner=identity),
            edit=(("ops.relu(ops.matmul(z, self.w1) + self.b1)", "ops.matmul(z, self.w1) + self.b1"),),
        ),
        Misconception(
            "sigmoid-inside",
            "You use the sigmoid after both matrices. See which activation stands inside in section 5.",
            wrong=excited(inner=sigmoid),
            edit=(("ops.relu(", "ops.sigmoid("),),
        ),
        Misconception(
            "relu-gate",
            "Your gates are cut off at 0 and may exceed 1: there is a relu where a gate between 0 and 1 is asked for. "
            "See section 5.",
            wrong=excited(outer=relu),
            edit=(("s = ops.sigmoid(", "s = ops.relu("),),
        ),
        Misconception(
            "softmax-gate",
            "Your gates sum to 1 over the channels, so that they compete. In section 5 every gate opens by itself.",
            wrong=excited(outer=lambda h: np.exp(h) / np.exp(h).sum(axis=-1, keepdims=True)),
            edit=(("s = ops.sigmoid(", "s = ops.softmax("),),
        ),
        Misconception(
            "gate-missing",
            "There is no activation after the second matrix: your factors may be negative or large. See section 5.",
            wrong=excited(outer=identity),
            edit=(("s = ops.sigmoid(", "s = ("),),
        ),
        Misconception(
            "gates-returned",
            "You return the gates, not the gated x. See the last equation of section 5.",
            wrong=lambda x, **w: excited(join=lambda x, s: s[:, 0])(x, **w),
            edit=(("return x * s[:, None, :]", "return s"),),
        ),
        Misconception(
            "gates-added",
            "You add the gates to x: small numbers grow where they should be damped. See the last equation of "
            "section 5.",
            wrong=excited(join=np.add),
            edit=(("x * s[:, None, :]", "x + s[:, None, :]"),),
        ),
        Misconception(
            "residual-added",
            "Your output is x larger than the formula's: you add x again, as in a residual block. See the last "
            "equation of section 5.",
            wrong=excited(join=lambda x, s: x + x * s),
            edit=(("x * s[:, None, :]", "x + x * s[:, None, :]"),),
        ),
        Misconception(
            "gates-along-the-batch",
            "You multiply x (B, L, C) by gates (B, C). Aligned from the right, their B meets L: an error, or, when B "
            "= L, the gates of another sequence. See the shapes in section 5.",
            wrong=excited(join=_gate_over_batch),
            edit=(("s[:, None, :]", "s"),),
        ),
        Misconception(
            "no-hidden-unit-left",
            "When there are fewer channels than the ratio your hidden width is 0, and the gates no longer depend on "
            "x. See how R is rounded in section 5.",
            edit=(("max(1, C // self.ratio)", "C // self.ratio"),),
        ),
        Misconception(
            "widened-by-the-ratio",
            "Your hidden width is C · ratio: wider than the input, where section 5 makes it narrower.",
            edit=(("max(1, C // self.ratio)", "C * self.ratio"),),
        ),
        Misconception(
            "ratio-taken-for-the-width",
            "Your hidden width is the ratio itself. See how R follows from C and the ratio in section 5.",
            edit=(("max(1, C // self.ratio)", "self.ratio"),),
        ),
    ),
)
