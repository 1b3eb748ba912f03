"""CausalSelfAttention: every token looks back at what came before it, with several heads.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762: section 3.2.2 for the heads, section 3.2.3 for the
mask of the decoder.
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
    Tolerance,
    Trial,
    agrees,
    distinct_sizes,
    follows_policy,
    has_gradients,
    has_weights,
    named,
    needs_known_sizes,
    other_sizes,
    rejects,
    right_on,
    survives_config,
    traces,
)
from autograder.exercises.self_attention.causal_mask import causal_mask
from autograder.exercises.self_attention.scaled_dot_product_attention import READY_MADE, scaled_dot_product_attention
from autograder.exercises.self_attention.softmax import softmax

Attend = Callable[[Array, Array, Array], Array]
"""Queries, keys and values of all heads, each (B, H, T, d), to what every head gives, (B, H, T, d)."""

NAMES = ("w_q", "w_k", "w_v", "w_o")
SHARP = Tolerance(rtol=1e-3, atol=1e-3)
"""Scores near ±30 in float32: their error is that of the weights."""


def split_heads(x: Array, num_heads: int) -> Array:
    """Returns (B, H, T, d) for x (B, T, D): head h holds the columns h d to (h + 1) d - 1."""
    B, T, D = x.shape
    return x.reshape(B, T, num_heads, D // num_heads).transpose(0, 2, 1, 3)


def merge_heads(x: Array) -> Array:
    """Returns (B, T, H d) for x (B, H, T, d), the inverse of `split_heads`."""
    B, H, T, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * d)


def look_back(q: Array, k: Array, v: Array) -> Array:
    """Returns attention to the keys up to the query's own: Vaswani et al. 2017, section 3.2.3."""
    output, _ = scaled_dot_product_attention(q, k, v, causal_mask(q.shape[-2]))
    return output


def causal_self_attention(
    x: Array, *, w_q: Array, w_k: Array, w_v: Array, w_o: Array, num_heads: int, embed_dim: int
) -> Array:
    """Returns Concat(head_1 ... head_H) W_O, every head looking back: Vaswani et al. 2017, sections 3.2.2 and 3.2.3."""
    q, k, v = (split_heads(x @ w, num_heads) for w in (w_q, w_k, w_v))  # (B, H, T, d)
    return merge_heads(look_back(q, k, v)) @ w_o  # (B, T, D)


def _sizes(rng: Generator) -> tuple[int, int, int, int]:
    """Returns B, T, H and d, so that these and D = H d all differ."""
    while True:
        B, T, H, d = distinct_sizes(rng, 4, 2, 8)
        if H * d <= 15 and H * d not in (B, T):
            return B, T, H, d


def _case(rng: Generator, B: int, T: int, H: int, d: int, spread: float = 1.5) -> LayerCase:
    D = H * d
    weights = {name: rng.normal(0.0, 1.3 / np.sqrt(D), (D, D)).astype(np.float32) for name in NAMES}
    x = rng.normal(0.3 * spread, spread, (B, T, D)).astype(np.float32)
    return LayerCase({"num_heads": H, "embed_dim": D}, weights, (x,))


def _layer(rng: Generator) -> LayerCase:
    return _case(rng, *_sizes(rng))


def _small_layer(rng: Generator) -> LayerCase:
    B, T = distinct_sizes(rng, 2, 3, 6)
    return _case(rng, B, T, 2, 3)


def _tempting_futures(rng: Generator) -> list[LayerCase]:
    # scores of about ±15 and more: most queries would like best a key that they must not see
    B, _, H, d = _sizes(rng)
    first = _case(rng, B, 11, H, d, spread=3.0)
    (x,) = first.inputs
    other = x.copy()
    other[:, 6:] = rng.normal(-1.0, 4.0, other[:, 6:].shape)
    return [first, LayerCase(first.config, first.weights, (other,))]


def _one_head_speaking(rng: Generator) -> list[LayerCase]:
    # all other heads have values 0: what leaks from one head to another shows
    cases: list[LayerCase] = []
    for _ in range(2):
        case = _layer(rng)
        H, D = case.config["num_heads"], case.config["embed_dim"]
        d, speaking = D // H, int(rng.integers(H))
        weights = dict(case.weights)
        weights["w_v"] = weights["w_v"].copy()
        weights["w_v"][:, np.arange(D) // d != speaking] = 0.0
        cases.append(LayerCase(case.config, weights, case.inputs))
    B, T, d = distinct_sizes(rng, 3, 3, 9)
    return [*cases, _case(rng, B, T, 1, d)]


def _one_token(rng: Generator) -> LayerCase:
    B, _, H, d = _sizes(rng)
    return _case(rng, B, 1, H, d)


def _not_divisible(trial: Trial) -> object:
    H, D = ((3, 8), (4, 6), (5, 12))[trial.rng.integers(3)]
    layer = trial.probe.make(trial.exercise.symbol, num_heads=H, embed_dim=D)
    return layer(trial.rng.normal(size=(2, 7, D)).astype(np.float32))


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the misconception behind the shapes of the weights that a layer has."""
    D = case.config["embed_dim"]
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if not shapes:
        return "weights-made-in-call"
    if any(len(shape) == 1 for shape in shapes):
        return "has-biases"
    if shapes == [(D, D)] * 3:
        return "no-output-projection"
    return None


def _with(
    attend: Attend = look_back,
    *,
    split: Callable[[Array, int], Array] = split_heads,
    merge: Callable[[Array], Array] = merge_heads,
    **renamed: str,
) -> Formula:
    """Returns the layer's formula with other parts, or with one weight in the place of another."""

    def wrong(x: Array, *, num_heads: int, embed_dim: int, **weights: Array) -> Array:
        weights = {**weights, **{name: weights[other] for name, other in renamed.items()}}
        q, k, v = (split(x @ weights[name], num_heads) for name in NAMES[:3])
        return merge(attend(q, k, v)) @ weights["w_o"]

    return wrong


def _masked(allowed: Callable[[int], Array | None]) -> Attend:
    """Returns attention with another mask, made from the length."""
    return lambda q, k, v: scaled_dot_product_attention(q, k, v, allowed(q.shape[-2]))[0]


def _scored(change: Callable[[Array, Array], Array], factor: Callable[[Array], float] = lambda q: 1.0) -> Attend:
    """Returns attention whose scores are multiplied by a factor and changed with the mask before the softmax."""

    def attend(q: Array, k: Array, v: Array) -> Array:
        scores = factor(q) * q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        return softmax(change(scores, causal_mask(q.shape[-2]))) @ v

    return attend


def _sharpened(factor: Callable[[Array], float]) -> Attend:
    return lambda q, k, v: look_back(factor(q) * q, k, v)


def _cut_after_the_softmax(q: Array, k: Array, v: Array) -> Array:
    _, weights = scaled_dot_product_attention(q, k, v)
    return (weights * causal_mask(q.shape[-2])) @ v


def _shared_out(axis: int) -> Attend:
    """Returns attention whose softmax runs along another axis of the scores (B, H, T, T)."""

    def attend(q: Array, k: Array, v: Array) -> Array:
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        return softmax(np.where(causal_mask(q.shape[-2]), scores, -1e9), axis=axis) @ v

    return attend


def _reshaped(x: Array, num_heads: int) -> Array:
    B, T, D = x.shape
    return x.reshape(B, num_heads, T, D // num_heads)


def _reshaped_back(x: Array) -> Array:
    B, H, T, d = x.shape
    return x.reshape(B, T, H * d)


def _every_second_column(x: Array, num_heads: int) -> Array:
    B, T, D = x.shape
    return x.reshape(B, T, D // num_heads, num_heads).transpose(0, 3, 1, 2)


def _merged_by_column(x: Array) -> Array:
    B, H, T, d = x.shape
    return x.transpose(0, 2, 3, 1).reshape(B, T, H * d)


def _averaged(x: Array) -> Array:
    return np.tile(x.mean(1), (1, 1, x.shape[1]))


def _transposed(x: Array, *, num_heads: int, embed_dim: int, **weights: Array) -> Array:
    turned = {name: weight.T for name, weight in weights.items()}
    return causal_self_attention(x, num_heads=num_heads, embed_dim=embed_dim, **turned)


def _no_output_projection(x: Array, *, num_heads: int, embed_dim: int, **weights: Array) -> Array:
    weights["w_o"] = np.eye(embed_dim)
    return causal_self_attention(x, num_heads=num_heads, embed_dim=embed_dim, **weights)


def _residual(x: Array, **arguments: Any) -> Array:
    return x + causal_self_attention(x, **arguments)


def _one_head(x: Array, *, num_heads: int, **arguments: Any) -> Array:
    return causal_self_attention(x, num_heads=1, **arguments)


_SCALE = "/ d**0.5"
_ALLOWED = "positions[:, None] >= positions[None, :]"
_BLOCKED = "scores = ops.where(allowed, scores, -1e9)"
_SOFTMAX = "weights = ops.softmax(scores, axis=-1)"
_SPLIT = "ops.transpose(ops.reshape(x, (B, T, H, d)), (0, 2, 1, 3))"
_MERGE = "ops.reshape(ops.transpose(heads, (0, 2, 1, 3)), (B, T, D))"
_OUT = "return ops.matmul(merged, self.w_o)"
_W_O = 'self.w_o = self.add_weight(name="w_o", shape=(D, D))'

CAUSAL_SELF_ATTENTION = Exercise(
    symbol="CausalSelfAttention",
    formula=causal_self_attention,
    checks=(
        agrees(
            "computes the formula with its four matrices",
            other_sizes(_layer),
            points=2,
            hint="Weights are set by us; two batches of different size; B, T, H, d and D all differ.",
        ),
        agrees(
            "a later token never changes an earlier output",
            _tempting_futures,
            points=1.5,
            hint="Scores of ±15 and more, so that most queries would like best what they must not see; then other "
            "tokens in the second half.",
            tolerance=SHARP,
        ),
        agrees(
            "keeps its heads apart",
            _one_head_speaking,
            points=1,
            hint="The values of all heads but one are 0; then a layer with a single head.",
        ),
        traces(other_sizes(_layer), points=1),
        has_gradients(_small_layer, points=0.5),
        has_weights(
            "has the weights w_q, w_k, w_v and w_o, each (D, D), and no other",
            _layer,
            cost=1,
            diagnose=_odd_weights,
            hint="Made in build, all trainable.",
        ),
        named(
            rejects(
                "refuses an embed_dim that num_heads does not divide",
                _not_divisible,
                cost=0.5,
                hint="A ValueError at construction, build or call.",
            ),
            "accepts-any-number-of-heads",
            right_on(_layer),
        ),
        agrees("takes a single token", _one_token, cost=0.25, hint="T = 1: it has only itself to look at."),
        survives_config(_layer, cost=0.5),
        follows_policy(_layer, "float64", cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "not-causal",
            "Every token of yours looks at all the others: change the last one and the first output changes. There is "
            "no mask, or it does nothing. See section 1.2.",
            wrong=_with(_masked(lambda T: None)),
            edit=((_BLOCKED, "pass"),),
        ),
        Misconception(
            "only-the-future",
            "Your tokens look at themselves and at what comes after them, never back: rows and columns of the mask "
            "are exchanged. In section 1.2 the row is the query.",
            wrong=_with(_masked(lambda T: causal_mask(T).T)),
            edit=((_ALLOWED, "positions[:, None] <= positions[None, :]"),),
        ),
        Misconception(
            "itself-blocked",
            "Your tokens don't see themselves, and the first one is left with nothing. Look at the diagonal of the "
            "mask in section 1.2.",
            wrong=_with(_scored(lambda scores, mask: np.where(np.tril(mask, -1), scores, -1e9))),
            edit=((_ALLOWED, "positions[:, None] > positions[None, :]"),),
        ),
        Misconception(
            "one-step-into-the-future",
            "Your tokens see one token too many, the very next, which is what a GPT has to predict. Look at the "
            "diagonal of the mask in section 1.2.",
            wrong=_with(_masked(lambda T: np.tril(np.ones((T, T), bool), 1))),
            edit=((_ALLOWED, "positions[:, None] + 1 >= positions[None, :]"),),
        ),
        Misconception(
            "blocked-scores-of-0",
            "Your blocked scores become 0 (a product with the mask does that, or -1e-9 where -1e9 was meant), and the "
            "softmax gives each of them exp(0) = 1 before it shares out. See what section 1.2 says of blocked scores.",
            wrong=_with(_scored(lambda scores, mask: scores * mask)),
            edit=((_BLOCKED, "scores = scores * ops.cast(allowed, scores.dtype)"),),
        ),
        Misconception(
            "mask-after-the-softmax",
            "You set weights to 0 after the softmax: what is left of a row sums to less than 1, and the future has "
            "taken its share. Section 1.2 says where the mask acts.",
            wrong=_with(_cut_after_the_softmax),
            edit=(
                (_BLOCKED, "pass"),
                (_SOFTMAX, f"{_SOFTMAX} * ops.cast(allowed, scores.dtype)"),
            ),
        ),
        Misconception(
            "blocked-by-ten-only",
            "You lower blocked scores by 10: where a query likes a later key by more than that, the future still gets "
            "through. Section 1.2 says how little it may count.",
            wrong=_with(_scored(lambda scores, mask: np.where(mask, scores, scores - 10.0))),
            edit=((_BLOCKED, "scores = ops.where(allowed, scores, scores - 10.0)"),),
        ),
        Misconception(
            "blocked-by-minus-ten",
            "You put -10 in the place of a blocked score: where the allowed keys score -15, that is a large one. "
            "Section 1.2 says how little it may count.",
            wrong=_with(_scored(lambda scores, mask: np.where(mask, scores, -10.0))),
            edit=((_BLOCKED, "scores = ops.where(allowed, scores, -10.0)"),),
        ),
        Misconception(
            "no-scaling",
            "Your scores are not divided by the root of d, so that your weights are too sharp. See the formula in "
            "section 1.1.",
            wrong=_with(_sharpened(lambda q: np.sqrt(q.shape[-1]))),
            edit=((_SCALE, ""),),
        ),
        Misconception(
            "scaled-by-embed-dim",
            "You divide the scores by the root of D, but a head's queries are only d = D/H wide: your weights are too "
            "flat as soon as there are two heads. See the formula in section 1.1.",
            wrong=_with(_sharpened(lambda q: 1 / np.sqrt(q.shape[1]))),
            edit=((_SCALE, "/ D**0.5"),),
        ),
        Misconception(
            "divided-by-d",
            "You divide the scores by d, not by its root: your weights are too flat. See the formula in section 1.1.",
            wrong=_with(_sharpened(lambda q: 1 / np.sqrt(q.shape[-1]))),
            edit=((_SCALE, "/ d"),),
        ),
        Misconception(
            "softmax-over-queries",
            "Your softmax runs over the queries: the columns of your weights sum to 1, not the rows. See the shapes "
            "in section 1.1.",
            wrong=_with(_shared_out(-2)),
            edit=((_SOFTMAX, "weights = ops.softmax(scores, axis=-2)"),),
        ),
        Misconception(
            "softmax-over-heads",
            "Your softmax runs over the heads, so that they compete and no row sums to 1. See the shapes in section "
            "1.1.",
            wrong=_with(_shared_out(1)),
            edit=((_SOFTMAX, "weights = ops.softmax(scores, axis=1)"),),
        ),
        Misconception(
            "split-without-transposing",
            "You reshape (B, T, D) to (B, H, T, d) at once: the shape is right, but a head gets all columns of some "
            "tokens instead of some columns of all tokens. See section 1.1.",
            wrong=_with(split=_reshaped),
            edit=((_SPLIT, "ops.reshape(x, (B, H, T, d))"),),
        ),
        Misconception(
            "merged-without-transposing",
            "You reshape (B, H, T, d) to (B, T, D) at once: the shape is right, but a token's row holds several "
            "tokens of one head. See section 1.1.",
            wrong=_with(merge=_reshaped_back),
            edit=((_MERGE, "ops.reshape(heads, (B, T, D))"),),
        ),
        Misconception(
            "never-transposed",
            "You reshape to heads and back without a transpose: both shapes are right, and a head holds some tokens "
            "with all their columns. See section 1.1.",
            wrong=_with(split=_reshaped, merge=_reshaped_back),
            edit=((_SPLIT, "ops.reshape(x, (B, H, T, d))"), (_MERGE, "ops.reshape(heads, (B, T, D))")),
        ),
        Misconception(
            "heads-of-scattered-columns",
            "Your head h has the columns h, h + H, h + 2H and so on; here it has d columns side by side. Section 1.1 "
            "says which.",
            wrong=_with(split=_every_second_column, merge=_merged_by_column),
            edit=(
                (_SPLIT, "ops.transpose(ops.reshape(x, (B, T, d, H)), (0, 3, 1, 2))"),
                (_MERGE, "ops.reshape(ops.transpose(heads, (0, 2, 3, 1)), (B, T, D))"),
            ),
        ),
        Misconception(
            "num-heads-ignored",
            "Your layer computes one head of width D whatever num_heads says. See section 1.1.",
            wrong=_one_head,
            edit=(
                ("D, H = self.embed_dim, self.num_heads", "D, H = self.embed_dim, 1"),
                ("self.num_heads, self.embed_dim // self.num_heads", "1, self.embed_dim"),
            ),
        ),
        Misconception(
            "heads-averaged",
            "You average the heads; section 1.1 puts them side by side.",
            wrong=_with(merge=_averaged),
            edit=((_MERGE, "ops.tile(ops.mean(heads, axis=1), (1, 1, H))"),),
        ),
        Misconception(
            "no-output-projection",
            "Your heads are put side by side and returned: w_o does nothing, or is not there. See the end of the "
            "formula in section 1.1.",
            wrong=_no_output_projection,
            edit=((_OUT, "return merged"),),
        ),
        Misconception(
            "keys-made-with-w-q",
            "You make queries and keys with the same matrix w_q, and w_k does nothing. See section 1.1.",
            wrong=_with(w_k="w_q"),
            edit=(("k = self.split(ops.matmul(x, self.w_k))", "k = self.split(ops.matmul(x, self.w_q))"),),
        ),
        Misconception(
            "keys-and-values-exchanged",
            "You compare the queries with what w_v makes, and average what w_k makes: Keras' own attention takes "
            "(query, value, key) in that order, this layer names its matrices by role. See section 1.1.",
            wrong=_with(w_k="w_v", w_v="w_k"),
            edit=(
                ("k = self.split(ops.matmul(x, self.w_k))", "k = self.split(ops.matmul(x, self.w_v))"),
                ("v = self.split(ops.matmul(x, self.w_v))", "v = self.split(ops.matmul(x, self.w_k))"),
            ),
        ),
        Misconception(
            "matrices-transposed",
            "You multiply by the transposed matrices, as PyTorch's linear layers do: they are square, so no shape "
            "complains. In section 1.1 x stands on their left.",
            wrong=_transposed,
            edit=(
                ("q = self.split(ops.matmul(x, self.w_q))", "q = self.split(ops.matmul(x, ops.transpose(self.w_q)))"),
                ("k = self.split(ops.matmul(x, self.w_k))", "k = self.split(ops.matmul(x, ops.transpose(self.w_k)))"),
                ("v = self.split(ops.matmul(x, self.w_v))", "v = self.split(ops.matmul(x, ops.transpose(self.w_v)))"),
                (_OUT, "return ops.matmul(merged, ops.transpose(self.w_o))"),
            ),
        ),
        Misconception(
            "residual-added",
            "You add x to the output; the residual connection belongs to the block around this layer. See section 1.1.",
            wrong=_residual,
            edit=((_OUT, "return x + ops.matmul(merged, self.w_o)"),),
        ),
        Misconception(
            "has-biases",
            "Your layer has more than its four matrices: biases, it seems (Dense has one unless told otherwise). "
            "Section 1.1 has none, so that an input of zeros gives zeros.",
            edit=(
                (_W_O, f'{_W_O}\n        self.b_o = self.add_weight(name="b_o", shape=(D,), initializer="zeros")'),
                (_OUT, "return ops.matmul(merged, self.w_o) + self.b_o"),
            ),
        ),
        Misconception(
            "weights-made-in-call",
            "After it was called your layer owns no weights: whatever it multiplies by is made anew in every call, so "
            "that two calls differ and nothing can learn. Section 1.3 says where weights are made.",
            edit=(
                ("D = self.embed_dim", "return"),
                (
                    "D, H = self.embed_dim, self.num_heads",
                    "D, H = self.embed_dim, self.num_heads\n"
                    "        self.w_q, self.w_k, self.w_v, self.w_o = (keras.random.normal((D, D)) for _ in range(4))",
                ),
            ),
        ),
        Misconception(
            "accepts-any-number-of-heads",
            "Your layer does not refuse an embed_dim that num_heads does not divide, or raises something other than "
            "ValueError. See section 1.3.",
            edit=(("if embed_dim % num_heads:", "if False:"),),
        ),
        needs_known_sizes(
            "what layers are made of in section 0, and hint 2 of section 1.3",
            ("positions = ops.arange(T)", "positions = np.arange(x.shape[1])"),
        ),
    ),
    properties=(
        Property(
            "the output has the shape of x",
            lambda found, x, **_: found.shape == x.shape,
        ),
    ),
    forbidden=READY_MADE,
)
