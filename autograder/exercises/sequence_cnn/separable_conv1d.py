"""SeparableConv1D: each channel is convolved by itself, then the channels are mixed.

Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions", arXiv:1610.02357.
"""

from __future__ import annotations

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
from autograder.exercises.sequence_cnn.activations import relu
from autograder.exercises.sequence_cnn.conv1d import conv1d
from autograder.exercises.sequence_cnn.inputs import off_centre


def depthwise_conv1d(x: Array, kernel: Array, padding: str = "same") -> Array:
    """Returns x (B, L, C), each channel convolved with its own column of the kernel (W, C)."""
    own = [conv1d(x[..., c : c + 1], kernel[:, c, None, None], padding=padding) for c in range(x.shape[2])]
    return np.concatenate(own, axis=2)


def separable_conv1d(x: Array, *, depthwise: Array, pointwise: Array, bias: Array, **_: Any) -> Array:
    """Returns the channels' own convolutions, then mixed: x (B, L, C) -> (B, L, F)."""
    return depthwise_conv1d(x, depthwise) @ pointwise + bias


def _case(rng: Generator, width: int, sizes: tuple[int, ...] = ()) -> LayerCase:
    B, T, C, F = sizes or (*distinct_sizes(rng, 2, 6, 10), *distinct_sizes(rng, 2, 4, 6))
    weights = {
        "depthwise": off_centre(rng, width, C),
        "pointwise": off_centre(rng, C, F),
        "bias": rng.uniform(1.0, 2.0, F).astype(np.float32),
    }
    return LayerCase({"filters": F, "kernel_size": width}, weights, (off_centre(rng, B, T, C),))


def _odd_width(rng: Generator) -> LayerCase:
    return _case(rng, 3)


def _even_width(rng: Generator) -> LayerCase:
    # of two steps, causal padding and the odd zero on the left are the same
    return _case(rng, 4)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    W, F, C = case.config["kernel_size"], case.config["filters"], case.inputs[0].shape[2]
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if (W, C, F) in shapes:
        return "full-convolution"
    if (W, F) in shapes:
        return "pointwise-first"
    if (C,) in shapes and (F,) in shapes:
        return "two-biases"
    if (C, F) not in shapes:
        return "depthwise-only"
    return None


def _padded(padding: str) -> Formula:
    def formula(x: Array, *, depthwise: Array, pointwise: Array, bias: Array, **_: Any) -> Array:
        return depthwise_conv1d(x, depthwise, padding) @ pointwise + bias

    return formula


def _odd_zero_on_the_left(x: Array, *, depthwise: Array, pointwise: Array, bias: Array, **_: Any) -> Array:
    W = len(depthwise)
    x = np.pad(x, ((0, 0), (W // 2, (W - 1) // 2), (0, 0)))
    return depthwise_conv1d(x, depthwise, "valid") @ pointwise + bias


SEPARABLE_CONV1D = Exercise(
    symbol="SeparableConv1D",
    formula=separable_conv1d,
    checks=(
        agrees(
            "convolves each channel by itself, then mixes them",
            _odd_width,
            points=1,
            hint="Kernel size 3, weights set by the grader, more filters than channels or fewer.",
        ),
        agrees("pads an even kernel as conv1d does", _even_width, points=1, hint="Kernel size 4."),
        traces(other_sizes(_odd_width), points=0.5),
        has_gradients(_odd_width, points=0.5),
        has_weights(
            "has the weights depthwise (W, C), pointwise (C, F), bias (F,) and no other",
            _odd_width,
            cost=1,
            diagnose=_odd_weights,
        ),
        survives_config(_even_width, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "full-convolution",
            "You have one kernel (W, C, F), W·C·F numbers: that is the ordinary convolution. Count the parameters of "
            "the separable one in section 3.",
            edit=(
                ("(self.kernel_size, C)", "(self.kernel_size, C, self.filters)"),
                (
                    'ops.depthwise_conv(x, self.depthwise[:, :, None], padding="same")',
                    'ops.conv(x, self.depthwise, padding="same")',
                ),
                ("ops.matmul(each, self.pointwise)", "each"),
            ),
        ),
        Misconception(
            "pointwise-first",
            "You mix the channels first and then convolve the F results, so that `depthwise` would have the shape (W, "
            "F). See the order in section 3.",
            edit=(
                ("(self.kernel_size, C)", "(self.kernel_size, self.filters)"),
                ("ops.depthwise_conv(x,", "ops.depthwise_conv(ops.matmul(x, self.pointwise),"),
                ("ops.matmul(each, self.pointwise)", "each"),
            ),
        ),
        Misconception(
            "depthwise-only",
            "Nothing mixes the channels: there is no weight of shape (C, F), and the number of filters changes "
            "nothing. See the second equation of section 3.",
            edit=(
                ('        self.pointwise = self.add_weight(shape=(C, self.filters), name="pointwise")\n', ""),
                ("shape=(self.filters,)", "shape=(C,)"),
                ("ops.matmul(each, self.pointwise)", "each"),
            ),
        ),
        Misconception(
            "two-biases",
            "You have a bias after each of the two steps, a fourth weight of shape (C,). The formula in section 3 has "
            "one.",
            edit=(
                (
                    "        self.bias = self.add_weight(",
                    "        self.inner = self.add_weight(shape=(C,), name='inner')\n"
                    "        self.bias = self.add_weight(",
                ),
                ("ops.matmul(each, self.pointwise)", "ops.matmul(each + self.inner, self.pointwise)"),
            ),
        ),
        Misconception(
            "activation-in-between",
            "There is a relu between the two steps: negative numbers are lost before the channels are mixed. The "
            "formula in section 3 is linear.",
            wrong=lambda x, *, depthwise, pointwise, bias, **_: relu(depthwise_conv1d(x, depthwise)) @ pointwise + bias,
            edit=(("ops.matmul(each, self.pointwise)", "ops.matmul(ops.relu(each), self.pointwise)"),),
        ),
        Misconception(
            "activation-at-the-end",
            "Your output has no negative number: there is an activation at its end. The formula in section 3 is "
            "linear.",
            wrong=lambda x, **weights: relu(separable_conv1d(x, **weights)),
            edit=(
                (
                    "return ops.matmul(each, self.pointwise) + self.bias",
                    "return ops.relu(ops.matmul(each, self.pointwise) + self.bias)",
                ),
            ),
        ),
        Misconception(
            "kernel-flipped",
            "You meet the taps of `depthwise` in reverse order. Section 3 uses the sum of section 1, in which the "
            "kernel is not flipped.",
            wrong=lambda x, *, depthwise, **weights: separable_conv1d(x, depthwise=depthwise[::-1], **weights),
            edit=(("self.depthwise[:, :, None]", "self.depthwise[::-1, :, None]"),),
        ),
        Misconception(
            "causal-padding",
            'All your zeros stand before the sequence: that is "causal" padding, each output looks only back. See '
            "which padding section 3 asks for.",
            wrong=_padded("causal"),
            edit=(
                ("ops.depthwise_conv(x,", "ops.depthwise_conv(before,"),
                ('padding="same"', 'padding="valid"'),
                (
                    "        each =",
                    "        before = ops.pad(x, ((0, 0), (self.kernel_size - 1, 0), (0, 0)))\n        each =",
                ),
            ),
        ),
        Misconception(
            "valid-padding",
            'Your output is shorter than the input: the padding is "valid". See which padding section 3 asks for.',
            wrong=_padded("valid"),
            edit=(('padding="same"', 'padding="valid"'),),
        ),
        Misconception(
            "odd-zero-on-the-left",
            'For an even kernel your output is shifted by one step: the odd zero stands on the left. See "same" in '
            "the table of section 1.",
            wrong=_odd_zero_on_the_left,
            edit=(
                ("ops.depthwise_conv(x,", "ops.depthwise_conv(around,"),
                ('padding="same"', 'padding="valid"'),
                (
                    "        each =",
                    "        W = self.kernel_size\n"
                    "        around = ops.pad(x, ((0, 0), (W // 2, (W - 1) // 2), (0, 0)))\n"
                    "        each =",
                ),
            ),
        ),
        Misconception(
            "bias-forgotten",
            "Every output is off by the same number per filter: the weight `bias` is there, but it is not added. See "
            "the formula in section 3.",
            wrong=lambda x, *, bias, **weights: separable_conv1d(x, bias=0 * bias, **weights),
            edit=(("ops.matmul(each, self.pointwise) + self.bias", "ops.matmul(each, self.pointwise)"),),
        ),
    ),
    forbidden=("SeparableConv1D", "SeparableConv2D", "separable_conv", "separable_conv2d"),
)
