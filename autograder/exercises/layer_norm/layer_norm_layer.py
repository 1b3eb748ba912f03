"""LayerNorm: layer_norm as a Keras layer, with a gamma and a beta that learn.

Ba, Kiros & Hinton 2016, "Layer Normalization", arXiv:1607.06450, section 3, equation (4).
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from autograder.checking import (
    Broken,
    Exercise,
    Generator,
    Inventory,
    LayerCase,
    Misconception,
    Trial,
    agrees,
    compare,
    distinct_sizes,
    follows_policy,
    has_gradients,
    has_weights,
    holds,
    named,
    needs_known_sizes,
    other_sizes,
    raises_on,
    starts_with,
    survives_config,
    traces,
)
from autograder.exercises.layer_norm.inputs import affine, sizes, tokens
from autograder.exercises.layer_norm.layer_norm import CENTRED, FORMULA_MISTAKES, READY_MADE, layer_norm


def _case(rng: Generator, *shape: int, spread: float = 30.0, epsilon: float | None = None) -> LayerCase:
    gamma, beta = affine(rng, shape[-1])
    config = {} if epsilon is None else {"epsilon": epsilon}
    return LayerCase(config, {"gamma": gamma, "beta": beta}, (tokens(rng, *shape, spread=spread),))


def _layer(rng: Generator) -> LayerCase:
    return _case(rng, *sizes(rng))


def _ranks(rng: Generator) -> list[LayerCase]:
    batch, heads, time, depth = distinct_sizes(rng, 4, 4, 9)
    return [_case(rng, batch, depth), _case(rng, batch, heads, time, depth)]


def _epsilons(rng: Generator) -> list[LayerCase]:
    small, other = sizes(rng), sizes(rng)
    return [_case(rng, *small, spread=1e-3), _case(rng, *other, spread=1.0, epsilon=0.5)]


def _other_epsilon(rng: Generator) -> LayerCase:
    # an epsilon that a config can't lose unseen
    return _case(rng, *sizes(rng), spread=1.0, epsilon=0.5)


def _equal_sizes(rng: Generator) -> LayerCase:
    size = int(rng.integers(4, 8))
    return _case(rng, size, size, size)


def _same_when_training(trial: Trial) -> None:
    case = _layer(trial.rng)
    layer = case.built(trial.probe, "LayerNorm")
    training, not_training = (layer(*case.inputs, training=flag) for flag in (True, False))
    if not isinstance(not_training, np.ndarray):
        raise Broken("The layer does not return one array.")
    if difference := compare(training, not_training):
        raise Broken(f"Called with training=True it gives something else: {difference.message}", "running-averages")


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the mistake behind weights that are not gamma (D,) and beta (D,)."""
    shapes = [tuple(weight["shape"]) for weight in inventory]
    trainable = [bool(weight["trainable"]) for weight in inventory]
    if not inventory:
        return "no-keras-weights"
    if len(inventory) > 2 and not all(trainable):
        return "running-averages"
    if not any(trainable):
        return "frozen-weights"
    if any(shape in ((), (1,)) for shape in shapes):
        return "one-gamma-for-all-features"
    if any(len(shape) > 1 for shape in shapes):
        return "weights-for-every-position"
    return None


def _in_layer(mistake: Misconception) -> Misconception:
    """The same mistake in the layer, whose solution writes self.gamma for gamma."""

    def owned(text: str) -> str:
        return re.sub(r"\b(gamma|beta|epsilon)\b(?!=)", r"self.\1", text)

    edit = tuple((owned(old), owned(new)) for old, new in mistake.edit)
    return replace(mistake, edit=edit)


LAYER_NORM_LAYER = Exercise(
    symbol="LayerNorm",
    formula=layer_norm,
    checks=(
        agrees(
            "computes the formula with its gamma and beta",
            _layer,
            points=1,
            hint="gamma and beta are set from outside, far from 1 and 0; three sizes.",
        ),
        agrees("does so for two and for four axes", _ranks, points=0.5, hint="z of shape (B, D) and (B, H, T, D)."),
        agrees(
            "takes its epsilon from the constructor, 1e-6 by default",
            _epsilons,
            points=1,
            hint="Vectors around 0.001 with the default, and epsilon=0.5.",
        ),
        has_weights(
            "has the weights gamma and beta, of shape (D,), and no other",
            _layer,
            cost=0.5,
            diagnose=_odd_weights,
            hint="Two trainable weights, under these attribute names.",
        ),
        starts_with(
            "starts with ones in gamma and zeros in beta",
            _layer,
            {"gamma": 1.0, "beta": 0.0},
            cost=0.5,
            hint="The weights of a layer that was built and never trained.",
        ),
        traces(other_sizes(_layer), points=1),
        has_gradients(_layer, points=0.5),
        named(
            agrees(
                "gives the same where B, T and D are equal",
                _equal_sizes,
                cost=0.25,
                hint="On equal sizes a wrong broadcast raises no error.",
            ),
            "keepdims-missing",
            raises_on(_layer),
        ),
        holds(
            "computes the same in training and afterwards",
            _same_when_training,
            cost=0.25,
            hint="training=True against training=False.",
        ),
        survives_config(_other_epsilon, cost=0.5),
        follows_policy(_other_epsilon, "float64", "mixed_float16", cost=0.25),
    ),
    misconceptions=(
        *(_in_layer(mistake) for mistake in FORMULA_MISTAKES),
        Misconception(
            "one-gamma-for-all-features",
            "Your gamma or beta is a single number where every feature has its own: the layer's weights have the "
            "wrong shape. Section 5 says which.",
            edit=(('shape=(depth,), initializer="ones"', 'shape=(), initializer="ones"'),),
        ),
        Misconception(
            "weights-for-every-position",
            "Your weights have a time axis, so the layer fits one length only. Gamma and beta are shared by all "
            "tokens; section 5 says their shape.",
            edit=(
                ("depth = input_shape[-1]", "depth = input_shape[-1]\n        time = input_shape[-2]"),
                ('shape=(depth,), initializer="ones"', 'shape=(time, depth), initializer="ones"'),
            ),
        ),
        Misconception(
            "running-averages",
            "You keep running averages, or do one thing in training and another afterwards, as BatchNorm does. A "
            "vector's own mean and variance are there at any time: section 6 compares the two.",
            edit=(
                (
                    "depth = input_shape[-1]",
                    "depth = input_shape[-1]\n"
                    '        self.mean = self.add_weight((depth,), "zeros", trainable=False)\n'
                    '        self.variance = self.add_weight((depth,), "ones", trainable=False)',
                ),
                ("def call(self, z):", "def call(self, z, training=False):"),
                (
                    "normalised = (z - mean)",
                    "if not training:\n"
                    "            mean, variance = self.mean, self.variance\n"
                    "        normalised = (z - mean)",
                ),
            ),
        ),
        Misconception(
            "other-initial-values",
            "Your weights don't start at ones and zeros: add_weight fills a weight with random numbers unless it is "
            "told what to begin with. Section 5 says what a fresh layer computes.",
            edit=((', initializer="ones"', ""), (', initializer="zeros"', "")),
        ),
        Misconception(
            "frozen-weights",
            "Your gamma and beta are there but not trainable, so no training step can move them. Section 5 asks for "
            "two weights that learn.",
            edit=(
                ('initializer="ones"', 'initializer="ones", trainable=False'),
                ('initializer="zeros"', 'initializer="zeros", trainable=False'),
            ),
        ),
        Misconception(
            "no-keras-weights",
            "Your gamma and beta are plain tensors: Keras doesn't know of them, so they are neither trained nor "
            "saved. Section 5 says how a layer makes weights.",
            edit=(
                ('self.add_weight(shape=(depth,), initializer="ones", name="gamma")', "ops.ones(depth)"),
                ('self.add_weight(shape=(depth,), initializer="zeros", name="beta")', "ops.zeros(depth)"),
            ),
        ),
        needs_known_sizes(
            "what a layer may be made of in section 5",
            ("ops.mean(z, axis=-1, keepdims=True)", "np.asarray(z).mean(axis=-1, keepdims=True)"),
        ),
        Misconception(
            "ignores-its-dtype-policy",
            "Your layer is right in float32 only: a cast or a dtype is written into it, where Keras gives each layer "
            "a policy. Section 5 tells what a policy of float64 or mixed_float16 asks for.",
            edit=(("(z - mean) / ops.sqrt", 'ops.cast(z - mean, "float32") / ops.sqrt'),),
        ),
    ),
    properties=(CENTRED,),
    forbidden=READY_MADE,
)
