"""layer_norm_gradients: the same function on the way back, to z, gamma and beta.

Ioffe & Szegedy 2015, "Batch Normalization", arXiv:1502.03167, section 3, write the same chain rule for the batch axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Formula,
    FunctionCase,
    Generator,
    Misconception,
    Probe,
    Property,
    Trial,
    agrees,
    compare,
    conventions,
    distinct_sizes,
    holds,
)
from autograder.exercises.layer_norm.inputs import affine, in_integers, sizes, tokens
from autograder.exercises.layer_norm.layer_norm import LAYER_NORM, READY_MADE, centred


def layer_norm_gradients(z: Array, gamma: Array, upstream: Array, epsilon: float = 1e-6) -> tuple[Array, Array, Array]:
    """Returns the derivatives of sum(upstream * layer_norm(z, gamma, beta)) by z, gamma and beta.

    Moving z_i moves the output directly, through mu and through sigma^2: the three terms of dz.
    Ioffe & Szegedy 2015, section 3, write the same chain rule for the batch axis.
    """
    arriving, normalised, root = _pieces(z, gamma, upstream, epsilon)
    through_mean = arriving.mean(axis=-1, keepdims=True)
    through_variance = normalised * (arriving * normalised).mean(axis=-1, keepdims=True)
    dz = (arriving - through_mean - through_variance) / root
    return dz, over_tokens(upstream * normalised), over_tokens(upstream)


def _pieces(z: Array, gamma: Array, upstream: Array, epsilon: float = 1e-6) -> tuple[Array, Array, Array]:
    """Returns what arrives at the normalised z (..., D), that (..., D), and the root (..., 1)."""
    root = np.sqrt(z.var(axis=-1, keepdims=True) + epsilon)
    return upstream * gamma, (z - z.mean(axis=-1, keepdims=True)) / root, root


def over_tokens(values: Array) -> Array:
    """Returns the sum over all axes but the last, (..., D) to (D,), in float64."""
    return values.sum(axis=tuple(range(values.ndim - 1)), dtype=np.float64)


def _upstream(rng: Generator, *shape: int, scale: float = 1.0) -> Array:
    """Returns upstream gradients whose mean is not 0, so that a forgotten mean shows."""
    return (scale * rng.normal(1.0, 1.0, shape)).astype(np.float32)


NOT_THREE = "The result is not three values, (dz, dgamma, dbeta)."


@dataclass(frozen=True)
class Part(FunctionCase):
    """One of the three gradients, so that each earns its own points: 0 is dz, 1 dgamma, 2 dbeta."""

    part: int = 0

    def found(self, probe: Probe, symbol: str) -> Any:
        """Returns this part of what the student's function makes of the inputs."""
        value = super().found(probe, symbol)
        if not isinstance(value, (tuple, list)) or len(value) != 3:
            raise Broken(NOT_THREE)
        return value[self.part]

    def expected(self, formula: Formula) -> Any:
        """Returns this part of what a formula makes of them."""
        return super().expected(formula)[self.part]


def _flow(rng: Generator, *shape: int, spread: float = 30.0, scale: float | None = None) -> FunctionCase:
    # an upstream as large as the spread makes dz about 1, where the tolerance is made for
    gamma, _ = affine(rng, shape[-1])
    upstream = _upstream(rng, *shape, scale=spread if scale is None else scale)
    return FunctionCase((tokens(rng, *shape, spread=spread), gamma, upstream))


def _plain_flow(rng: Generator) -> FunctionCase:
    return _flow(rng, *sizes(rng), scale=1.0)


def _wide_flow(rng: Generator) -> FunctionCase:
    return _flow(rng, *sizes(rng), spread=1e6)


def _gradient(part: int) -> Callable[[Generator], Part]:
    """Returns the generator of one part's cases; sums over tokens take an upstream of about 1."""

    def case(rng: Generator) -> Part:
        flow = _flow(rng, *sizes(rng), scale=None if part == 0 else 1.0)
        return Part(flow.args, flow.kwargs, part=part)

    return case


def _other_ranks(rng: Generator) -> list[Part]:
    batch, heads, time, depth = distinct_sizes(rng, 4, 4, 9)
    return [
        Part(_flow(rng, *shape, depth).args, part=part) for shape in ((time,), (batch, heads, time)) for part in (0, 2)
    ]


def _epsilon_flows(rng: Generator) -> list[Part]:
    small = _flow(rng, *sizes(rng), spread=1e-3)
    other = _flow(rng, *sizes(rng), spread=1.0)
    return [Part(small.args), Part(other.args, {"epsilon": 0.5})]


def _is_linear(trial: Trial) -> None:
    z, gamma, upstream = _plain_flow(trial.rng).args
    once = trial.probe.call("layer_norm_gradients", z, gamma, upstream)
    twice = trial.probe.call("layer_norm_gradients", z, gamma, 2 * upstream)
    if not isinstance(once, (tuple, list)) or not all(isinstance(part, np.ndarray) for part in once):
        raise Broken(NOT_THREE)
    if difference := compare(twice, [2.0 * np.asarray(part, np.float64) for part in once]):
        raise Broken("With an upstream twice as large, not everything came out twice as large: " + difference.message)


def _with_dz(rule: Callable[[Array, Array, Array], Array]) -> Formula:
    """Returns the gradients with another rule for dz, made of the three pieces."""

    def wrong(z: Array, gamma: Array, upstream: Array, epsilon: float = 1e-6) -> tuple[Array, ...]:
        _, dgamma, dbeta = layer_norm_gradients(z, gamma, upstream, epsilon)
        return rule(*_pieces(z, gamma, upstream, epsilon)), dgamma, dbeta

    return wrong


def _with_sums(total: Callable[[Array], Array]) -> Formula:
    """Returns the gradients with dgamma and dbeta added up in another way."""

    def wrong(z: Array, gamma: Array, upstream: Array, epsilon: float = 1e-6) -> tuple[Array, ...]:
        dz, _, _ = layer_norm_gradients(z, gamma, upstream, epsilon)
        _, normalised, _ = _pieces(z, gamma, upstream, epsilon)
        return dz, total(upstream * normalised), total(upstream)

    return wrong


def _with_root(of: Callable[[Array, float], Array]) -> Formula:
    """Returns the gradients of another denominator, from z and epsilon."""

    def wrong(z: Array, gamma: Array, upstream: Array, epsilon: float = 1e-6) -> tuple[Array, ...]:
        root = of(z, epsilon)
        g, n = upstream * gamma, centred(z) / root
        dz = (g - _mean(g) - n * _mean(g * n)) / root
        return dz, over_tokens(upstream * n), over_tokens(upstream)

    return wrong


def _here(name: str, wrong: Formula) -> Misconception:
    """Returns a mistake of layer_norm as it shows in the gradients."""
    return replace(LAYER_NORM.misconception(name), wrong=wrong)


def _mean(values: Array) -> Array:
    return values.mean(-1, keepdims=True)


def _sum(values: Array) -> Array:
    return values.sum(-1, keepdims=True)


_THROUGH_MEAN = "ops.mean(arriving, axis=-1, keepdims=True)"
_THROUGH_VARIANCE = "normalised * ops.mean(arriving * normalised, axis=-1, keepdims=True)"

LAYER_NORM_GRADIENTS = Exercise(
    symbol="layer_norm_gradients",
    formula=layer_norm_gradients,
    checks=(
        agrees(
            "dbeta adds up what arrives at beta",
            _gradient(2),
            points=0.5,
            hint="Three sizes that all differ; dbeta has the shape of gamma.",
        ),
        agrees(
            "dgamma adds up what arrives at gamma",
            _gradient(1),
            points=1,
            hint="Three sizes that all differ; dgamma has the shape of gamma.",
        ),
        agrees(
            "dz takes all three ways from z to the output",
            _gradient(0),
            points=2,
            hint="An upstream whose mean is not 0, gamma far from 1.",
        ),
        agrees(
            "dz and dbeta are right for a matrix and for four axes",
            _other_ranks,
            points=0.5,
            hint="z of shape (T, D) and (B, H, T, D).",
        ),
        agrees(
            "epsilon counts in dz as in layer_norm",
            _epsilon_flows,
            points=1,
            hint="Vectors around 0.001 with the default, and epsilon=0.5.",
        ),
        holds("is linear in upstream", _is_linear, cost=0.25, hint="Twice the upstream, twice the gradients."),
        conventions.leaves_arguments_alone(_plain_flow, cost=0.25),
        conventions.keeps_float64(_wide_flow, cost=0.5, otherwise=_plain_flow),
        conventions.takes_whole_numbers(
            lambda rng: in_integers(_plain_flow(rng)),
            cost=0.25,
            hint="z, gamma and upstream of dtype int32; the results are float32 or wider.",
        ),
        conventions.takes_tensors(_plain_flow, cost=0.25),
    ),
    misconceptions=(
        Misconception(
            "statistics-as-constants",
            "Your dz goes only the direct way: it treats mean and variance as fixed numbers, though they move with z. "
            "You see it in the sums: your vectors of dz don't add up to 0. Section 4 names three ways.",
            wrong=_with_dz(lambda g, n, s: g / s),
            edit=(("(arriving - through_mean - through_variance) / deviation", "arriving / deviation"),),
        ),
        Misconception(
            "variance-as-constant",
            "Your dz lacks the way through the variance: its vectors add up to 0, but stretching z still seems to "
            "change the output. Section 4 names three ways, and two tests by hand.",
            wrong=_with_dz(lambda g, n, s: (g - _mean(g)) / s),
            edit=((" - through_variance)", ")"),),
        ),
        Misconception(
            "mean-as-constant",
            "Your dz lacks the way through the mean: its vectors don't add up to 0, though adding one number to a "
            "whole vector changes nothing. Section 4 names three ways.",
            wrong=_with_dz(lambda g, n, s: (g - n * _mean(g * n)) / s),
            edit=(("arriving - through_mean", "arriving"),),
        ),
        Misconception(
            "sums-for-means",
            "You add up over the features where mu and sigma^2, being means, bring a factor 1/D. Both corrections in "
            "your dz are D times too large; take the two derivatives in section 4 again.",
            wrong=_with_dz(lambda g, n, s: (g - _sum(g) - n * _sum(g * n)) / s),
            edit=(
                (_THROUGH_MEAN, _THROUGH_MEAN.replace("mean(", "sum(", 1)),
                (_THROUGH_VARIANCE, _THROUGH_VARIANCE.replace("ops.mean(", "ops.sum(")),
            ),
        ),
        Misconception(
            "variance-path-with-wrong-sign",
            "The way through the variance has the wrong sign in your dz: a larger variance makes the output smaller. "
            "Take the derivative of one over a root in section 4 again.",
            wrong=_with_dz(lambda g, n, s: (g - _mean(g) + n * _mean(g * n)) / s),
            edit=(("through_mean - through_variance", "through_mean + through_variance"),),
        ),
        Misconception(
            "gamma-forgotten-in-dz",
            "Your dz starts from upstream, but what arrives at the normalised vector has passed gamma on its way "
            "back. With gamma = 1 one can't see it. Follow the arrows in section 4 from the right.",
            wrong=lambda z, gamma, upstream, epsilon=1e-6: layer_norm_gradients(
                z, np.ones_like(gamma), upstream, epsilon
            ),
            edit=(("arriving = upstream * gamma", "arriving = upstream"),),
        ),
        Misconception(
            "upstream-ignored",
            "You differentiate the plain sum of the output: the result is the same whatever upstream is. In section 4 "
            "every entry of the output has its own weight.",
            wrong=lambda z, gamma, upstream, epsilon=1e-6: layer_norm_gradients(
                z, gamma, np.ones_like(upstream), epsilon
            ),
            edit=(("mean = ops.mean(z,", "upstream = ops.ones_like(upstream)\n    mean = ops.mean(z,"),),
        ),
        Misconception(
            "last-division-forgotten",
            "Your dz is the gradient at the centred vector: one division on the way back to z is missing. On vectors "
            "of spread 30 it is thirty times too large. Follow the arrows in section 4 to the very left.",
            wrong=_with_dz(lambda g, n, s: g - _mean(g) - n * _mean(g * n)),
            edit=(("through_variance) / deviation", "through_variance)"),),
        ),
        Misconception(
            "dgamma-with-z",
            "Your dgamma weighs upstream by z itself; gamma multiplies something else in the formula. Vectors far "
            "from 0 make it far too large. Read the end of the formula in section 4 again.",
            wrong=lambda z, gamma, upstream, epsilon=1e-6: (
                layer_norm_gradients(z, gamma, upstream, epsilon)[0],
                over_tokens(upstream * z),
                over_tokens(upstream),
            ),
            edit=(("upstream * normalised, axis=leading", "upstream * z, axis=leading"),),
        ),
        Misconception(
            "dbeta-times-gamma",
            "Your dbeta is multiplied by gamma, but beta is added after gamma has done its work. Follow the arrows in "
            "section 4: beta is the first thing one meets on the way back.",
            wrong=lambda z, gamma, upstream, epsilon=1e-6: (
                *layer_norm_gradients(z, gamma, upstream, epsilon)[:2],
                over_tokens(upstream * gamma),
            ),
            edit=(("ops.sum(upstream, axis=leading)", "ops.sum(upstream * gamma, axis=leading)"),),
        ),
        Misconception(
            "averages-over-tokens",
            "Your dgamma and dbeta are averages over batch and time where the loss is a sum: they are too small by a "
            "factor B·T. Section 4 says what is differentiated.",
            wrong=_with_sums(lambda values: values.mean(tuple(range(values.ndim - 1)))),
            edit=(("dbeta = ops.sum(", "dbeta = ops.mean("), ("dgamma = ops.sum(", "dgamma = ops.mean(")),
        ),
        Misconception(
            "sums-over-the-batch-only",
            "You add up dgamma and dbeta over axis 0 alone, so they keep a time axis. One gamma serves every token of "
            "every sequence: section 4 gives their shape.",
            wrong=_with_sums(lambda values: values.sum(0)),
            edit=(("tuple(range(len(z.shape) - 1))", "0"),),
        ),
        Misconception(
            "sums-over-the-features",
            "You add up dgamma and dbeta over the last axis, which is the only one that they keep. Section 4 gives "
            "their shape.",
            wrong=_with_sums(lambda values: values.sum(-1)),
            edit=(("tuple(range(len(z.shape) - 1))", "-1"),),
        ),
        Misconception(
            "dgamma-and-dbeta-swapped",
            "You return dz, dbeta, dgamma: the second and third change places. The order stands in section 4.",
            wrong=lambda z, gamma, upstream, epsilon=1e-6: tuple(
                layer_norm_gradients(z, gamma, upstream, epsilon)[part] for part in (0, 2, 1)
            ),
            edit=(("return dz, dgamma, dbeta", "return dz, dbeta, dgamma"),),
        ),
        replace(
            _here("sample-variance", _with_root(lambda z, e: np.sqrt(z.var(-1, ddof=1, keepdims=True) + e))),
            hint="You divide the squares by D - 1, the sample variance (ddof=1, torch.std's default); the formula "
            "takes the population variance. Your dbeta is right and your dgamma a little too small: compare section 2.",
        ),
        _here("epsilon-outside-the-root", _with_root(lambda z, e: z.std(-1, keepdims=True) + e)),
        _here(
            "epsilon-argument-ignored",
            lambda z, gamma, upstream, epsilon=1e-6: layer_norm_gradients(z, gamma, upstream),
        ),
        _here(
            "epsilon-forgotten", lambda z, gamma, upstream, epsilon=1e-6: layer_norm_gradients(z, gamma, upstream, 0.0)
        ),
        _here(
            "keras-default-epsilon",
            lambda z, gamma, upstream, epsilon=1e-3: layer_norm_gradients(z, gamma, upstream, epsilon),
        ),
        LAYER_NORM.misconception("computes-in-float32"),
        LAYER_NORM.misconception("keeps-integers"),
        LAYER_NORM.misconception("numpy-only"),
        conventions.changes_its_arguments(
            "what every function here promises in section 1",
            ("ops.multiply(array, 1.0)", "np.asarray(array)"),
            ("arriving = upstream * gamma", "upstream *= gamma\n    arriving = upstream"),
        ),
    ),
    properties=(
        Property(
            "every vector of dz adds up to 0",
            lambda found, z, *_, **__: found.shape != z.shape or np.allclose(found.sum(-1), 0, atol=1e-3),
        ),
    ),
    forbidden=(
        *READY_MADE,
        # automatic differentiation
        "GradientTape",
        "ForwardAccumulator",
        "autograd",
        "grad",
        "gradients",
        "value_and_grad",
        "vjp",
        "jvp",
        "linearize",
        "jacobian",
        "batch_jacobian",
        "jacrev",
        "jacfwd",
        # numerical differentiation
        "gradient",
        "derivative",
        "numdifftools",
        "approx_fprime",
        "approx_derivative",
    ),
)
