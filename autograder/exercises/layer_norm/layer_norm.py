"""layer_norm: every token's vector is centred, brought to spread 1, then scaled and shifted.

Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv:1607.06450, section 3, equation (3); gain and bias as in
equation (4). Epsilon stands under the root, as in Ioffe & Szegedy 2015, "Batch Normalization", arXiv:1502.03167,
algorithm 1.
"""

from __future__ import annotations

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    Tolerance,
    agrees,
    conventions,
    distinct_sizes,
    named,
    raises_on,
    right_on,
)
from autograder.exercises.layer_norm.inputs import affine, in_integers, sizes, tokens

FAR = Tolerance(rtol=1e-2, atol=1e-2)
"""Ten thousand away from 0, float32 keeps three decimals: no formula can do much better."""


def layer_norm(z: Array, gamma: Array, beta: Array, epsilon: float = 1e-6) -> Array:
    """Returns gamma (z - mu) / sqrt(sigma^2 + epsilon) + beta over the last axis, z (..., D)."""
    mean = z.mean(axis=-1, keepdims=True)
    variance = z.var(axis=-1, keepdims=True)
    return gamma * (z - mean) / np.sqrt(variance + epsilon) + beta


def _plain(rng: Generator) -> FunctionCase:
    batch, time, depth = sizes(rng)
    return FunctionCase((tokens(rng, batch, time, depth), *affine(rng, depth)))


def _matrix_and_heads(rng: Generator) -> list[FunctionCase]:
    batch, heads, time, depth = distinct_sizes(rng, 4, 4, 9)
    weights = affine(rng, depth)
    return [FunctionCase((tokens(rng, *shape, depth), *weights)) for shape in ((time,), (batch, heads, time))]


def _small(rng: Generator) -> FunctionCase:
    # at a spread of 0.001 the variance is as large as epsilon: its place in the formula shows
    batch, time, depth = sizes(rng)
    return FunctionCase((tokens(rng, batch, time, depth, spread=1e-3), *affine(rng, depth)))


def _other_epsilon(rng: Generator) -> FunctionCase:
    batch, time, depth = sizes(rng)
    z = tokens(rng, batch, time, depth, spread=1.0)
    return FunctionCase((z, *affine(rng, depth)), {"epsilon": 0.5})


def _equal_sizes(rng: Generator) -> FunctionCase:
    # B = T = D: statistics of shape (B, T) fit (B, T, D) along the wrong axes, and nothing raises
    size = int(rng.integers(4, 8))
    return FunctionCase((tokens(rng, size, size, size), *affine(rng, size)))


def _equal_numbers(rng: Generator) -> FunctionCase:
    # halves and a power of two: the mean is exact in float32, however it is added up
    batch, time = distinct_sizes(rng, 2, 2, 8)
    depth = int(rng.choice([4, 8]))
    levels = rng.integers(1, 9, (batch, time, 1)) / 2 * rng.choice([-1, 1], (batch, time, 1))
    return FunctionCase((np.repeat(levels, depth, -1).astype(np.float32), *affine(rng, depth)))


def _far_away(rng: Generator) -> FunctionCase:
    # quarters and D = 8: the mean is exact in float32, so the two-pass formula loses nothing at all
    batch, time = distinct_sizes(rng, 2, 3, 8)
    offset = rng.integers(9_000, 11_000, (batch, time, 1))
    z = offset + np.round(4 * tokens(rng, batch, time, 8, spread=2.0)) / 4
    return FunctionCase((z.astype(np.float32), *affine(rng, 8)), {"epsilon": 1e-6})


def _wide(rng: Generator) -> FunctionCase:
    # where no mistake about epsilon changes the first ten digits
    batch, time, depth = sizes(rng)
    return FunctionCase((tokens(rng, batch, time, depth, spread=1e6), *affine(rng, depth)))


def centred(z: Array) -> Array:
    """Returns z less the mean of each vector."""
    return z - z.mean(-1, keepdims=True)


def _with_statistics_over(*axes: int) -> Formula:
    """Returns layer_norm with its statistics over other axes; over all of them if none is named."""

    def wrong(z: Array, gamma: Array, beta: Array, epsilon: float = 1e-6) -> Array:
        mean, variance = (f(axes or None, keepdims=True) for f in (z.mean, z.var))
        return gamma * (z - mean) / np.sqrt(variance + epsilon) + beta

    return wrong


def _batch_norm(z: Array, gamma: Array, beta: Array, epsilon: float = 1e-6) -> Array:
    return _with_statistics_over(*range(z.ndim - 1))(z, gamma, beta, epsilon)


def _rms_norm(z: Array, gamma: Array, beta: Array, epsilon: float = 1e-6) -> Array:
    # Zhang & Sennrich 2019, arXiv:1910.07467, equation (4), with an epsilon and a beta
    return gamma * z / np.sqrt((z**2).mean(-1, keepdims=True) + epsilon) + beta


def _axis_edits(axis: str) -> tuple[tuple[str, str], ...]:
    return (
        ("ops.mean(z, axis=-1", f"ops.mean(z, axis={axis}"),
        ("ops.square(z - mean), axis=-1", f"ops.square(z - mean), axis={axis}"),
    )


FORMULA_MISTAKES = (
    Misconception(
        "statistics-over-time",
        "You take mean and variance over the time axis: every feature is normalised along the sequence. A vector's "
        "result then changes with its neighbours. Section 2 says over which axis.",
        wrong=_with_statistics_over(-2),
        edit=_axis_edits("-2"),
    ),
    Misconception(
        "statistics-over-the-batch",
        "You take mean and variance over axis 0: a sequence's result then changes with the others in its batch. "
        "Section 2 says over which axis.",
        wrong=_with_statistics_over(0),
        edit=_axis_edits("0"),
    ),
    Misconception(
        "statistics-of-batch-norm",
        "You take mean and variance over batch and time, for each feature: that is BatchNorm. Every column of your "
        "result is normalised where every row should be; section 6 draws the two side by side.",
        wrong=_batch_norm,
        edit=_axis_edits("tuple(range(len(z.shape) - 1))"),
    ),
    Misconception(
        "statistics-over-the-sequence",
        "You take one mean and one variance for a whole sequence, over its last two axes. The vectors of your result "
        "then keep different spreads. Section 2 gives one mean and one variance to each vector.",
        wrong=_with_statistics_over(-2, -1),
        edit=_axis_edits("(-2, -1)"),
    ),
    Misconception(
        "statistics-over-everything",
        "You take one mean and one variance of the whole array: without an axis, mean and var use all of them. "
        "Section 2 gives one of each to every vector.",
        wrong=_with_statistics_over(),
        edit=_axis_edits("None"),
    ),
    Misconception(
        "keepdims-missing",
        "Your mean and variance lose the last axis: on sizes that differ the subtraction raises an error, and on "
        "equal sizes it silently subtracts other vectors' means. Look at the shapes under the formula in section 2.",
        edit=(
            ("ops.mean(z, axis=-1, keepdims=True)", "ops.mean(z, axis=-1)"),
            ("ops.square(z - mean), axis=-1, keepdims=True", "ops.square(z - mean), axis=-1"),
        ),
    ),
    Misconception(
        "sample-variance",
        "You divide the squares by D - 1, the sample variance (ddof=1, torch.std's default); the formula takes the "
        "population variance. Your results are a little too small, by the same factor everywhere: compare section 2.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: (
            gamma * centred(z) / np.sqrt(z.var(-1, ddof=1, keepdims=True) + epsilon) + beta
        ),
        edit=(
            (
                "ops.mean(ops.square(z - mean), axis=-1, keepdims=True)",
                "ops.sum(ops.square(z - mean), axis=-1, keepdims=True) / (z.shape[-1] - 1)",
            ),
        ),
    ),
    Misconception(
        "divides-by-the-variance",
        "You divide by the variance without taking the root: doubling z halves your result where it should stay the "
        "same. Compare the denominator in section 2.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: gamma * centred(z) / (z.var(-1, keepdims=True) + epsilon) + beta,
        edit=(("ops.sqrt(variance + ", "(variance + "),),
    ),
    Misconception(
        "squares-instead-of-root",
        "You square where the formula takes the root: on vectors of spread 30 hardly anything but beta is left. "
        "Compare the denominator in section 2.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: (
            gamma * centred(z) / (z.var(-1, keepdims=True) + epsilon) ** 2 + beta
        ),
        edit=(("ops.sqrt(variance + ", "ops.square(variance + "),),
    ),
    Misconception(
        "root-mean-square-norm",
        "You never take the mean away, neither above nor below the line: that is RMSNorm (Zhang & Sennrich 2019). "
        "Your normalised vectors don't add up to 0; section 2 centres them first.",
        wrong=_rms_norm,
        edit=(("ops.mean(z, axis=-1, keepdims=True)", "0.0"),),
    ),
    Misconception(
        "mean-not-subtracted",
        "You divide by the right root but leave the mean in: your normalised vectors don't add up to 0. Compare the "
        "numerator in section 2.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: gamma * z / np.sqrt(z.var(-1, keepdims=True) + epsilon) + beta,
        edit=(("(z - mean) / ops.sqrt", "z / ops.sqrt"),),
    ),
    Misconception(
        "gamma-and-beta-forgotten",
        "You return the normalised vectors as they are: every result has mean 0, whatever gamma and beta are. With "
        "gamma = 1 and beta = 0 one can't see it. Section 2 has two more steps.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: layer_norm(z, np.ones_like(gamma), np.zeros_like(beta), epsilon),
        edit=(("return gamma * normalised + beta", "return normalised"),),
    ),
    Misconception(
        "beta-forgotten",
        "You scale by gamma but don't add beta: a vector of equal numbers gives 0. Read the end of the formula in "
        "section 2 again.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: layer_norm(z, gamma, np.zeros_like(beta), epsilon),
        edit=(("gamma * normalised + beta", "gamma * normalised"),),
    ),
    Misconception(
        "beta-before-gamma",
        "You add beta before you multiply by gamma, so beta is scaled as well. Section 2 scales first and shifts "
        "after.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: layer_norm(z, gamma, gamma * beta, epsilon),
        edit=(("gamma * normalised + beta", "gamma * (normalised + beta)"),),
    ),
    Misconception(
        "epsilon-outside-the-root",
        "You add epsilon to the standard deviation; the formula adds it to the variance, under the root. On vectors "
        "around 0.001 the two differ by almost a half. Look at the formula in section 2 and the example by hand in "
        "section 3 again.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: gamma * centred(z) / (z.std(-1, keepdims=True) + epsilon) + beta,
        edit=(("ops.sqrt(variance + epsilon)", "(ops.sqrt(variance) + epsilon)"),),
    ),
    Misconception(
        "epsilon-argument-ignored",
        "You use 1e-6 whatever epsilon the caller passes: with epsilon = 0.5 nothing changes. Use the argument; "
        "section 3 shows what it does.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: layer_norm(z, gamma, beta),
        edit=(("variance + epsilon", "variance + 1e-6"),),
    ),
    Misconception(
        "epsilon-forgotten",
        "You leave epsilon out. A vector of equal numbers then gives 0/0, and one around 0.001 comes out too large. "
        "Section 3 is about this one number.",
        wrong=lambda z, gamma, beta, epsilon=1e-6: layer_norm(z, gamma, beta, 0.0),
        edit=(("variance + epsilon", "variance"),),
    ),
    Misconception(
        "keras-default-epsilon",
        "Your default epsilon is 1e-3, which is what Keras' own layer takes; ours is 1e-6. On vectors around 0.001 "
        "your normalised vectors all but vanish. Section 3 shows both curves.",
        wrong=lambda z, gamma, beta, epsilon=1e-3: layer_norm(z, gamma, beta, epsilon),
        edit=(("epsilon=1e-6", "epsilon=1e-3"),),
    ),
)
"""Wrong formulas, for the function and the layer alike."""

READY_MADE = (
    "LayerNormalization",
    "layer_normalization",
    "RMSNormalization",
    "rms_normalization",
    "BatchNormalization",
    "batch_normalization",
    "GroupNormalization",
    "group_norm",
    "batch_norm",
    "fused_batch_norm",
    "batch_norm_with_global_normalization",
    "instance_norm",
)

CENTRED = Property(
    "(result - beta) / gamma has mean 0 over the last axis",
    lambda found, z, gamma, beta, **_: np.allclose(((found - beta) / gamma).mean(-1), 0, atol=1e-3),
)

LAYER_NORM = Exercise(
    symbol="layer_norm",
    formula=layer_norm,
    checks=(
        agrees(
            "normalises every vector of a batch of sequences",
            _plain,
            points=1.5,
            hint="Vectors off centre, gamma and beta far from 1 and 0, three distinct sizes.",
        ),
        agrees(
            "does so for a matrix and for four axes",
            _matrix_and_heads,
            points=0.5,
            hint="z of shape (T, D) and (B, H, T, D): always the last axis.",
        ),
        agrees(
            "epsilon is 1e-6 and stands where the formula has it",
            _small,
            points=1,
            hint="Vectors around 0.001, where the variance is about as large as epsilon.",
        ),
        agrees(
            "the epsilon that is passed is the one that counts",
            _other_epsilon,
            points=1,
            hint="epsilon=0.5 on vectors whose variance is about 1.",
        ),
        agrees(
            "gives beta for a vector of equal numbers",
            _equal_numbers,
            cost=0.5,
            hint="Nothing to normalise: no NaN, no infinity.",
        ),
        named(
            agrees(
                "gives the same where B, T and D are equal",
                _equal_sizes,
                cost=0.25,
                hint="On equal sizes a wrong broadcast raises no error.",
            ),
            "keepdims-missing",
            raises_on(_plain),
        ),
        named(
            agrees(
                "keeps its digits ten thousand away from 0",
                _far_away,
                tolerance=FAR,
                cost=0.25,
                hint="float32, mean around 10,000, standard deviation around 2.",
            ),
            "variance-by-cancellation",
            right_on(_plain),
        ),
        conventions.leaves_arguments_alone(_plain, cost=0.25),
        conventions.keeps_float64(_wide, cost=0.5),
        conventions.takes_whole_numbers(
            lambda rng: in_integers(_plain(rng)),
            cost=0.25,
            hint="z, gamma and beta of dtype int32; the result is float32 or wider.",
        ),
        conventions.takes_tensors(_plain, cost=0.25),
    ),
    misconceptions=(
        *FORMULA_MISTAKES,
        Misconception(
            "variance-by-cancellation",
            "You are right near 0 but not far from it: the mean of the squares minus the square of the mean takes two "
            "huge numbers from each other, and float32 has no digits left (Chan, Golub & LeVeque 1983). Section 2 "
            "defines the variance another way.",
            edit=(
                (
                    "ops.mean(ops.square(z - mean), axis=-1, keepdims=True)",
                    "ops.mean(ops.square(z), axis=-1, keepdims=True) - ops.square(mean)",
                ),
            ),
        ),
        conventions.computes_in_float32(
            "what section 1 says of precision", ("ops.multiply(array, 1.0)", 'ops.cast(array, "float32")')
        ),
        conventions.keeps_integers(
            "the note on whole numbers in section 1", ("ops.multiply(array, 1.0)", "ops.convert_to_tensor(array)")
        ),
        conventions.numpy_only(
            "section 1",
            ("ops.mean(z, axis=-1, keepdims=True)", "z.mean(axis=-1, keepdims=True)"),
            ("ops.multiply(array, 1.0)", "1.0 * array"),
        ),
        conventions.changes_its_arguments(
            "what every function here promises in section 1",
            ("ops.multiply(array, 1.0)", "np.asarray(array)"),
            ("ops.mean(z, axis=-1", "np.mean(z, axis=-1"),
            ("normalised = (z - mean)", "z -= mean\n    normalised = z"),
        ),
    ),
    properties=(CENTRED,),
    forbidden=READY_MADE,
)
