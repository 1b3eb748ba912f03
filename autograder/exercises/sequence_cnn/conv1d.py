"""conv1d: one kernel slides along a sequence.

Goodfellow, Bengio & Courville 2016, "Deep Learning", chapter 9: equation (9.6) is the cross-correlation that networks
compute under the name of convolution, section 9.5 has stride and padding. Dilated causal convolution: van den Oord et
al. 2016, "WaveNet", arXiv:1609.03499, section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    Trial,
    agrees,
    conventions,
    distinct_sizes,
    rejects,
)
from autograder.exercises.sequence_cnn.inputs import off_centre


def slide(x: Array, kernel: Array, bias: Array | None, stride: int, dilation: int, left: int, right: int) -> Array:
    """Returns the kernel's product with every window of x between `left` and `right` zeros."""
    W = len(kernel)
    x = np.pad(np.asarray(x, np.float64), ((0, 0), (left, right), (0, 0)))
    starts = np.arange(0, x.shape[1] - (W - 1) * dilation, stride)  # (L',)
    steps = starts[:, None] + dilation * np.arange(W)  # (L', W)
    out = np.einsum("btwc,wcf->btf", x[:, steps], kernel)  # from (B, L', W, C)
    return out if bias is None else out + bias


Margins = Callable[[int, int, int, int, str], tuple[int, int]]
"""Zeros on the left and on the right, from L, W, stride, dilation and the name of the padding."""


def margins(L: int, W: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    """Returns the zeros on both sides: none, all before the start, or half and half."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return (W - 1) * dilation, 0
    steps = -(-L // stride)  # L' = ceil(L / stride)
    total = max((steps - 1) * stride + (W - 1) * dilation + 1 - L, 0)
    return total // 2, total - total // 2


def padded_by(rule: Margins) -> Formula:
    """Returns the convolution that pads by a rule."""

    def convolution(
        x: Array,
        kernel: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        dilation: int = 1,
        padding: str = "valid",
    ) -> Array:
        left, right = rule(x.shape[1], len(kernel), stride, dilation, padding)
        return slide(x, kernel, bias, stride, dilation, left, right)

    return convolution


conv1d = padded_by(margins)
"""out[b,t,f] = bias[f] + sum_w sum_c x[b, t stride + w dilation - left, c] kernel[w,c,f]."""


def _call(rng: Generator, W: int, L: int, *, bias: bool = True, **how: Any) -> FunctionCase:
    """Returns a call on fresh data, in which B, C, F, W and L all differ."""
    B, C, F = (size + (size >= W) for size in distinct_sizes(rng, 3, 2, 7))
    x, kernel = 3 * off_centre(rng, B, L, C), off_centre(rng, W, C, F)
    offsets = rng.uniform(1.0, 3.0, F).astype(np.float32)
    return FunctionCase((x, kernel, offsets) if bias else (x, kernel), how)


def _one_window_at_a_time(rng: Generator) -> list[FunctionCase]:
    return [_call(rng, W, int(rng.integers(11, 16)), bias=False) for W in (3, 4)]


def _with_bias(rng: Generator) -> FunctionCase:
    return _call(rng, 3, int(rng.integers(11, 16)))


def _strided_and_dilated(rng: Generator) -> list[FunctionCase]:
    # one at a time, then both: Keras itself refuses both above 1, the formula does not
    L = int(rng.integers(17, 24))
    return [_call(rng, 4, L, dilation=3), _call(rng, 3, L, stride=2), _call(rng, 3, L, stride=3, dilation=2)]


def _causal(rng: Generator) -> list[FunctionCase]:
    L = int(rng.integers(17, 24))
    return [
        _call(rng, 4, L, padding="causal"),
        _call(rng, 3, L, padding="causal", dilation=3),
        _call(rng, 4, L, padding="causal", stride=2, dilation=3),
        _call(rng, 3, 5, padding="causal", dilation=4),  # the kernel is longer than the sequence
    ]


def _same(rng: Generator) -> list[FunctionCase]:
    # an even width leaves an odd number of zeros: the sides differ
    L = int(rng.integers(11, 16))
    return [
        _call(rng, 3, L, padding="same"),
        _call(rng, 4, L, padding="same"),
        _call(rng, 4, L, padding="same", dilation=3),
        _call(rng, 1, L, padding="same"),  # nothing to pad
    ]


def _same_strided(rng: Generator) -> list[FunctionCase]:
    # L is chosen such that the zeros differ from those of stride 1; W = 4 with stride 2 hides it
    k = int(rng.integers(0, 3))
    return [
        _call(rng, 3, 10 + 2 * k, padding="same", stride=2),
        _call(rng, 3, 14 + 3 * k, padding="same", stride=3, dilation=2),
        _call(rng, 2, 11 + 4 * k, padding="same", stride=4),  # nothing to pad, nothing to cut off
    ]


def _square_kernel(rng: Generator) -> FunctionCase:
    # C = F on purpose: a kernel read as (W, F, C) then gives numbers where it else gives an error
    x, kernel = off_centre(rng, 3, 11, 5), off_centre(rng, 4, 5, 5)
    return FunctionCase((x, kernel))


def _integers(rng: Generator) -> FunctionCase:
    case = _call(rng, 3, 12, stride=2)
    x, *others = case.args
    return replace(case, args=(x.astype(np.int64), *others))


def _same_dilated(rng: Generator) -> FunctionCase:
    return _call(rng, 3, 13, dilation=2, padding="same")


def _strided_causal(rng: Generator) -> FunctionCase:
    return _call(rng, 3, 13, stride=2, dilation=2, padding="causal")


def _refuses_full(trial: Trial) -> object:
    case = _call(trial.rng, 3, 13, padding="full")
    return case.found(trial.probe, trial.exercise.symbol)


def _halves_swapped(L: int, W: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    left, right = margins(L, W, stride, dilation, padding)
    return (right, left) if padding == "same" else (left, right)


def _same_as_for_stride_1(L: int, W: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    return margins(L, W, 1, dilation, padding)


def _half_a_kernel_each_side(L: int, W: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    if padding == "same":
        return W // 2 * dilation, W // 2 * dilation
    return margins(L, W, stride, dilation, padding)


def _causal_by(left: Callable[[int, int], int], right: Callable[[int, int], int]) -> Margins:
    """Returns the rule that pads "causal" by functions of W and dilation."""

    def rule(L: int, W: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
        if padding == "causal":
            return left(W, dilation), right(W, dilation)
        return margins(L, W, stride, dilation, padding)

    return rule


def _length_rounded_down(
    x: Array, kernel: Array, bias: Array | None = None, *, padding: str = "valid", **how: int
) -> Array:
    out = conv1d(x, kernel, bias, padding=padding, **how)
    return out[:, : x.shape[1] // how.get("stride", 1)] if padding == "same" else out


def _kernel_one_gap_too_long(
    x: Array, kernel: Array, bias: Array | None = None, *, padding: str = "valid", **how: int
) -> Array:
    W, stride, dilation = len(kernel), how.get("stride", 1), how.get("dilation", 1)
    left, right = margins(x.shape[1], W, stride, dilation, padding)
    steps = (left + x.shape[1] + right - W * dilation) // stride + 1
    return conv1d(x, kernel, bias, padding=padding, **how)[:, :steps]


def _thinned_input(x: Array, kernel: Array, bias: Array | None = None, *, dilation: int = 1, **how: Any) -> Array:
    return conv1d(x[:, ::dilation], kernel, bias, **how)


def _exchanged(
    x: Array, kernel: Array, bias: Array | None = None, *, stride: int = 1, dilation: int = 1, **how: Any
) -> Array:
    return conv1d(x, kernel, bias, stride=dilation, dilation=stride, **how)


def _in_the_dtype_of_x(x: Array, kernel: Array, bias: Array | None = None, **how: Any) -> Array:
    kernel, bias = kernel.astype(x.dtype), None if bias is None else bias.astype(x.dtype)
    return conv1d(x, kernel, bias, **how).astype(x.dtype)


def _channels_apart(x: Array, kernel: Array, bias: Array | None = None, **how: Any) -> Array:
    C = x.shape[2]
    parts = [conv1d(x[..., c : c + 1], kernel[:, c : c + 1], bias, **how) for c in range(C)]
    return np.stack(parts, axis=2)


def _relu_at_every_tap(
    x: Array, kernel: Array, bias: Array | None = None, *, stride: int = 1, dilation: int = 1, padding: str = "valid"
) -> Array:
    W = len(kernel)
    left, right = margins(x.shape[1], W, stride, dilation, padding)
    out = 0.0
    for w in range(W):
        tap = np.zeros_like(kernel, np.float64)
        tap[w] = kernel[w]
        out = out + np.maximum(slide(x, tap, None, stride, dilation, left, right), 0)
    return np.asarray(out if bias is None else out + bias)


def _is_causal(found: Array, x: Array, kernel: Array, bias: Array | None = None, **how: Any) -> bool:
    return how.get("padding") != "causal" or np.allclose(
        found[:, 0], slide(x[:, :1], kernel[-1:], bias, 1, 1, 0, 0)[:, 0], atol=1e-3
    )


# fmt: off
READY_MADE_CONVOLUTIONS = (
    "conv1d", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "SeparableConv1D",
    "DepthwiseConv1D", "conv", "conv2d", "conv_transpose", "depthwise_conv", "separable_conv",
    "depthwise_conv2d", "separable_conv2d", "convolution", "conv_general_dilated", "convolve",
    "correlate", "fftconvolve", "oaconvolve", "convolve1d", "correlate1d", "lfilter",
)
# fmt: on

CONV1D = Exercise(
    symbol="conv1d",
    formula=conv1d,
    checks=(
        agrees(
            "multiplies every window with the kernel and sums over taps and channels",
            _one_window_at_a_time,
            points=1,
            hint='padding "valid", no bias, an asymmetric kernel; B, L, W, C and F all differ.',
        ),
        agrees("adds the bias once", _with_bias, points=1, hint="A bias far from 0."),
        agrees(
            "reads by stride and dilation",
            _strided_and_dilated,
            points=1,
            hint="Dilation 3, stride 2, then both above 1.",
        ),
        agrees(
            "pads causally",
            _causal,
            points=1,
            hint="With stride and dilation, and with a kernel longer than the sequence.",
        ),
        agrees(
            'pads "same" for odd and even kernels',
            _same,
            points=1,
            hint="Stride 1; widths 3 and 4, with and without dilation.",
        ),
        agrees(
            'pads "same" when the stride is above 1',
            _same_strided,
            points=1,
            hint="Lengths that the stride divides and lengths that it does not.",
        ),
        agrees(
            "reads the kernel as (W, C, F)",
            _square_kernel,
            cost=0.5,
            hint="C = F, so that exchanged axes give numbers, not an error.",
        ),
        conventions.leaves_arguments_alone(_with_bias, cost=0.5),
        conventions.keeps_float64(_strided_causal, cost=0.5),
        conventions.takes_whole_numbers(_integers, cost=0.5, hint="x holds integers, kernel and bias do not."),
        conventions.takes_tensors(_same_dilated, cost=0.5),
        rejects("refuses a padding that it does not know", _refuses_full, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "kernel-flipped",
            "You meet the taps of the kernel in reverse order: its last row multiplies the earliest step of the "
            "window. Mathematicians call that convolution (and np.convolve does it), networks don't: see the sum in "
            "section 1.",
            wrong=lambda x, kernel, *bias, **how: conv1d(x, kernel[::-1], *bias, **how),
            edit=(("ops.matmul(taken, kernel[w])", "ops.matmul(taken, kernel[W - 1 - w])"),),
        ),
        Misconception(
            "bias-forgotten",
            "Every output is off by the same number per filter: the bias is missing. Look at the first term of the "
            "formula in section 1.",
            wrong=lambda x, kernel, bias=None, **how: conv1d(x, kernel, **how),
            edit=(("out if bias is None else out + ops.cast(bias, dtype)", "out"),),
        ),
        Misconception(
            "bias-at-every-tap",
            "Your bias is inside the sum over the taps, so each output holds it W times. Compare where the sum in "
            "section 1 begins.",
            wrong=lambda x, kernel, bias=None, **how: conv1d(
                x, kernel, None if bias is None else len(kernel) * bias, **how
            ),
            edit=(
                (
                    "out = out + ops.matmul(taken, kernel[w])",
                    "out = out + ops.matmul(taken, kernel[w]) + (0 if bias is None else bias)",
                ),
                ("out if bias is None else out + ops.cast(bias, dtype)", "out"),
            ),
        ),
        Misconception(
            "activation-added",
            "Your result has no negative number where the formula has some: there is an activation in it. conv1d in "
            "section 1 is linear.",
            wrong=lambda *args, **how: np.maximum(conv1d(*args, **how), 0),
            edit=(
                (
                    "return out if bias is None else out + ops.cast(bias, dtype)",
                    "return ops.relu(out if bias is None else out + ops.cast(bias, dtype))",
                ),
            ),
        ),
        Misconception(
            "activation-at-every-tap",
            "You cut off negative numbers tap by tap, before they are summed, so that nothing negative is left to "
            "cancel anything. The sum in section 1 has no activation in it.",
            wrong=_relu_at_every_tap,
            edit=(("out + ops.matmul(taken, kernel[w])", "out + ops.relu(ops.matmul(taken, kernel[w]))"),),
        ),
        Misconception(
            "kernel-axes-exchanged",
            "You use kernel[w] as (F, C). When C and F differ that is an error, when they are equal the numbers are "
            "wrong without a sign: section 1 says which axis is which.",
            wrong=lambda x, kernel, *bias, **how: conv1d(x, kernel.transpose(0, 2, 1), *bias, **how),
            edit=(("ops.matmul(taken, kernel[w])", "ops.matmul(taken, ops.transpose(kernel[w]))"),),
        ),
        Misconception(
            "channels-not-summed",
            "Your result has one axis too many, of size C: the products of the channels are still apart. In section 1 "
            "the sum runs over the taps and over something else.",
            wrong=_channels_apart,
            edit=(("ops.matmul(taken, kernel[w])", "taken[..., None] * kernel[w]"),),
        ),
        Misconception(
            "first-sequence-for-all",
            "Every sequence of the batch gets the result of the first one. Look where the batch index b stands in the "
            "formula of section 1.",
            wrong=lambda x, *args, **how: conv1d(np.broadcast_to(x[:1], x.shape), *args, **how),
            edit=(
                (
                    "taken = x[:, first : first + last + 1 : stride]",
                    "taken = ops.repeat(x[:1, first : first + last + 1 : stride], B, axis=0)",
                ),
            ),
        ),
        Misconception(
            "stride-and-dilation-exchanged",
            "You step by the dilation and spread the taps by the stride. In the index of x in section 1, see which of "
            "them multiplies t and which multiplies w.",
            wrong=_exchanged,
            edit=(("double =", "stride, dilation = dilation, stride\n    double ="),),
        ),
        Misconception(
            "dilation-ignored",
            "Your result is that of dilation 1: the taps read neighbours whatever the dilation is. Read the index of "
            "x in section 1 again.",
            wrong=lambda *args, dilation=1, **how: conv1d(*args, **how),
            edit=(("double =", "dilation = 1\n    double ="),),
        ),
        Misconception(
            "stride-ignored",
            "Your result is that of stride 1: it has an output for every step. Read the index of x in section 1 again.",
            wrong=lambda *args, stride=1, **how: conv1d(*args, **how),
            edit=(("double =", "stride = 1\n    double ="),),
        ),
        Misconception(
            "dilation-thins-the-input",
            "You drop steps from the sequence and convolve what is left, so there are too few outputs. Dilation "
            "spreads the taps; the kernel still starts at every step. See the picture in section 1.",
            wrong=_thinned_input,
            edit=(("    B, L, C = x.shape", "    x, dilation = x[:, ::dilation], 1\n    B, L, C = x.shape"),),
        ),
        Misconception(
            "same-length-rounded-down",
            'With padding "same" and a stride that does not divide L the last output is missing: the length is '
            "rounded the other way. See L' in section 1.",
            wrong=_length_rounded_down,
            edit=(
                (
                    "steps = (x.shape[1] - span) // stride + 1",
                    "steps = (x.shape[1] - span) // stride + 1\n"
                    '    steps = L // stride if padding == "same" else steps',
                ),
            ),
        ),
        Misconception(
            "span-one-gap-too-long",
            "Outputs are missing at the end as soon as the taps are spread: you count a gap after the last tap. Count "
            "the gaps between W taps on your fingers, then see section 1.",
            wrong=_kernel_one_gap_too_long,
            edit=(("steps = (x.shape[1] - span) // stride + 1", "steps = (x.shape[1] - W * dilation) // stride + 1"),),
        ),
        Misconception(
            "last-window-missing",
            "Your result is one step short: the window that fits as the last one is not used. Work through the three "
            "numbers by hand in section 1 and count the windows.",
            wrong=lambda *args, **how: conv1d(*args, **how)[:, :-1],
            edit=(("steps = (x.shape[1] - span) // stride + 1", "steps = (x.shape[1] - span) // stride"),),
        ),
        Misconception(
            "causal-ignores-dilation",
            'With padding "causal" and a dilation above 1 your result is too short: you put W − 1 zeros in front, '
            "which is enough for dilation 1 only. See the table of paddings in section 1.",
            wrong=padded_by(_causal_by(lambda W, dilation: W - 1, lambda W, dilation: 0)),
            edit=(("left, right = span - 1, 0", "left, right = W - 1, 0"),),
        ),
        Misconception(
            "causal-looks-ahead",
            'With padding "causal" you put zeros on both sides, half and half: the outputs depend on later steps. '
            "Change a late step and watch the earlier outputs, then see the table in section 1.",
            wrong=padded_by(
                lambda L, W, stride, dilation, padding: margins(
                    L, W, stride, dilation, "same" if padding == "causal" else padding
                )
            ),
            edit=(
                ('elif padding == "causal":', 'elif padding == "never":'),
                ('elif padding == "same":', 'elif padding in ("same", "causal"):'),
            ),
        ),
        Misconception(
            "causal-pads-both-sides",
            'With padding "causal" your result is too long: the zeros stand on both sides, and the outputs at the end '
            "look beyond the sequence. See the table of paddings in section 1.",
            wrong=padded_by(_causal_by(lambda W, dilation: (W - 1) * dilation, lambda W, dilation: (W - 1) * dilation)),
            edit=(("left, right = span - 1, 0", "left, right = span - 1, span - 1"),),
        ),
        Misconception(
            "causal-pads-the-end",
            'With padding "causal" your zeros stand after the sequence, so each output sees only the present and the '
            "future. See the table of paddings in section 1.",
            wrong=padded_by(_causal_by(lambda W, dilation: 0, lambda W, dilation: (W - 1) * dilation)),
            edit=(("left, right = span - 1, 0", "left, right = 0, span - 1"),),
        ),
        Misconception(
            "causal-unpadded",
            'With padding "causal" your result is as short as that of "valid". See the table of paddings in section 1.',
            wrong=padded_by(_causal_by(lambda W, dilation: 0, lambda W, dilation: 0)),
            edit=(("left, right = span - 1, 0", "left, right = 0, 0"),),
        ),
        Misconception(
            "same-ignores-stride",
            'With padding "same" you put as many zeros as for stride 1 (to compute every step and keep each stride-th '
            "gives the same numbers): windows start at other steps. See what the total number of zeros depends on in "
            "section 1.",
            wrong=padded_by(_same_as_for_stride_1),
            edit=(("total = max((-(-L // stride) - 1) * stride + span - L, 0)", "total = span - 1"),),
        ),
        Misconception(
            "same-odd-zero-on-the-left",
            'With padding "same" and an odd number of zeros your result is shifted by one step: the odd zero stands '
            "on the left. See which half is rounded down in section 1.",
            wrong=padded_by(_halves_swapped),
            edit=(("left, right = total // 2, total - total // 2", "left, right = total - total // 2, total // 2"),),
        ),
        Misconception(
            "same-half-a-kernel-each-side",
            'With padding "same" you put W // 2 taps of zeros on each side; for an even W the result is too long, and '
            "with a stride the windows start elsewhere. See the table of paddings in section 1.",
            wrong=padded_by(_half_a_kernel_each_side),
            edit=(
                ("left, right = total // 2, total - total // 2", "left, right = W // 2 * dilation, W // 2 * dilation"),
            ),
        ),
        conventions.keeps_integers(
            "what section 1 says about precision",
            (
                'dtype = "float64" if double else "float32"',
                "dtype = keras.backend.standardize_dtype(x.dtype)",
            ),
            wrong=_in_the_dtype_of_x,
        ),
        conventions.computes_in_float32(
            "what section 1 says about precision",
            ('dtype = "float64" if double else "float32"', 'dtype = "float32"'),
        ),
        conventions.changes_its_arguments(
            "the list of promises in section 1",
            (
                "    B, L, C = x.shape",
                "    if isinstance(given, np.ndarray):\n        given[:, -1] = 0\n    B, L, C = x.shape",
            ),
            ("x, kernel = ops.convert_to_tensor(x)", "given, x, kernel = x, ops.array(np.array(x))"),
        ),
    ),
    properties=(Property('with padding "causal" the first output depends on the first step only', _is_causal),),
    forbidden=READY_MADE_CONVOLUTIONS,
)
