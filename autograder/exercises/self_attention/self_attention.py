"""SelfAttention: queries, keys and values, all made from one sequence.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.1, equation (1).
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
    Property,
    agrees,
    distinct_sizes,
    follows_policy,
    has_gradients,
    has_weights,
    needs_known_sizes,
    other_sizes,
    survives_config,
    traces,
)
from autograder.exercises.self_attention.causal_mask import causal_mask
from autograder.exercises.self_attention.inputs import some_allowed
from autograder.exercises.self_attention.scaled_dot_product_attention import (
    READY_MADE,
    Attended,
    scaled_dot_product_attention,
)


def self_attention(
    x: Array, *, w_q: Array, w_k: Array, w_v: Array, key_dim: int, value_dim: int, mask: Array | None = None
) -> Array:
    """Returns attention with q = x W_Q, k = x W_K, v = x W_V, all from one sequence (B, T, D)."""
    output, _ = scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v, mask)
    return output


def _layer(rng: Generator, high: int = 10) -> LayerCase:
    """Returns a layer with random weights and sequences off centre."""
    B, T, D, d_k, d_v = distinct_sizes(rng, 5, 3, high)
    weights = {
        name: rng.normal(0.0, 1.3 / np.sqrt(D), (D, width)).astype(np.float32)
        for name, width in (("w_q", d_k), ("w_k", d_k), ("w_v", d_v))
    }
    x = rng.normal(0.5, 1.5, (B, T, D)).astype(np.float32)
    return LayerCase({"key_dim": d_k, "value_dim": d_v}, weights, (x,))


def _masked(case: LayerCase, mask: Array) -> LayerCase:
    return LayerCase(case.config, case.weights, case.inputs, {"mask": mask})


def _small_layer(rng: Generator) -> LayerCase:
    return _layer(rng, high=8)


def _masked_layers(rng: Generator) -> list[LayerCase]:
    case = _layer(rng)
    B, T, _ = case.inputs[0].shape
    masks = [
        some_allowed(rng, B, T, T),
        some_allowed(rng, B, 1, T),
        causal_mask(T)[None],
        causal_mask(T) & some_allowed(rng, B, 1, T) | np.eye(T, dtype=bool),
        np.ones((1, 1, T), bool),
    ]
    return [_masked(case, mask) for mask in masks]


def _layer_without_keys(rng: Generator) -> LayerCase:
    case = _layer(rng)
    B, T, _ = case.inputs[0].shape
    mask = some_allowed(rng, B, T, T)
    mask[:, rng.integers(0, T)] = False
    mask[rng.integers(0, B), 0] = False
    return _masked(case, mask)


def _other_sizes_and_masks(rng: Generator) -> list[LayerCase]:
    first, longer = other_sizes(_layer)(rng)
    B, T, _ = longer.inputs[0].shape
    masks = [some_allowed(rng, B, 1, T), some_allowed(rng, B, T, T)]
    return [first, longer, *(_masked(longer, mask) for mask in masks)]


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the misconception behind the shapes of the weights that a layer has."""
    D = case.inputs[0].shape[-1]
    d_k, d_v = case.config["key_dim"], case.config["value_dim"]
    shapes = sorted(tuple(weight["shape"]) for weight in inventory)
    if not shapes:
        return "weights-made-in-call"
    if any(len(shape) == 1 for shape in shapes):
        return "has-biases"
    if shapes == sorted([(D, d_k), (D, d_k), (D, d_k)]):
        return "values-of-key-width"
    if shapes == sorted([(d_k, D), (d_k, D), (d_v, D)]):
        return "weights-transposed"
    return None


def _with_weights(**renamed: str) -> Formula:
    """Returns the layer's formula with one weight in the place of another."""

    def wrong(x: Array, **arguments: Any) -> Array:
        return self_attention(x, **{**arguments, **{n: arguments[m] for n, m in renamed.items()}})

    return wrong


def _with_mask(change: Callable[[Array], Array | None]) -> Formula:
    """Returns the layer's formula with another mask."""

    def wrong(x: Array, *, mask: Array | None = None, **arguments: Any) -> Array:
        return self_attention(x, mask=None if mask is None else change(mask), **arguments)

    return wrong


def _with_sharpness(factor: Callable[[int, int], float]) -> Formula:
    """Returns the layer's formula with scores multiplied by a factor of D and d_k."""

    def wrong(x: Array, *, w_q: Array, key_dim: int, **arguments: Any) -> Array:
        sharper = w_q * factor(x.shape[-1], key_dim)
        return self_attention(x, w_q=sharper, key_dim=key_dim, **arguments)

    return wrong


def _rectified(x: Array, *, w_q: Array, w_k: Array, w_v: Array, mask: Array | None = None, **_: int) -> Array:
    q, k, v = (np.maximum(x @ w, 0.0) for w in (w_q, w_k, w_v))
    return scaled_dot_product_attention(q, k, v, mask)[0]


def _raw_values(x: Array, *, w_q: Array, w_k: Array, w_v: Array, mask: Array | None = None, **_: int) -> Array:
    return scaled_dot_product_attention(x @ w_q, x @ w_k, x, mask)[0]


def _added_to_values(x: Array, *, w_v: Array, **arguments: Any) -> Array:
    return self_attention(x, w_v=w_v, **arguments) + x @ w_v


def _blind(x: Array, *, w_v: Array, **_: Any) -> Array:
    return x @ w_v


def _output_and_weights(
    x: Array, *, w_q: Array, w_k: Array, w_v: Array, mask: Array | None = None, **_: int
) -> Attended:
    return scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v, mask)


_Q = "q = ops.matmul(x, self.w_q)"
_K = "k = ops.matmul(x, self.w_k)"
_V = "v = ops.matmul(x, self.w_v)"
_CALL = "scaled_dot_product_attention(q, k, v, mask)"
_W_V = 'self.w_v = self.add_weight(name="w_v", shape=(depth, self.value_dim))'

SELF_ATTENTION = Exercise(
    symbol="SelfAttention",
    formula=self_attention,
    checks=(
        agrees(
            "computes the formula with its w_q, w_k and w_v",
            other_sizes(_layer),
            points=2,
            hint="Weights are set by us; two batches of different size; D, d_k and d_v all differ.",
        ),
        agrees(
            "obeys masks of rank 3",
            _masked_layers,
            points=1.5,
            hint="Random (B, T, T), padding (B, 1, T), causal (1, T, T), both; all True.",
        ),
        agrees(
            "gives zeros for a query that may attend to nothing",
            _layer_without_keys,
            points=0.5,
            hint="Some rows of the mask are all False.",
        ),
        traces(
            _other_sizes_and_masks,
            points=1,
            hint="One model with unknown batch and length, without a mask and with one.",
        ),
        has_gradients(_small_layer, points=1),
        has_weights(
            "has the weights w_q, w_k and w_v in their shapes, and no other",
            _layer,
            cost=1,
            diagnose=_odd_weights,
            hint="(D, key_dim), (D, key_dim) and (D, value_dim), made in build.",
        ),
        survives_config(_layer, cost=0.5),
        follows_policy(_layer, "float64", cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "keys-made-with-w-q",
            "You make queries and keys with the same matrix w_q: your scores are symmetric, so that A attends to B as "
            "B to A, and w_k does nothing. See the three projections in section 5.1.",
            wrong=_with_weights(w_k="w_q"),
            edit=((_K, "k = ops.matmul(x, self.w_q)"),),
        ),
        Misconception(
            "queries-and-keys-exchanged",
            "You make the queries with w_k and the keys with w_q: your scores are the transposed ones. See section "
            "5.1.",
            wrong=_with_weights(w_q="w_k", w_k="w_q"),
            edit=((_Q, "q = ops.matmul(x, self.w_k)"), (_K, "k = ops.matmul(x, self.w_q)")),
        ),
        Misconception(
            "raw-values",
            "You average the inputs themselves: your output is as wide as x, and w_v does nothing. See section 5.1.",
            wrong=_raw_values,
            edit=((_V, "v = x"),),
        ),
        Misconception(
            "tokens-do-not-meet",
            "Your output is the projected values, each token's own: no token learns anything of another. Where do the "
            "weights of section 2 come in?",
            wrong=_blind,
            edit=(("return output", "return v"),),
        ),
        Misconception(
            "scaled-by-the-width-of-x",
            "Your scores are divided by the root of D, the width of x, and not of the keys. Compare section 2.1.",
            wrong=_with_sharpness(lambda D, d_k: np.sqrt(d_k / D)),
            edit=((_Q, "q = ops.matmul(x, self.w_q) * (self.key_dim / x.shape[-1]) ** 0.5"),),
        ),
        Misconception(
            "scaled-twice",
            "Your scores are divided by √d_k twice, once in the layer and once in the attention that it calls: your "
            "weights are too flat. See section 5.1.",
            wrong=_with_sharpness(lambda D, d_k: 1 / np.sqrt(d_k)),
            edit=((_Q, "q = ops.matmul(x, self.w_q) / self.key_dim**0.5"),),
        ),
        Misconception(
            "no-scaling",
            "Your scores are not divided by √d_k. Compare section 2.1.",
            wrong=_with_sharpness(lambda D, d_k: np.sqrt(d_k)),
            edit=((_Q, "q = ops.matmul(x, self.w_q) * self.key_dim**0.5"),),
        ),
        Misconception(
            "projections-with-activation",
            "Your projections pass through a relu: negative queries, keys and values are lost. Section 5.1 has a "
            "matrix product and nothing after it.",
            wrong=_rectified,
            edit=(
                (_Q, "q = ops.relu(ops.matmul(x, self.w_q))"),
                (_K, "k = ops.relu(ops.matmul(x, self.w_k))"),
                (_V, "v = ops.relu(ops.matmul(x, self.w_v))"),
            ),
        ),
        Misconception(
            "residual-added",
            "You add the values to the attention's output; a residual connection comes later in the course and is not "
            "part of this layer. See section 5.1.",
            wrong=_added_to_values,
            edit=(("return output", "return output + v"),),
        ),
        Misconception(
            "mask-not-passed-on",
            "Your layer takes a mask and does nothing with it: blocked tokens still change their neighbours. See "
            "section 5.2.",
            wrong=_with_mask(lambda mask: None),
            edit=((_CALL, "scaled_dot_product_attention(q, k, v)"),),
        ),
        Misconception(
            "mask-upside-down",
            "You turn the mask round before you use it; True means 'may attend' in the layer, too. See section 2.3.",
            wrong=_with_mask(np.logical_not),
            edit=(
                (
                    _CALL,
                    "scaled_dot_product_attention(\n"
                    "            q, k, v, None if mask is None else ops.logical_not(mask)\n"
                    "        )",
                ),
            ),
        ),
        Misconception(
            "one-more-axis-for-the-mask",
            "You give the mask another axis; it has rank 3 already and broadcasts to (B, T, T) as it is, and your "
            "output has rank 4. See section 5.2.",
            wrong=_with_mask(lambda mask: mask[:, None]),
            edit=(
                (
                    _CALL,
                    "scaled_dot_product_attention(\n"
                    "            q, k, v, None if mask is None else mask[:, None]\n        )",
                ),
            ),
        ),
        Misconception(
            "mask-on-the-queries",
            "You exchange the axes of the mask: rows are queries and columns are keys. With T queries and T keys no "
            "shape complains, but the future is allowed and the past blocked. See section 2.3.",
            wrong=_with_mask(lambda mask: np.swapaxes(mask, -1, -2)),
            edit=(
                (
                    _CALL,
                    "scaled_dot_product_attention(\n"
                    "            q, k, v, None if mask is None else ops.swapaxes(mask, -1, -2)\n"
                    "        )",
                ),
            ),
        ),
        Misconception(
            "output-and-weights",
            "You return the weights along with the output; the layer returns its output alone, so that layers can be "
            "stacked. See section 5.2.",
            wrong=_output_and_weights,
            edit=(("return output", "return output, _"),),
        ),
        Misconception(
            "has-biases",
            "Your layer has more than its three matrices: biases, it seems (Dense has one unless told otherwise). "
            "Section 5.1 has none, so that an input of zeros gives zeros.",
            edit=(
                (
                    _W_V,
                    f"{_W_V}\n"
                    '        self.b_v = self.add_weight(name="b_v", shape=(self.value_dim,), initializer="zeros")',
                ),
                (_V, "v = ops.matmul(x, self.w_v) + self.b_v"),
            ),
        ),
        Misconception(
            "values-of-key-width",
            "Your w_v is as wide as the keys; values have a width of their own, `value_dim`. See section 5.1.",
            edit=((_W_V, 'self.w_v = self.add_weight(name="w_v", shape=(depth, self.key_dim))'),),
        ),
        Misconception(
            "weights-transposed",
            "Your weights are stored transposed, with the width of x as their last axis; x stands on the left of "
            "them. See the shapes in section 5.1.",
            edit=(
                ('name="w_q", shape=(depth, self.key_dim)', 'name="w_q", shape=(self.key_dim, depth)'),
                ('name="w_k", shape=(depth, self.key_dim)', 'name="w_k", shape=(self.key_dim, depth)'),
                ('name="w_v", shape=(depth, self.value_dim)', 'name="w_v", shape=(self.value_dim, depth)'),
                (_Q, "q = ops.matmul(x, ops.transpose(self.w_q))"),
                (_K, "k = ops.matmul(x, ops.transpose(self.w_k))"),
                (_V, "v = ops.matmul(x, ops.transpose(self.w_v))"),
            ),
        ),
        Misconception(
            "weights-made-in-call",
            "After it was called your layer owns no weights: whatever it multiplies by is made anew in every call, so "
            "that two calls differ and nothing can learn. Section 5.2 says where weights are made.",
            edit=(
                ("depth = input_shape[-1]", "return"),
                (_Q, "q = ops.matmul(x, keras.random.normal((x.shape[-1], self.key_dim)))"),
                (_K, "k = ops.matmul(x, keras.random.normal((x.shape[-1], self.key_dim)))"),
                (_V, "v = ops.matmul(x, keras.random.normal((x.shape[-1], self.value_dim)))"),
            ),
        ),
        needs_known_sizes(
            "the hint of section 5",
            (_Q, f"B, T, D = x.shape\n        x = ops.reshape(ops.reshape(x, (B * T, D)), (B, T, D))\n        {_Q}"),
        ),
    ),
    properties=(
        Property(
            "the output is (B, T, value_dim)",
            lambda found, x, *, value_dim, **_: found.shape == (*x.shape[:2], value_dim),
        ),
    ),
    forbidden=READY_MADE,
)
