"""ResidualBlock: two convolutions, and x added to what they make of it.

He et al. 2016, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Formula,
    Generator,
    Inventory,
    LayerCase,
    Misconception,
    StudentError,
    Trial,
    agrees,
    distinct_sizes,
    has_gradients,
    has_weights,
    holds,
    other_sizes,
    survives_config,
    traces,
)
from autograder.checking.checks import expect
from autograder.exercises.sequence_cnn.activations import identity, relu
from autograder.exercises.sequence_cnn.conv1d import conv1d
from autograder.exercises.sequence_cnn.inputs import centred, off_centre


def residual_block(
    x: Array,
    *,
    conv1_kernel: Array,
    conv1_bias: Array,
    conv2_kernel: Array,
    conv2_bias: Array,
    projection_kernel: Array | None = None,
    projection_bias: Array | None = None,
    dilation: int = 1,
    **_: Any,
) -> Array:
    """Returns relu(shortcut(x) + conv2(relu(conv1(x)))), x (B, L, C) -> (B, L, F)."""
    h = relu(conv1d(x, conv1_kernel, conv1_bias, dilation=dilation, padding="same"))
    h = conv1d(h, conv2_kernel, conv2_bias, dilation=dilation, padding="same")
    shortcut = x if projection_kernel is None else conv1d(x, projection_kernel, projection_bias)
    return relu(shortcut + h)


def _case(rng: Generator, *, C: int, F: int, width: int, dilation: int | None = None) -> LayerCase:
    B, T = distinct_sizes(rng, 2, 7, 12)
    config = {"filters": F, "kernel_size": width}
    if dilation is not None:
        config["dilation"] = dilation
    weights = {
        "conv1.kernel": centred(rng, width, C, F) / 2,
        "conv1.bias": centred(rng, F) / 2,
        "conv2.kernel": centred(rng, width, F, F) / 2,
        "conv2.bias": centred(rng, F),
    }
    if C != F:
        weights["projection.kernel"] = centred(rng, 1, C, F)
        weights["projection.bias"] = rng.uniform(0.5, 1.5, F).astype(np.float32)
    return LayerCase(config, weights, (off_centre(rng, B, T, C),))


def _with_identity(rng: Generator) -> LayerCase:
    F = int(rng.integers(4, 7))
    return _case(rng, C=F, F=F, width=3)


def _with_projection(rng: Generator) -> LayerCase:
    C, F = distinct_sizes(rng, 2, 4, 7)
    return _case(rng, C=C, F=F, width=2)


def _dilated(rng: Generator) -> LayerCase:
    F = int(rng.integers(4, 7))
    return _case(rng, C=F, F=F, width=3, dilation=2)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    F, C, W = case.config["filters"], case.inputs[0].shape[2], case.config["kernel_size"]
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if C == F:
        if len(shapes) == 6 and (1, C, F) in shapes:
            return "always-projects"
        return "one-convolution-twice" if len(shapes) == 2 else None
    if (1, C, F) not in shapes and shapes.count((W, C, F)) == 2:
        return "wide-projection"
    if len(shapes) == 5 and (1, C, F) in shapes:
        return "projection-without-bias"
    return None


def _projects(trial: Trial) -> None:
    """Raises if the layer cannot add a branch of other width to x, or adds the wrong numbers."""
    case = _with_projection(trial.rng)
    (x,) = case.inputs
    layer = trial.probe.make(trial.exercise.symbol, **case.config)
    try:
        layer(x)
    except StudentError as error:
        mismatch = ("ncompatible shapes", "broadcast", "must be equal", "imensions must")
        names = ["no-projection"] if any(part in error.detail for part in mismatch) else []
        raise Broken(f"Your code raised {error.kind}: {error.detail}", *names) from error
    misconception = _odd_weights(layer.inventory(), case)
    try:
        layer.assign(case.weights)
    except StudentError as error:
        raise Broken(error.detail, *([misconception] if misconception else [])) from error
    expect(trial.exercise, case, layer(x))


def _with(
    join: Callable[[Array, Array, Array], Array],
    inner: Callable[[Array], Array] = relu,
    dilations: Callable[[int], tuple[int, int]] = lambda dilation: (dilation, dilation),
    padding: str = "same",
) -> Formula:
    """Returns the block with other parts; `join` takes shortcut, conv2's and conv1's result."""

    def formula(x: Array, *, dilation: int = 1, **w: Array) -> Array:
        first, second = dilations(dilation)
        one = conv1d(x, w["conv1_kernel"], w["conv1_bias"], dilation=first, padding=padding)
        h = inner(one)
        two = conv1d(h, w["conv2_kernel"], w["conv2_bias"], dilation=second, padding=padding)
        projects = "projection_kernel" in w
        shortcut = conv1d(x, w["projection_kernel"], w["projection_bias"]) if projects else x
        return join(shortcut, two, h)

    return formula


def _added(shortcut: Array, branch: Array, _: Array) -> Array:
    return relu(shortcut + branch)


def _projection_activated(x: Array, **w: Any) -> Array:
    if "projection_kernel" not in w:
        return residual_block(x, **w)
    return _with(lambda shortcut, branch, _: relu(relu(shortcut) + branch))(x, **w)


_DILATED = "keras.layers.Conv1D(\n            self.filters, self.kernel_size, dilation_rate=self.dilation, "
"""How both convolutions begin in the solution."""

RESIDUAL_BLOCK = Exercise(
    symbol="ResidualBlock",
    formula=residual_block,
    checks=(
        agrees(
            "adds x itself when the channels fit",
            _with_identity,
            points=1,
            hint="As many filters as channels, weights set by the grader, dilation left out.",
        ),
        holds(
            "projects x when they do not", _projects, points=1, hint="Other filters than channels, an even kernel size."
        ),
        agrees("both convolutions are dilated", _dilated, points=1, hint="Dilation 2."),
        traces(other_sizes(_dilated), points=0.5),
        has_gradients(_with_projection, points=0.5),
        has_weights(
            "has a kernel and a bias in conv1 and conv2, and no other when the channels fit",
            _with_identity,
            cost=1,
            diagnose=_odd_weights,
        ),
        survives_config(_dilated, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "no-shortcut",
            "Your output does not depend on x except through the convolutions: nothing is added. With all weights 0 "
            "the block should return relu(x): see section 6.",
            wrong=_with(lambda shortcut, branch, _: relu(branch)),
            edit=(("ops.relu(shortcut + h)", "ops.relu(h)"),),
        ),
        Misconception(
            "activation-before-the-sum",
            "You apply the relu to the branch and then add the shortcut, so that the output may be negative. See what "
            "stands inside the outer relu in section 6.",
            wrong=_with(lambda shortcut, branch, _: shortcut + relu(branch)),
            edit=(("return ops.relu(shortcut + h)", "return shortcut + ops.relu(h)"),),
        ),
        Misconception(
            "activation-before-and-after-the-sum",
            "The branch passes a relu before it is added, so that it can only raise the shortcut. Count the relus in "
            "section 6.",
            wrong=_with(lambda shortcut, branch, _: relu(shortcut + relu(branch))),
            edit=(("return ops.relu(shortcut + h)", "return ops.relu(shortcut + ops.relu(h))"),),
        ),
        Misconception(
            "no-activation-at-the-end",
            "Your output has negative numbers: the relu after the sum is missing. See section 6.",
            wrong=_with(lambda shortcut, branch, _: shortcut + branch),
            edit=(("return ops.relu(shortcut + h)", "return shortcut + h"),),
        ),
        Misconception(
            "no-activation-inside",
            "There is no relu between the two convolutions, and two linear maps in a row are one. See section 6.",
            wrong=_with(_added, inner=identity),
            edit=(("ops.relu(self.conv1(x))", "self.conv1(x)"),),
        ),
        Misconception(
            "shortcut-taken-too-late",
            "Your shortcut starts from what the first convolution has made: x was overwritten before it was added. "
            "See where the arrow begins in section 6.",
            wrong=_with(lambda shortcut, branch, h: relu(h + branch)),
            edit=(("ops.relu(shortcut + h)", "ops.relu(ops.relu(self.conv1(x)) + h)"),),
        ),
        Misconception(
            "second-convolution-undilated",
            "Only your first convolution is dilated. See what section 6 says of both.",
            wrong=_with(_added, dilations=lambda dilation: (dilation, 1)),
            edit=(
                (
                    f'self.conv2 = {_DILATED}padding="same"\n        )',
                    'self.conv2 = keras.layers.Conv1D(self.filters, self.kernel_size, padding="same")',
                ),
            ),
        ),
        Misconception(
            "dilation-ignored",
            "Your output is that of dilation 1. See what section 6 says of both convolutions.",
            wrong=_with(_added, dilations=lambda dilation: (1, 1)),
            edit=(("self.dilation = dilation", "self.dilation = 1"),),
        ),
        Misconception(
            "causal-padding",
            'Your convolutions look only back: their padding is "causal". See which padding section 6 asks for.',
            wrong=_with(_added, padding="causal"),
            edit=(
                (f'self.conv1 = {_DILATED}padding="same"', f'self.conv1 = {_DILATED}padding="causal"'),
                (f'self.conv2 = {_DILATED}padding="same"', f'self.conv2 = {_DILATED}padding="causal"'),
            ),
        ),
        Misconception(
            "no-projection",
            "With other filters than channels your block adds arrays of different width, which is an error. See what "
            "the shortcut is in that case in section 6.",
            edit=(
                ("if C != self.filters:", "if False:"),
                ("x if self.projection is None else self.projection(x)", "x"),
            ),
        ),
        Misconception(
            "always-projects",
            "Your block has a projection even where the channels fit: two weights too many, and x does not pass "
            "unchanged. See when section 6 projects.",
            edit=(("if C != self.filters:", "if True:"),),
        ),
        Misconception(
            "projection-activated",
            "Your shortcut passes a relu of its own, so that its negative numbers are lost. See the formula in "
            "section 6.",
            wrong=_projection_activated,
            edit=(("else self.projection(x)", "else ops.relu(self.projection(x))"),),
        ),
        Misconception(
            "wide-projection",
            "Your projection has the width kernel_size. It only mixes the channels of one step: see its width in "
            "section 6.",
            edit=(
                (
                    "keras.layers.Conv1D(self.filters, 1)",
                    'keras.layers.Conv1D(self.filters, self.kernel_size, padding="same")',
                ),
            ),
        ),
        Misconception(
            "projection-without-bias",
            "Your projection has no bias. See the list of weights in section 6.",
            edit=(("keras.layers.Conv1D(self.filters, 1)", "keras.layers.Conv1D(self.filters, 1, use_bias=False)"),),
        ),
        Misconception(
            "one-convolution-twice",
            "You use one and the same convolution twice: the block has one kernel and one bias. See the list of "
            "weights in section 6.",
            edit=(
                ("h = self.conv2(h)", "h = self.conv1(h)"),
                ("        self.conv2.build((*input_shape[:-1], self.filters))\n", ""),
            ),
        ),
    ),
)
