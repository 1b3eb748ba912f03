"""TransformerEncoderBlock: every token looks at the others, then thinks by itself; each time x is kept, and normalised.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762: section 3.1 (residual connections around both
sublayers, each followed by layer normalisation), section 3.3, equation (2) (the feed-forward network), section 5.4
(dropout on the output of each sublayer, before it is added).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from autograder.checking import (
    FLOAT32,
    Array,
    Broken,
    Exercise,
    Formula,
    Generator,
    Instance,
    Inventory,
    LayerCase,
    Misconception,
    Property,
    StudentError,
    Tolerance,
    Trial,
    agrees,
    compare,
    follows_policy,
    has_gradients,
    has_weights,
    holds,
    named,
    needs_known_sizes,
    other_sizes,
    rejects,
    resized,
    right_on,
    survives_config,
)
from autograder.checking.checks import expect
from autograder.exercises.layer_norm.layer_norm import layer_norm
from autograder.exercises.self_attention.scaled_dot_product_attention import scaled_dot_product_attention
from autograder.exercises.transformer.inputs import block, real_tokens, weights

Weights = dict[str, Any]


def encoder_block(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    """Returns the block's output (B, T, D) for x (B, T, D) and a mask (B, T), True for real tokens."""
    h = _norm(x + _attend(x, w, mask), w, "norm1")  # (B, T, D)
    return _norm(h + _feed(h, w), w, "norm2")  # (B, T, D)


def _attend(x: Array, w: Weights, mask: Array | None = None, attended: Array | None = None) -> Array:
    """Returns what the heads make of x (B, T, D), with the biases that Keras' layer has; keys and values may differ."""
    keys = x if attended is None else attended
    q, k, v = (
        np.einsum("btd,dhk->bhtk", z, w[f"attention_{name}_dense_kernel"])
        + w[f"attention_{name}_dense_bias"][:, None, :]
        for name, z in (("query", x), ("key", keys), ("value", keys))
    )  # (B, H, T, d)
    allowed = None if mask is None else mask[:, None, None, :]  # (B, 1, 1, T)
    heads = scaled_dot_product_attention(q, k, v, allowed)[0]  # (B, H, T, d)
    return np.einsum("bhtk,hkd->btd", heads, w["attention_output_dense_kernel"]) + w["attention_output_dense_bias"]


def _relu(z: Array) -> Array:
    return np.maximum(z, 0.0)


def _feed(h: Array, w: Weights, between: Callable[[Array], Array] = _relu) -> Array:
    return between(h @ w["ffn1_kernel"] + w["ffn1_bias"]) @ w["ffn2_kernel"] + w["ffn2_bias"]


def _norm(z: Array, w: Weights, name: str, epsilon: float = 1e-6) -> Array:
    return layer_norm(z, w[f"{name}_gamma"], w[f"{name}_beta"], epsilon)


# What is put in


@dataclass(frozen=True)
class RealTokens(LayerCase):
    """A layer with a mask (B, T): what comes out at padded steps is not looked at."""

    def found(self, probe: Any, symbol: str) -> Any:
        """See `Case`."""
        return self.at_real_tokens(super().found(probe, symbol))

    def expected(self, formula: Callable[..., Any]) -> Any:
        """See `Case`."""
        return self.at_real_tokens(super().expected(formula))

    def at_real_tokens(self, value: Any) -> Any:
        """Returns an output (B, T, ...) with zeros at padded steps; anything else as it is."""
        mask = self.kwargs.get("mask")
        if isinstance(mask, np.ndarray) and isinstance(value, np.ndarray) and value.shape[:2] == mask.shape:
            return np.where(mask.reshape(*mask.shape, *(1,) * (value.ndim - 2)), value, np.zeros((), value.dtype))
        return value


def _plain(rng: Generator) -> LayerCase:
    return block(rng)


def _without(case: LayerCase, path: str) -> LayerCase:
    """Returns the case with one branch that gives 0: `path` is the sublayer at its end."""
    return replace(case, weights={**case.weights, **_silenced(path, case.weights)})


def _first_half(rng: Generator) -> list[LayerCase]:
    return [_without(case, "ffn2") for case in (*other_sizes(_plain)(rng), _small_numbers(rng))]


def _second_half(rng: Generator) -> list[LayerCase]:
    return [_without(case, "attention.output_dense") for case in (_plain(rng), _small_numbers(rng))]


def _quarters(rng: Generator) -> LayerCase:
    # Keras' attention keeps the root of a head's width in float32, whatever its policy: that of 4 is exact
    return block(rng, width=4)


def _small_numbers(rng: Generator) -> LayerCase:
    # what is normalised has a variance of about 1e-3, so that an epsilon of 1e-3 shows
    return block(rng, spread=0.03, branches=0.03)


def _with_padding(case: LayerCase, rng: Generator) -> RealTokens:
    (x,) = case.inputs
    mask = real_tokens(rng, *x.shape[:2])
    loud = rng.normal(3.0, 4.0, x.shape).astype(np.float32)  # whoever listens to padding hears it
    return RealTokens(case.config, case.weights, (np.where(mask[..., None], x, loud),), {"mask": mask})


def _one_padded(rng: Generator) -> RealTokens:
    return _with_padding(block(rng), rng)


def _training_without_dropout(rng: Generator) -> LayerCase:
    """Returns a call that would differ with any dropout, the default's too."""
    return replace(block(rng, dropout=0.0), kwargs={"training": True})


def _tiny(rng: Generator) -> LayerCase:
    D, H, F = 4, 2, 5
    x = rng.normal(1.0, 2.0, (2, 3, D)).astype(np.float32)
    return LayerCase({"num_heads": H, "hidden_dim": F, "dropout": 0.0}, weights(rng, D, H, F), (x,))


# Checks of its own


def _obeys_the_mask(trial: Trial) -> None:
    """Raises unless real tokens attend to real tokens only.

    Whoever has made another mistake gets the points all the same if padding changes nothing, if leaving it out is the
    same as masking it, and if tokens hear each other at all.
    """
    case = _one_padded(trial.rng)
    (x,), mask = case.inputs, case.kwargs["mask"]
    layer = case.built(trial.probe, trial.exercise.symbol)
    other = np.where(mask[..., None], x, trial.rng.normal(-2.0, 4.0, x.shape)).astype(np.float32)
    everything = replace(case, kwargs={"mask": np.ones_like(mask)})
    found = layer(*case.inputs, **case.kwargs)
    try:
        expect(trial.exercise, case, case.at_real_tokens(found))
        expect(trial.exercise, replace(case, inputs=(other,)), case.at_real_tokens(layer(other, mask=mask)))
        expect(trial.exercise, everything, layer(*everything.inputs, **everything.kwargs))
    except Broken as fault:
        plain = replace(case, kwargs={})
        if compare(layer(x), plain.expected(encoder_block)) is None or not _hears_real_tokens_only(layer, x, mask):
            raise fault


def _hears_real_tokens_only(layer: Instance, x: Array, mask: Array) -> bool:
    """Tells whether a layer that is wrong elsewhere obeys a mask."""
    row = 2  # without a gap
    length = int(mask[row].sum())
    loud, moved = x.copy(), x.copy()
    loud[row, length:] += 3.0
    moved[row, 0] *= -2.0
    one, other, neighbour = (layer(z, mask=mask) for z in (x, loud, moved))
    alone = layer(x[row : row + 1, :length])
    if any(not isinstance(value, np.ndarray) or value.ndim != 3 for value in (one, other, neighbour, alone)):
        return False
    here = one[row, :length]
    return (
        compare(other[row, :length], here) is None
        and compare(alone[0], here) is None
        and compare(neighbour[row, 1:length], here[1:]) is not None
    )


def _traced(trial: Trial) -> None:
    """Raises unless one layer serves several sizes in functional models, without a mask and with one."""
    first, longer = other_sizes(block)(trial.rng)
    padded = _with_padding(resized(trial.rng, first), trial.rng)
    layer = first.built(trial.probe, trial.exercise.symbol)
    for case in (first, longer):
        expect(trial.exercise, case, layer.traced(*case.inputs))
    expect(trial.exercise, padded, padded.at_real_tokens(layer.traced(*padded.inputs, padded.kwargs["mask"])))


def _hands_the_mask_on(trial: Trial) -> None:
    """Raises unless a mask that Keras attaches to x is obeyed, and attached to the output."""
    case = _with_padding(block(trial.rng), trial.rng)
    (x,), mask = case.inputs, case.kwargs["mask"]
    layer = replace(case, kwargs={}).built(trial.probe, trial.exercise.symbol)
    output, carried = layer.masked(x, mask)
    expect(trial.exercise, case, case.at_real_tokens(output))
    if carried is None:
        raise Broken("Keras' mask goes into the block and does not come out again.", "mask-not-handed-on")
    if not np.array_equal(carried, mask):
        raise Broken("The mask that comes out is not the one that went in.")


def _odd_width(trial: Trial) -> None:
    H = int(trial.rng.integers(3, 6))
    x = trial.rng.normal(size=(2, 7, 2 * H + 1)).astype(np.float32)
    trial.probe.make(trial.exercise.symbol, num_heads=H, hidden_dim=9)(x)


def _accepts_an_odd_width(trial: Trial) -> bool:
    try:
        _odd_width(trial)
    except StudentError:
        return False
    return True


def _back_without_its_dropout(trial: Trial) -> bool:
    """Tells whether the layer that comes back from its config is right where nothing is dropped."""
    case = block(trial.rng, dropout=0.0)
    layer = trial.probe.make(trial.exercise.symbol, **case.config).clone()
    layer(*case.inputs)
    layer.assign(case.weights)
    return compare(layer(*case.inputs), case.expected(encoder_block)) is None


# Dropout: with four features a token's sum has 2^4 faces, one of which must be what came out

_RATE = 0.3
_MATCHES = Tolerance(rtol=5e-3, atol=5e-3)


def _drops(trial: Trial) -> None:
    """Raises unless each branch, and nothing else, loses numbers before it is added, and only in training."""
    expect(trial.exercise, (still := _training_without_dropout(trial.rng)), still.found(trial.probe, _SYMBOL))
    D, H, F = 4, 2, 7
    x = trial.rng.normal(0.5, 2.0, (8, 60, D)).astype(np.float32)
    full = weights(trial.rng, D, H, F)
    case = LayerCase({"num_heads": H, "hidden_dim": F, "dropout": _RATE}, full, (x,))
    layer = case.built(trial.probe, trial.exercise.symbol)

    _, w = case.arguments
    x = x.astype(np.float64)
    _is_still(layer, case, trial)

    layer.assign({**_silenced("attention.output_dense", full), **_silenced("ffn2", full)})
    nothing_added = _norm(_norm(x, w, "norm1"), w, "norm2")
    if compare(layer(*case.inputs, training=True), nothing_added, _MATCHES):
        raise Broken(
            "With both branches 0 there is nothing to drop, and yet training=True changes the output.",
            "drops-after-the-sum",
        )

    def after_attention(dropped: Array) -> Array:
        return _norm(_norm(x + dropped, w, "norm1"), w, "norm2")

    def after_feeding(dropped: Array) -> Array:
        return _norm(_norm(x, w, "norm1") + dropped, w, "norm2")

    layer.assign({path: full[path] for path in full if path.startswith("attention.output_dense")})
    first = layer(*case.inputs, training=True)
    again = layer(*case.inputs, training=True)
    layer.assign({path: full[path] for path in full if path.startswith("ffn2")})
    layer.assign(_silenced("attention.output_dense", full))
    second = layer(*case.inputs, training=True)
    attended, fed = _attend(x, w), _feed(_norm(x, w, "norm1"), w)
    quiet = [
        compare(found, half(branch), _MATCHES) is None
        for found, half, branch in (
            (first, after_attention, attended),
            (second, after_feeding, fed),
        )
    ]
    if all(quiet):
        raise Broken(f"With dropout={_RATE}, training=True gives what inference gives.", "never-drops")
    if any(quiet):
        which = "attention's" if quiet[0] else "the feed-forward network's"
        raise Broken(f"In training nothing of {which} output is dropped.", "drops-one-branch-only")
    _explain(first, after_attention, attended, "attention's", "drops-inside-attention")
    _explain(second, after_feeding, fed, "the feed-forward network's", "drops-inside-the-feed-forward-network")
    if compare(first, again, _MATCHES) is None:
        raise Broken("Two calls with training=True drop the same numbers.")

    layer = replace(case, config={"num_heads": H, "hidden_dim": F}).built(trial.probe, trial.exercise.symbol)
    layer.assign(_silenced("attention.output_dense", full))
    if _kept(layer(*case.inputs, training=True), after_feeding, fed, 0.1) is None:
        raise Broken("Made without naming dropout, it does not drop at a rate of 0.1.", "rate-not-used")


def _is_still(layer: Instance, case: LayerCase, trial: Trial) -> None:
    """Raises if inference drops anything."""
    one, other = layer(*case.inputs), layer(*case.inputs, training=False)
    if compare(one, other, FLOAT32):
        raise Broken("Two calls without training give different numbers.", "drops-always")
    expect(trial.exercise, case, other)


def _silenced(path: str, full: Mapping[str, Array]) -> dict[str, Array]:
    return {name: np.zeros_like(value) for name, value in full.items() if name.startswith(path)}


def _explain(found: Any, half: Callable[[Array], Array], branch: Array, whose: str, otherwise: str) -> None:
    """Raises unless what was found is the half's result with some numbers of the branch dropped, at the right rate."""
    if not isinstance(found, np.ndarray) or found.shape != branch.shape:
        raise Broken(f"In training the output's shape is {np.shape(found)}.")
    kept = _kept(found, half, branch, _RATE)
    if kept is None:
        if any(_kept(found, half, branch, rate) is not None for rate in (1 - _RATE, 0.1)):
            raise Broken(f"{whose.capitalize()} output is dropped at another rate than {_RATE}.", "rate-not-used")
        raise Broken(f"In training the output is not what dropping some of {whose} output would give.", otherwise)
    share = float(kept.mean())
    if abs(share - (1 - _RATE)) > 0.07:  # six standard deviations of 1,920 draws
        raise Broken(f"With dropout={_RATE}, {1 - share:.0%} of the numbers of {whose} output are dropped.")


def _kept(found: Array, half: Callable[[Array], Array], branch: Array, rate: float) -> Array | None:
    """Returns which numbers of the branch were kept, or None if no choice explains what was found."""
    faces = np.array(list(product((0.0, 1.0), repeat=branch.shape[-1])))  # (16, D)
    errors = np.stack([np.abs(half(face * branch / (1 - rate)) - found).max(-1) for face in faces])  # (16, B, T)
    explained = errors.min(0) < 0.02
    return faces[errors.argmin(0)] if explained.mean() > 0.98 else None


# What people get wrong


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the misconception behind the weights that a layer has."""
    shapes = [tuple(weight["shape"]) for weight in inventory]
    D, H = case.inputs[0].shape[-1], case.config["num_heads"]
    if all(len(shape) < 3 for shape in shapes):
        return "sublayers-made-in-call"
    if (D, H, D) in shapes:
        return "heads-of-full-width"
    if len(shapes) == 14 and shapes.count((D,)) == 4:
        return "one-norm-twice"
    if len(shapes) < 16 and (H, D // H) not in shapes:
        return "no-biases"
    return None


def _pre_norm(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = x + _attend(_norm(x, w, "norm1"), w, mask)
    return h + _feed(_norm(h, w, "norm2"), w)


def _no_first_residual(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(_attend(x, w, mask), w, "norm1")
    return _norm(h + _feed(h, w), w, "norm2")


def _no_second_residual(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(x + _attend(x, w, mask), w, "norm1")
    return _norm(_feed(h, w), w, "norm2")


def _second_residual_from_x(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(x + _attend(x, w, mask), w, "norm1")
    return _norm(x + _feed(h, w), w, "norm2")


def _one_residual_for_all(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(_attend(x, w, mask), w, "norm1")
    return _norm(x + _feed(h, w), w, "norm2")


def _residual_after_the_norm(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = x + _norm(_attend(x, w, mask), w, "norm1")
    return h + _norm(_feed(h, w), w, "norm2")


def _feeds_x(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(x + _attend(x, w, mask), w, "norm1")
    return _norm(h + _feed(x, w), w, "norm2")


def _one_norm(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(x + _attend(x, w, mask), w, "norm1")
    return _norm(h + _feed(h, w), w, "norm1")


def _no_feed_forward(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    return _norm(x + _attend(x, w, mask), w, "norm1")


def _with_activation(between: Callable[[Array], Array], after: Callable[[Array], Array] = lambda z: z) -> Formula:
    """Returns the block with other activations in the feed-forward network."""

    def wrong(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
        h = _norm(x + _attend(x, w, mask), w, "norm1")
        return _norm(h + after(_feed(h, w, between)), w, "norm2")

    return wrong


def _gelu(z: Array) -> Array:
    from math import erf

    return z * 0.5 * (1.0 + np.vectorize(erf)(z / np.sqrt(2.0)))


def _keras_epsilon(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    h = _norm(x + _attend(x, w, mask), w, "norm1", 1e-3)
    return _norm(h + _feed(h, w), w, "norm2", 1e-3)


def _deaf_to_the_mask(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    return encoder_block(x, **w)


def _upside_down(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    return encoder_block(x, mask=None if mask is None else ~mask, **w)


def _padding_set_to_zero(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    return encoder_block(x if mask is None else x * mask[..., None], **w)


def _causal(x: Array, *, mask: Array | None = None, **w: Any) -> Array:
    T = x.shape[1]
    rows = [_attend(x[:, t : t + 1], w, None if mask is None else mask[:, : t + 1], x[:, : t + 1]) for t in range(T)]
    h = _norm(x + np.concatenate(rows, axis=1), w, "norm1")
    return _norm(h + _feed(h, w), w, "norm2")


_SYMBOL = "TransformerEncoderBlock"
_ATTENDED = "self.attention(x, x, attention_mask=keys)"
_FIRST = "h = self.norm1(x + self.drop(attended, training=training))"
_FED = "fed = self.ffn2(self.ffn1(h))"
_SECOND = "return self.norm2(h + self.drop(fed, training=training))"
_HEADS = "self.num_heads, D // self.num_heads, dtype=self.dtype_policy"
_NORM1 = "self.norm1 = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)"
_NORM2 = "self.norm2 = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)"
_DENSE1 = 'self.ffn1 = keras.layers.Dense(self.hidden_dim, activation="relu", dtype=self.dtype_policy)'
_DENSE2 = "self.ffn2 = keras.layers.Dense(D, dtype=self.dtype_policy)"
_DROP = "keras.layers.Dropout(self.dropout, "
_KEYS = "keys = None if mask is None else mask[:, None, :]"

ENCODER_BLOCK = Exercise(
    symbol=_SYMBOL,
    formula=encoder_block,
    checks=(
        agrees(
            "adds what attention gives to x, and normalises",
            _first_half,
            points=1.25,
            hint="The feed-forward network gives 0; other weights set by us; two sizes, then very small numbers.",
        ),
        agrees(
            "adds what the feed-forward network gives to that, and normalises",
            _second_half,
            points=1.25,
            hint="Attention gives 0; other weights set by us; then very small numbers.",
        ),
        holds(
            "real tokens attend to real tokens only",
            _obeys_the_mask,
            points=1.5,
            hint="mask (B, T) with rows of differing length; then other numbers in the padding; then nothing padded.",
        ),
        holds(
            "drops parts of both branches before each sum, in training only",
            _drops,
            points=1.5,
            hint="dropout=0 in training; inference twice; both branches 0 in training; each branch alone in training.",
        ),
        named(
            holds(
                "serves any batch size and length in a functional model",
                _traced,
                points=1,
                hint="Models with unknown batch and length, without a mask and with one as a second input.",
            ),
            "needs-known-sizes",
            lambda trial: right_on(_plain)(trial) and right_on(_one_padded)(trial),
        ),
        has_gradients(_tiny, points=0.5),
        has_weights(
            "has the 16 weights of its five sublayers, and no other",
            _plain,
            cost=1,
            diagnose=_odd_weights,
            hint="attention 8, norm1 and norm2 2 each, ffn1 and ffn2 2 each, after the first call.",
        ),
        holds(
            "takes the mask that Keras attaches to x, and hands it on",
            _hands_the_mask_on,
            cost=0.5,
            hint="x as it comes from Embedding(mask_zero=True).",
        ),
        named(
            rejects(
                "refuses a width that the heads do not divide",
                _odd_width,
                cost=0.5,
                hint="A ValueError at construction, build or call.",
            ),
            "takes-any-width",
            _accepts_an_odd_width,
        ),
        named(
            survives_config(
                _training_without_dropout,
                cost=0.5,
                hint="from_config(get_config()) makes the same layer, dropout included.",
            ),
            "dropout-lost-in-the-config",
            _back_without_its_dropout,
        ),
        follows_policy(_quarters, "float64", cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "pre-norm",
            "You normalise what goes into attention and feed-forward network, and the sums stay as they are. This "
            "order exists, too, but it is another block: see where the norms stand in the equations of section 2.1.",
            wrong=_pre_norm,
            edit=(
                (_ATTENDED, "self.attention(n := self.norm1(x), n, attention_mask=keys)"),
                (_FIRST, "h = x + self.drop(attended, training=training)"),
                (_FED, "fed = self.ffn2(self.ffn1(self.norm2(h)))"),
                (_SECOND, "return h + self.drop(fed, training=training)"),
            ),
        ),
        Misconception(
            "residual-after-the-norm",
            "You normalise what each branch gives and add it then, so that the sums themselves are never normalised. "
            "See what stands inside the norms in section 2.1.",
            wrong=_residual_after_the_norm,
            edit=(
                (_FIRST, "h = x + self.norm1(self.drop(attended, training=training))"),
                (_SECOND, "return h + self.norm2(self.drop(fed, training=training))"),
            ),
        ),
        Misconception(
            "no-first-residual",
            "What attention gives replaces x instead of being added to it: with the output kernel of attention all 0 "
            "every token comes out the same. See the first equation of section 2.1.",
            wrong=_no_first_residual,
            edit=((_FIRST, "h = self.norm1(self.drop(attended, training=training))"),),
        ),
        Misconception(
            "no-second-residual",
            "What the feed-forward network gives replaces h instead of being added to it. See the second equation of "
            "section 2.1.",
            wrong=_no_second_residual,
            edit=((_SECOND, "return self.norm2(self.drop(fed, training=training))"),),
        ),
        Misconception(
            "second-residual-from-the-input",
            "Your second sum adds the block's input: what attention found out reaches the output through the "
            "feed-forward network alone. See what is added in the second equation of section 2.1.",
            wrong=_second_residual_from_x,
            edit=((_SECOND, "return self.norm2(x + self.drop(fed, training=training))"),),
        ),
        Misconception(
            "one-residual-around-everything",
            "You have a single residual connection, from the block's input to its end; some drawings show it so. "
            "Section 2.1 has two, one around each half.",
            wrong=_one_residual_for_all,
            edit=(
                (_FIRST, "h = self.norm1(self.drop(attended, training=training))"),
                (_SECOND, "return self.norm2(x + self.drop(fed, training=training))"),
            ),
        ),
        Misconception(
            "feeds-the-input",
            "Your feed-forward network reads the block's input: it never sees what attention found. See what "
            "ffn1 reads in section 2.1.",
            wrong=_feeds_x,
            edit=((_FED, "fed = self.ffn2(self.ffn1(x))"),),
        ),
        Misconception(
            "no-feed-forward-network",
            "Your output is that of the first half: the feed-forward network's is not in it. See the second equation "
            "of section 2.1.",
            wrong=_no_feed_forward,
            edit=((_SECOND, "return h"),),
        ),
        Misconception(
            "no-activation",
            "There is nothing between your two dense layers, and two linear maps in a row are one. See what stands "
            "between ffn1 and ffn2 in section 2.1.",
            wrong=_with_activation(lambda z: z),
            edit=((_DENSE1, "self.ffn1 = keras.layers.Dense(self.hidden_dim, dtype=self.dtype_policy)"),),
        ),
        Misconception(
            "activation-at-the-end",
            "Your feed-forward network ends in an activation, too: it can only raise h, never lower it. See section "
            "2.1 for where there is one.",
            wrong=_with_activation(_relu, _relu),
            edit=((_DENSE2, 'self.ffn2 = keras.layers.Dense(D, activation="relu", dtype=self.dtype_policy)'),),
        ),
        Misconception(
            "another-activation",
            "Your activation is a gelu. BERT and GPT have it, this block has the one of the original paper: see "
            "section 2.1.",
            wrong=_with_activation(_gelu),
            edit=(
                (
                    _DENSE1,
                    'self.ffn1 = keras.layers.Dense(self.hidden_dim, activation="gelu", dtype=self.dtype_policy)',
                ),
            ),
        ),
        Misconception(
            "one-norm-twice",
            "You use one and the same normalisation twice: one gamma and one beta serve both sums. See "
            "the list of sublayers in section 2.1.",
            wrong=_one_norm,
            edit=(("return self.norm2(", "return self.norm1("),),
        ),
        Misconception(
            "epsilon-of-keras",
            "You are right on large numbers, and off where a token's numbers are small: your norms have another "
            "epsilon, Keras' default, it seems. See the list of sublayers in section 2.1.",
            wrong=_keras_epsilon,
            edit=(
                (_NORM1, "self.norm1 = keras.layers.LayerNormalization(dtype=self.dtype_policy)"),
                (_NORM2, "self.norm2 = keras.layers.LayerNormalization(dtype=self.dtype_policy)"),
            ),
        ),
        Misconception(
            "heads-of-full-width",
            "Each of your heads is as wide as x, so that your block has far more weights than it should. `key_dim` is "
            "the width of one head: see the list of sublayers in section 2.1.",
            edit=((_HEADS, "self.num_heads, D, dtype=self.dtype_policy"),),
        ),
        Misconception(
            "no-biases",
            "Your attention has no biases. The paper's has none either, but this block keeps Keras' default: see the "
            "list of weights in section 2.1.",
            edit=((_HEADS, "self.num_heads, D // self.num_heads, use_bias=False, dtype=self.dtype_policy"),),
        ),
        Misconception(
            "padding-is-attended-to",
            "Other numbers in the padding change your output at real tokens: the mask does not reach attention, or it "
            "says which tokens may ask, where it should say which may be asked. See section 2.2.",
            wrong=_deaf_to_the_mask,
            edit=((_KEYS, "keys = None"),),
        ),
        Misconception(
            "mask-upside-down",
            "Your tokens attend to padding, and to padding alone. True means real, and real tokens may be attended to: "
            "see section 2.2.",
            wrong=_upside_down,
            edit=((_KEYS, "keys = None if mask is None else ops.logical_not(mask)[:, None, :]"),),
        ),
        Misconception(
            "padding-set-to-zero",
            "You multiply padding by 0 and let tokens attend to it all the same; with 0 as its vector it still has a "
            "score, a weight and a value. See section 2.2.",
            wrong=_padding_set_to_zero,
            edit=(
                (
                    _KEYS,
                    "x = x if mask is None else x * ops.cast(mask, x.dtype)[:, :, None]\n        keys = None",
                ),
            ),
        ),
        Misconception(
            "looks-back-only",
            "Your tokens attend to earlier tokens only: a causal mask is in use. An encoder looks both ways, see "
            "section 2.2.",
            wrong=_causal,
            edit=((_ATTENDED, "self.attention(x, x, attention_mask=keys, use_causal_mask=True)"),),
        ),
        Misconception(
            "mask-not-handed-on",
            "Your block uses the mask, but after it Keras no longer knows what is padding, so that a pooling layer "
            "behind it averages over padding. See the end of section 2.2.",
            edit=(("        self.supports_masking = True\n", ""),),
        ),
        Misconception(
            "never-drops",
            "With training=True your block gives the same as without: nothing is dropped. See section 2.3.",
            edit=(
                (_FIRST, "h = self.norm1(x + attended)"),
                (_SECOND, "return self.norm2(h + fed)"),
            ),
        ),
        Misconception(
            "drops-always",
            "Two calls of your block without training give different numbers: something is dropped even then. Who "
            "tells your dropout whether it is training? See section 2.3.",
            edit=((_FIRST, "h = self.norm1(x + self.drop(attended, training=True))"),),
        ),
        Misconception(
            "drops-one-branch-only",
            "In training only one of your two branches loses numbers. See section 2.3 for both places.",
            edit=((_SECOND, "return self.norm2(h + fed)"),),
        ),
        Misconception(
            "drops-after-the-sum",
            "You drop numbers of the sum, or of the normalised sum, so that x itself gets holes: with both branches 0 "
            "training would change nothing otherwise. See section 2.3 for what is dropped.",
            edit=(
                (_FIRST, "h = self.drop(self.norm1(x + attended), training=training)"),
                (_SECOND, "return self.drop(self.norm2(h + fed), training=training)"),
            ),
        ),
        Misconception(
            "drops-inside-attention",
            "You drop attention weights (the `dropout` of Keras' attention layer), so that they no longer sum to 1 in "
            "training. Section 2.3 drops numbers of what attention gives, and nothing inside.",
            edit=(
                (_HEADS, "self.num_heads, D // self.num_heads, dropout=self.dropout, dtype=self.dtype_policy"),
                (_ATTENDED, "self.attention(x, x, attention_mask=keys, training=training)"),
                (_FIRST, "h = self.norm1(x + attended)"),
            ),
        ),
        Misconception(
            "drops-inside-the-feed-forward-network",
            "You drop numbers between ffn1 and ffn2. Section 2.3 drops numbers of what ffn2 gives.",
            edit=(
                (_FED, "fed = self.ffn2(self.drop(self.ffn1(h), training=training))"),
                (_SECOND, "return self.norm2(h + fed)"),
            ),
        ),
        Misconception(
            "rate-not-used",
            "Your block drops numbers at another rate than `dropout` says: a fixed one, or one minus it. See section "
            "2.3 for what the rate is the share of.",
            edit=((_DROP, "keras.layers.Dropout(1 - self.dropout if self.dropout else 0, "),),
        ),
        Misconception(
            "dropout-lost-in-the-config",
            "Rebuilt from its config, your block drops numbers although it was made with dropout=0: a setting does not "
            "come back. See what get_config must return in section 2.4.",
            edit=(('            "dropout": self.dropout,\n', ""),),
        ),
        Misconception(
            "takes-any-width",
            "Your block takes a width that its heads do not divide, and rounds the width of a head down. See what is "
            "asked for in section 2.4.",
            edit=(("if D % self.num_heads != 0:", "if False:"),),
        ),
        Misconception(
            "ignores-its-dtype-policy",
            "Your block is right in float32 only: its sublayers were made without the block's own dtype policy. See "
            "section 2.4.",
            edit=((_DENSE1, 'self.ffn1 = keras.layers.Dense(self.hidden_dim, activation="relu")'),),
        ),
        Misconception(
            "sublayers-made-in-call",
            "After it was called your block does not own the weights of attention: a sublayer is made anew in every "
            "call, so that two calls differ and nothing can learn. Section 2.4 says where they are made.",
            edit=(
                ("self.attention = keras.layers", "spare = keras.layers"),
                ("        self.attention.build(input_shape, input_shape)\n", ""),
                (
                    _ATTENDED,
                    "keras.layers.MultiHeadAttention(self.num_heads, x.shape[-1] // self.num_heads)(\n"
                    "            x, x, attention_mask=keys\n        )",
                ),
            ),
        ),
        needs_known_sizes(
            "section 2.4",
            (
                _FED,
                "B, T, D = h.shape\n"
                "        fed = self.ffn2(self.ffn1(ops.reshape(h, (B * T, D))))\n"
                "        fed = ops.reshape(fed, (B, T, D))",
            ),
        ),
    ),
    properties=(
        Property("the output has the shape of x", lambda found, x, **_: found.shape == x.shape),
        Property(
            "the output, its gamma and beta undone, has mean 0 in every token",
            lambda found, x, *, norm2_gamma, norm2_beta, **_: bool(
                np.allclose(((found - norm2_beta) / norm2_gamma).mean(-1), 0.0, atol=1e-2)
            ),
        ),
    ),
)
