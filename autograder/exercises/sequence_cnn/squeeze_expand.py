"""SqueezeExpand: the fire module in one dimension, few channels and then many again.

Iandola et al. 2016, "SqueezeNet", arXiv:1602.07360, section 3.2.
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
from autograder.exercises.sequence_cnn.activations import identity, relu
from autograder.exercises.sequence_cnn.conv1d import conv1d
from autograder.exercises.sequence_cnn.inputs import centred, off_centre


def squeeze_expand(
    x: Array,
    *,
    squeeze_kernel: Array,
    squeeze_bias: Array,
    expand_1_kernel: Array,
    expand_1_bias: Array,
    expand_k_kernel: Array,
    expand_k_bias: Array,
    **_: Any,
) -> Array:
    """Returns the fire module in 1-D: squeeze x to few channels, expand those in two ways."""
    s = relu(conv1d(x, squeeze_kernel, squeeze_bias))  # (B, L, S)
    narrow = relu(conv1d(s, expand_1_kernel, expand_1_bias))  # (B, L, E)
    wide = relu(conv1d(s, expand_k_kernel, expand_k_bias, padding="same"))  # (B, L, E)
    return np.concatenate([narrow, wide], axis=2)  # (B, L, 2 E)


def _case(rng: Generator, width: int | None = None) -> LayerCase:
    S, E, C = (int(size) for size in rng.permutation([4, 5, 6]))
    B, T = distinct_sizes(rng, 2, 7, 11)
    config = {"squeeze_filters": S, "expand_filters": E}
    if width is not None:
        config["kernel_size"] = width
    K = width or 3
    weights = {
        "squeeze.kernel": centred(rng, 1, C, S),
        "squeeze.bias": centred(rng, S) / 2,
        "expand_1.kernel": centred(rng, 1, S, E),
        "expand_1.bias": centred(rng, E),
        "expand_k.kernel": centred(rng, K, S, E),
        "expand_k.bias": centred(rng, E),
    }
    return LayerCase(config, weights, (off_centre(rng, B, T, C),))


def _any_width(rng: Generator) -> LayerCase:
    return _case(rng, 2 if rng.random() < 0.5 else 5)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    S, E = case.config["squeeze_filters"], case.config["expand_filters"]
    W, C = case.config["kernel_size"], case.inputs[0].shape[2]
    kernels = sorted(tuple(w["shape"]) for w in inventory if len(w["shape"]) == 3)
    known = {
        "expands-the-input": [(1, C, S), (1, S, E), (W, C, E)],
        "wide-squeeze": [(W, C, S), (1, S, E), (W, S, E)],
        "both-branches-narrow": [(1, C, S), (1, S, E), (1, S, E)],
        "both-branches-wide": [(1, C, S), (W, S, E), (W, S, E)],
        "kernel-size-ignored": [(1, C, S), (1, S, E), (3, S, E)],
        "branches-in-a-row": [(1, C, S), (1, S, E), (W, E, E)],
    }
    return next((name for name, shapes in known.items() if kernels == sorted(shapes)), None)


def _side_by_side(narrow: Array, wide: Array) -> Array:
    return np.concatenate([narrow, wide], axis=2)


def _with(
    join: Callable[[Array, Array], Array] = _side_by_side,
    inner: Callable[[Array], Array] = relu,
    outer: Callable[[Array], Array] = relu,
    padding: str = "same",
) -> Formula:
    """Returns the fire module with other parts."""

    def wrong(x: Array, **w: Array) -> Array:
        s = inner(conv1d(x, w["squeeze_kernel"], w["squeeze_bias"]))
        narrow = outer(conv1d(s, w["expand_1_kernel"], w["expand_1_bias"]))
        wide = outer(conv1d(s, w["expand_k_kernel"], w["expand_k_bias"], padding=padding))
        return join(narrow, wide)

    return wrong


SQUEEZE_EXPAND = Exercise(
    symbol="SqueezeExpand",
    formula=squeeze_expand,
    checks=(
        agrees(
            "squeezes, expands in two ways and joins the channels",
            _any_width,
            points=2,
            hint="Weights set by the grader; kernel size 2 or 5; all sizes differ.",
        ),
        traces(other_sizes(_any_width), points=0.5),
        has_gradients(_any_width, points=0.5),
        agrees("has kernel size 3 unless told otherwise", _case, cost=0.5),
        has_weights(
            "has a kernel and a bias in each of squeeze, expand_1 and expand_k",
            _any_width,
            cost=1,
            diagnose=_odd_weights,
        ),
        survives_config(_any_width, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "no-relu-after-the-squeeze",
            "The squeezed channels go on with their negative numbers: there is no relu after the first convolution. "
            "See the first equation of section 4.",
            wrong=_with(inner=identity),
            edit=(("s = ops.relu(self.squeeze(x))", "s = self.squeeze(x)"),),
        ),
        Misconception(
            "no-relu-after-the-expansion",
            "Your output has negative numbers: there is no relu after the two expanding convolutions. See the second "
            "equation of section 4.",
            wrong=_with(outer=identity),
            edit=(
                ("narrow = ops.relu(self.expand_1(s))", "narrow = self.expand_1(s)"),
                ("wide = ops.relu(self.expand_k(s))", "wide = self.expand_k(s)"),
            ),
        ),
        Misconception(
            "joined-along-time",
            "Your output is twice as long and has expand_filters channels: the two branches are joined along time. "
            "See the shape in section 4.",
            wrong=_with(lambda narrow, wide: np.concatenate([narrow, wide], axis=1)),
            edit=(("axis=-1", "axis=1"),),
        ),
        Misconception(
            "branches-added",
            "Your output has expand_filters channels: the two branches are added. See the shape in section 4.",
            wrong=_with(np.add),
            edit=(("ops.concatenate([narrow, wide], axis=-1)", "narrow + wide"),),
        ),
        Misconception(
            "branches-in-the-other-order",
            "The two halves of your channels are exchanged: the wide branch comes first. See the order in section 4.",
            wrong=_with(lambda narrow, wide: np.concatenate([wide, narrow], axis=2)),
            edit=(("[narrow, wide]", "[wide, narrow]"),),
        ),
        Misconception(
            "causal-padding",
            'Your wide branch looks only back: its padding is "causal". See which padding section 4 asks for.',
            wrong=_with(padding="causal"),
            edit=(
                (
                    'self.expand_filters, self.kernel_size, padding="same"',
                    'self.expand_filters, self.kernel_size, padding="causal"',
                ),
            ),
        ),
        Misconception(
            "expands-the-input",
            "Your wide branch reads x: its kernel has C input channels where s has squeeze_filters. Then nothing was "
            "saved by squeezing; see the picture in section 4.",
            edit=(
                ("self.expand_k(s)", "self.expand_k(x)"),
                ("self.expand_k.build(squeezed)", "self.expand_k.build(input_shape)"),
            ),
        ),
        Misconception(
            "wide-squeeze",
            "Your squeezing convolution has the width kernel_size. It only mixes the channels of one step: see its "
            "width in section 4.",
            edit=(
                (
                    "keras.layers.Conv1D(self.squeeze_filters, 1)",
                    'keras.layers.Conv1D(self.squeeze_filters, self.kernel_size, padding="same")',
                ),
            ),
        ),
        Misconception(
            "both-branches-narrow",
            "Both expanding convolutions have width 1, so that no output sees its neighbours. See the two widths in "
            "section 4.",
            edit=(("self.expand_filters, self.kernel_size,", "self.expand_filters, 1,"),),
        ),
        Misconception(
            "both-branches-wide",
            "Both expanding convolutions have the width kernel_size. See the two widths in section 4: one of them is "
            "cheap.",
            edit=(
                (
                    "keras.layers.Conv1D(self.expand_filters, 1)",
                    'keras.layers.Conv1D(self.expand_filters, self.kernel_size, padding="same")',
                ),
            ),
        ),
        Misconception(
            "kernel-size-ignored",
            "Your wide convolution has width 3 whatever kernel_size says. 3 is what the argument is when nothing is "
            "said; see section 4.",
            edit=(("self.expand_filters, self.kernel_size,", "self.expand_filters, 3,"),),
        ),
        Misconception(
            "branches-in-a-row",
            "Your wide convolution reads what the narrow one has made; both should read s. See the picture in section "
            "4.",
            edit=(
                ("self.expand_k(s)", "self.expand_k(narrow)"),
                ("self.expand_k.build(squeezed)", "self.expand_k.build((*input_shape[:-1], self.expand_filters))"),
            ),
        ),
    ),
)
