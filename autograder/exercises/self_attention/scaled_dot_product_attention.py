"""scaled_dot_product_attention: each query takes from the values what its keys allow.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.1, equation (1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    agrees,
    conventions,
    distinct_sizes,
)
from autograder.exercises.self_attention.inputs import some_allowed
from autograder.exercises.self_attention.softmax import NEAR_TEN_THOUSAND, share, softmax

Attended = tuple[Array, Array]
"""Output (..., T, d_v) and weights (..., T, S)."""


def _small_offsets(rng: Generator, *shape: int) -> Array:
    """Returns whole numbers 0, 1 and 2: whatever the order of a float32 sum, it is exact."""
    return rng.integers(0, 3, shape).astype(np.float32)


def scaled_dot_product_attention(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    """Returns softmax(q k^T / sqrt(d_k)) v and the softmax itself, over the allowed keys.

    Vaswani et al. 2017, section 3.2.1, equation (1); blocked scores are set to minus infinity,
    section 3.2.3. A query without any allowed key gets weights 0 and output 0.
    """
    d_k = q.shape[-1]
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(d_k)  # (..., T, S)
    if mask is None:
        weights = softmax(scores)
    else:
        with np.errstate(invalid="ignore"):  # a row without any key is -inf - -inf; it is set to 0
            weights = np.where(mask, softmax(np.where(mask, scores, -np.inf)), 0.0)
    return weights @ v, weights


def _queries_keys_values(
    rng: Generator, lead: Sequence[int], sizes: Sequence[int], spread: float = 1.0
) -> tuple[Array, Array, Array]:
    """Returns q (*lead, T, d_k), k (*lead, S, d_k), v (*lead, S, d_v), off centre.

    Queries and keys stay around 1, so that the softmax is far from all or nothing and a wrong
    scale shows. `sizes` are T, S, d_k and d_v.
    """
    T, S, d_k, d_v = sizes
    q = rng.normal(0.5, spread, (*lead, T, d_k))
    k = rng.normal(0.5, spread, (*lead, S, d_k))
    v = rng.normal(2.0, 3.0, (*lead, S, d_v))
    return q.astype(np.float32), k.astype(np.float32), v.astype(np.float32)


def _rank_3(rng: Generator) -> FunctionCase:
    B, *sizes = distinct_sizes(rng, 5, 3, 10)
    return FunctionCase(_queries_keys_values(rng, (B,), sizes))


def _rank_2(rng: Generator) -> FunctionCase:
    return FunctionCase(_queries_keys_values(rng, (), distinct_sizes(rng, 4, 3, 10)))


def _rank_4(rng: Generator) -> FunctionCase:
    B, H, *sizes = distinct_sizes(rng, 6, 3, 10)
    return FunctionCase(_queries_keys_values(rng, (B, H), sizes))


def _masks(rng: Generator) -> list[FunctionCase]:
    B, T, S, d_k, d_v = distinct_sizes(rng, 5, 3, 10)
    qkv = _queries_keys_values(rng, (B,), (T, S, d_k, d_v))
    shapes = [(B, T, S), (T, S), (B, 1, S), (S,), (1, 1, S)]
    masks = [some_allowed(rng, *shape) for shape in shapes]
    cases = [FunctionCase(qkv, {"mask": mask}) for mask in masks]
    # a mask that blocks nothing is no mask, and mask is the fourth argument
    return [*cases, FunctionCase((*qkv, np.ones((T, S), bool)))]


def _masks_of_heads(rng: Generator) -> list[FunctionCase]:
    B, H, T, S, d_k, d_v = distinct_sizes(rng, 6, 3, 10)
    qkv = _queries_keys_values(rng, (B, H), (T, S, d_k, d_v))
    shapes = [(B, H, T, S), (B, 1, 1, S), (B, 1, T, S), (1, H, T, S), (T, S)]
    return [FunctionCase(qkv, {"mask": some_allowed(rng, *shape)}) for shape in shapes]


def _all_sizes_equal(rng: Generator) -> list[FunctionCase]:
    # what raises elsewhere because shapes do not fit runs here, and shows in the numbers
    n = int(rng.integers(4, 8))
    qkv = _queries_keys_values(rng, (n,), (n, n, n, n))
    padding, causal = some_allowed(rng, n, 1, n), np.tril(np.ones((n, n), bool))
    masks = [{}, {"mask": padding}, {"mask": causal}, {"mask": padding & causal | np.eye(n, dtype=bool)}]
    return [FunctionCase(qkv, mask) for mask in masks]


def _best_keys_blocked(rng: Generator) -> FunctionCase:
    # scores of about ±15, and every query may attend only to the two keys it likes least: what a
    # blocked key keeps is large beside them
    B, T, d_k, d_v = distinct_sizes(rng, 4, 4, 9)
    S = 9
    q, k, v = _queries_keys_values(rng, (B,), (T, S, d_k, d_v), spread=3.5)
    scores = q @ np.swapaxes(k, -1, -2)
    mask = scores < np.sort(scores, axis=-1)[..., 2:3]
    return FunctionCase((q, k, v), {"mask": mask})


def _huge_scores(rng: Generator) -> FunctionCase:
    # every query finds all scores near +9,950 or all near -9,950; with d_k = 16 and whole numbers
    # float32 is exact
    T, S = distinct_sizes(rng, 2, 4, 9)
    q, k = _small_offsets(rng, 2, T, 16), _small_offsets(rng, 2, S, 16)
    q[..., 4:], k[..., 0] = 0, 199
    q[..., 0] = rng.choice([-200, 200], (2, T))
    q[:, :2, 0] = 200, -200
    return FunctionCase((q, k, rng.normal(2.0, 3.0, (2, S, 3)).astype(np.float32)))


def _huge_blocked_scores(rng: Generator) -> FunctionCase:
    # allowed keys score about -10,000, blocked ones about +9,950: no constant like -1e4 hides those
    T, S = distinct_sizes(rng, 2, 5, 9)
    q, k = _small_offsets(rng, 2, T, 16), _small_offsets(rng, 2, S, 16)
    mask = rng.permuted(np.broadcast_to(np.arange(S) % 2 == 0, (2, S)), axis=1)
    q[..., 4:], q[..., 0] = 0, 200
    k[..., 0] = np.where(mask, -200, 199)
    v = rng.normal(2.0, 3.0, (2, S, 3)).astype(np.float32)
    return FunctionCase((q, k, v), {"mask": mask[:, None, :]})


def _no_key_allowed(rng: Generator) -> list[FunctionCase]:
    B, T, S, d_k, d_v = distinct_sizes(rng, 5, 3, 10)
    qkv = _queries_keys_values(rng, (B,), (T, S, d_k, d_v))
    some = some_allowed(rng, B, T, S)
    some[:, rng.integers(0, T)] = False
    padding = some_allowed(rng, B, 1, S)
    padding[rng.integers(0, B)] = False
    rows = np.arange(B * T).reshape(B, T, 1) % 2 == 0
    return [FunctionCase(qkv, {"mask": mask}) for mask in (some, padding, rows)]


def _double_attention(rng: Generator) -> FunctionCase:
    B, T, S, d_k, d_v = distinct_sizes(rng, 5, 3, 10)
    q, k, v = (a.astype(np.float64) for a in _queries_keys_values(rng, (B,), (T, S, d_k, d_v)))
    noise = 1e-3 * rng.normal(size=q.shape)  # digits that a float32 has not got
    return FunctionCase((q + noise, k, v), {"mask": some_allowed(rng, B, T, S)})


def _whole_attention(rng: Generator) -> FunctionCase:
    T, S, d_k, d_v = distinct_sizes(rng, 4, 3, 10)
    shapes = ((T, d_k), (S, d_k), (S, d_v))
    return FunctionCase(tuple(rng.integers(-2, 3, shape) for shape in shapes))


def _masked_attention(rng: Generator) -> FunctionCase:
    return _masks(rng)[0]


def _scaled_by(divisor: Callable[[Array, Array, Array], float]) -> Formula:
    """Returns the formula with another number in the place of sqrt(d_k)."""

    def wrong(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
        rescaled = q * np.sqrt(q.shape[-1]) / divisor(q, k, v)
        return scaled_dot_product_attention(rescaled, k, v, mask)

    return wrong


def _with_scores(
    change: Callable[[Array, Array], Array],
    soft: Callable[[Array], Array] = softmax,
    *,
    rows_without_keys: Callable[[Array], Array] = np.zeros_like,
) -> Formula:
    """Returns attention that does something else to the scores where there is a mask."""

    def wrong(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        if mask is None:
            weights = soft(scores)
        else:
            weights = soft(change(scores, mask))
            any_key = mask.any(axis=-1, keepdims=True)
            weights = np.where(any_key, weights, rows_without_keys(weights))
        return weights @ v, weights

    return wrong


def _put(constant: float) -> Callable[[Array, Array], Array]:
    return lambda scores, mask: np.where(mask, scores, constant)


def _softmax_then_mask(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    _, weights = scaled_dot_product_attention(q, k, v)
    weights = weights if mask is None else weights * mask
    return weights @ v, weights


def _mask_after_exp(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    if mask is None:
        weights = share(exponentials)
    else:
        any_key = mask.any(axis=-1, keepdims=True)
        weights = np.where(any_key, share(np.where(mask, exponentials, 0.0)), 0.0)
    return weights @ v, weights


def _keys_reversed(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    return scaled_dot_product_attention(q, np.swapaxes(k.T, -1, -2), v, mask)


def _values_by_key(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    _, weights = scaled_dot_product_attention(q, k, v, mask)
    return np.swapaxes(weights, -1, -2) @ v, weights


def _output_and_scores(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    return output, scores if mask is None else np.where(mask, scores, -1e9)


def _inverted(q: Array, k: Array, v: Array, mask: Array | None = None) -> Attended:
    return scaled_dot_product_attention(q, k, v, None if mask is None else ~mask)


def _weights_sum_to_one(found: Attended, q: Array, k: Array, v: Array, mask: Array | None = None) -> bool:
    sums = np.asarray(found[1]).sum(axis=-1)
    any_key = np.ones(1, bool) if mask is None else mask.any(axis=-1)
    return np.allclose(sums, np.broadcast_to(any_key, sums.shape), atol=1e-4)


def _blocked_keys_count_nothing(found: Attended, q: Array, k: Array, v: Array, mask: Array | None = None) -> bool:
    return mask is None or bool((np.abs(np.where(mask, 0.0, found[1])) < 1e-6).all())


READY_MADE = (
    "dot_product_attention",
    "Attention",
    "AdditiveAttention",
    "MultiHeadAttention",
    "GroupQueryAttention",
    "GroupedQueryAttention",
    "MultiHeadDotProductAttention",
)
"""Attention in Keras, TensorFlow, JAX and Flax."""

_SCORES = "ops.divide(ops.matmul(q, ops.swapaxes(k, -2, -1)), d_k**0.5)"
_BLOCKED = "ops.where(mask, scores, -1e9)"
_SOFTMAX = "weights = ops.softmax(scores, axis=-1)"
_NO_KEYS = "weights = ops.where(can_attend, weights, 0.0)"
_OWN_EXP = """exponentials = ops.exp({shifted})
    if mask is not None:
        exponentials = ops.where(mask, exponentials, 0.0)
    weights = exponentials / ops.sum(exponentials, axis=-1, keepdims=True)"""

ATTENTION = Exercise(
    symbol="scaled_dot_product_attention",
    formula=scaled_dot_product_attention,
    checks=(
        agrees(
            "is right for a batch of sequences", _rank_3, points=1, hint="Rank 3, no mask, five sizes that all differ."
        ),
        agrees("is right for a single sequence", _rank_2, points=0.5, hint="Rank 2, no mask."),
        agrees("is right with heads in front", _rank_4, points=0.5, hint="Rank 4, no mask, six sizes that all differ."),
        agrees(
            "attends to allowed keys only, whatever shape the mask broadcasts from",
            _masks,
            points=1,
            hint="Masks (B, T, S), (T, S), (B, 1, S), (S,), (1, 1, S); one that blocks nothing.",
        ),
        agrees("takes masks for heads", _masks_of_heads, points=0.5, hint="Rank 4 with masks of rank 4 and of rank 2."),
        agrees(
            "keeps the axes apart when all sizes are equal",
            _all_sizes_equal,
            points=0.5,
            hint="B = T = S = d_k = d_v, without a mask, with a padding mask, with a causal one.",
        ),
        agrees(
            "blocked keys count nothing where queries like them best",
            _best_keys_blocked,
            points=0.5,
            hint="Scores of about ±15; a query may attend only to the two keys it likes least.",
        ),
        agrees(
            "stays finite for scores near ±1e4",
            _huge_scores,
            points=0.5,
            tolerance=NEAR_TEN_THOUSAND,
            hint="No mask; for some queries all scores are near 1e4, for others near -1e4.",
        ),
        agrees(
            "blocked keys count nothing for scores near ±1e4",
            _huge_blocked_scores,
            points=0.5,
            tolerance=NEAR_TEN_THOUSAND,
            hint="Allowed scores near -1e4, blocked ones near +1e4.",
        ),
        agrees(
            "a query that may attend to nothing gets zeros",
            _no_key_allowed,
            points=0.5,
            hint="Some queries have no key, the others have some.",
        ),
        conventions.leaves_arguments_alone(_masked_attention, cost=0.5),
        conventions.keeps_float64(_double_attention, cost=0.5),
        conventions.takes_whole_numbers(_whole_attention, cost=0.5, hint="q, k and v are integers."),
        conventions.takes_tensors(_masked_attention, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "no-scaling",
            "Your scores are not divided by √d_k: the larger d_k, the nearer your weights come to all or nothing. See "
            "the formula in section 2.1.",
            wrong=_scaled_by(lambda q, k, v: 1.0),
            edit=((_SCORES, "ops.matmul(q, ops.swapaxes(k, -2, -1))"),),
        ),
        Misconception(
            "scaled-by-d-k",
            "You divide the scores by d_k itself: your weights are flatter than they should be. Section 2.1 divides "
            "by something smaller, and section 2.5 says why.",
            wrong=_scaled_by(lambda q, k, v: q.shape[-1]),
            edit=(("d_k**0.5", "d_k"),),
        ),
        Misconception(
            "scaled-by-the-width-of-the-values",
            "You divide by the root of d_v, the width of the values, which the scores have nothing to do with: the "
            "error is gone when d_k = d_v. Section 2.1 names the width that counts.",
            wrong=_scaled_by(lambda q, k, v: np.sqrt(v.shape[-1])),
            edit=(("d_k**0.5", "v.shape[-1] ** 0.5"),),
        ),
        Misconception(
            "scaled-by-the-number-of-keys",
            "You divide by the root of S, the number of keys: your weights change their sharpness with the length of "
            "the sequence. Look up in section 2.1 which axis of k the d_k is.",
            wrong=_scaled_by(lambda q, k, v: np.sqrt(k.shape[-2])),
            edit=(("d_k**0.5", "k.shape[-2] ** 0.5"),),
        ),
        Misconception(
            "scaled-by-shape-1",
            "You take d_k from axis 1, counted from the front: that is d_k only for rank 2, the number of keys for "
            "rank 3 and the number of heads for rank 4. Count as section 2.1 writes the shapes: from the back.",
            wrong=_scaled_by(lambda q, k, v: np.sqrt(k.shape[1])),
            edit=(("d_k**0.5", "k.shape[1] ** 0.5"),),
        ),
        Misconception(
            "softmax-over-queries",
            "Your weights sum to 1 over the queries, not over the keys: the softmax runs along the wrong axis. What "
            "does one row of the table in section 2.2 sum to?",
            wrong=_with_scores(_put(-1e9), lambda scores: softmax(scores, -2)),
            edit=(("ops.softmax(scores, axis=-1)", "ops.softmax(scores, axis=-2)"),),
        ),
        Misconception(
            "scores-times-mask",
            "You multiply the scores by the mask: a blocked key then has the score 0, and exp(0) = 1 is not nothing. "
            "Follow a blocked key through the softmax in section 2.3.",
            wrong=_with_scores(lambda scores, mask: scores * mask),
            edit=((_BLOCKED, "scores * ops.cast(mask, scores.dtype)"),),
        ),
        Misconception(
            "mask-after-softmax",
            "You blank out weights after the softmax: the allowed ones then sum to less than 1, since the blocked "
            "keys took their share before. Section 2.3 says over which keys the softmax is taken.",
            wrong=_softmax_then_mask,
            edit=((_BLOCKED, "scores"), (_NO_KEYS, "weights = ops.where(mask, weights, 0.0)")),
        ),
        Misconception(
            "minus-10000-is-not-enough",
            "You put -1e4 in the place of blocked scores: beside allowed scores that are about as low, a blocked key "
            "still gets its share. Section 2.3 says how large scores may be.",
            wrong=_with_scores(_put(-1e4)),
            edit=((_BLOCKED, "ops.where(mask, scores, -1e4)"),),
        ),
        Misconception(
            "adding-minus-10000-is-not-enough",
            "You add -1e4 to blocked scores: a blocked key that was far ahead of the allowed ones stays ahead. "
            "Section 2.3 says how large scores may be.",
            wrong=_with_scores(lambda scores, mask: np.where(mask, scores, scores - 1e4)),
            edit=((_BLOCKED, "ops.where(mask, scores, scores - 1e4)"),),
        ),
        Misconception(
            "adding-minus-10-is-not-enough",
            "You add about -10 to blocked scores: exp(-10) is small but not nothing, and a blocked key that a query "
            "likes keeps its weight. Section 2.3 says what a blocked key's weight must be.",
            wrong=_with_scores(lambda scores, mask: np.where(mask, scores, scores - 10)),
            edit=((_BLOCKED, "ops.where(mask, scores, scores - 10.0)"),),
        ),
        Misconception(
            "mask-upside-down",
            "You attend to just the keys that the mask forbids: True means 'may attend' here (some older tutorials "
            "mean the opposite by 1). Read section 2.3 again.",
            wrong=_inverted,
            edit=((_BLOCKED, "ops.where(mask, -1e9, scores)"),),
        ),
        Misconception(
            "mask-without-effect",
            "Your mask changes nothing: either it is not used, or what it adds is as small as -1e-9, which gives the "
            "same numbers. Compare your weights with and without a mask in section 2.3.",
            wrong=lambda q, k, v, mask=None: scaled_dot_product_attention(q, k, v),
            edit=((_BLOCKED, "ops.where(mask, scores, scores - 1e-9)"),),
        ),
        Misconception(
            "largest-score-is-a-blocked-one",
            "You shift by the largest of all scores, blocked ones included, before you blank those out: when a "
            "blocked key is far ahead, all allowed ones underflow to 0 and 0/0 is NaN. Section 2.3 takes the whole "
            "softmax over the allowed keys.",
            wrong=_mask_after_exp,
            edit=(
                (_BLOCKED, "scores"),
                (_SOFTMAX, _OWN_EXP.format(shifted="scores - ops.max(scores, axis=-1, keepdims=True)")),
            ),
        ),
        Misconception(
            "exp-overflows",
            "You take exp of the scores as they are: large ones overflow to infinity, and inf/inf is NaN. Your own "
            "softmax of section 1 knows better.",
            wrong=_with_scores(_put(-1e9), lambda scores: share(np.exp(np.float32(scores)))),
            edit=((_SOFTMAX, _OWN_EXP.format(shifted="scores")),),
        ),
        Misconception(
            "infinity-times-zero",
            "You multiply (1 - mask) by minus infinity: for an allowed key that is 0 · ∞, which is NaN and spreads "
            "over its row. Read the hint of section 2 about how to block a score.",
            wrong=_with_scores(
                lambda scores, mask: scores + np.where(mask, np.nan, -np.inf), rows_without_keys=np.zeros_like
            ),
            edit=((_BLOCKED, 'scores + (1.0 - ops.cast(mask, scores.dtype)) * -float("inf")'),),
        ),
        Misconception(
            "uniform-where-nothing-is-allowed",
            "A query that may attend to nothing gets equal weights for all keys: when every score is the same large "
            "negative number, the softmax can't tell. Section 2.3 says what it gets instead.",
            wrong=_with_scores(_put(-1e9), rows_without_keys=lambda weights: weights),
            edit=((_NO_KEYS, "pass"),),
        ),
        Misconception(
            "nan-where-nothing-is-allowed",
            "A query that may attend to nothing gets NaN: with minus infinity everywhere the softmax is 0/0. Section "
            "2.3 says what it gets instead.",
            wrong=_with_scores(_put(-np.inf), rows_without_keys=lambda weights: weights),
            edit=((_BLOCKED, 'ops.where(mask, scores, -float("inf"))'), (_NO_KEYS, "pass")),
        ),
        Misconception(
            "mask-on-the-queries",
            "You lay the mask over the wrong axis: its last axis counts keys, and you block queries. Where sizes "
            "differ it raises; where T = S blocked keys are still used. See the shapes in section 2.3.",
            wrong=_with_scores(lambda scores, mask: np.where(np.swapaxes(mask, -1, -2), scores, -1e9)),
            edit=((_BLOCKED, "ops.where(ops.swapaxes(mask, -1, -2), scores, -1e9)"),),
        ),
        Misconception(
            "keys-transposed-on-all-axes",
            "You transpose k with all its axes reversed, the batch too: it works for rank 2, raises for rank 3, and "
            "mixes the sequences of the batch where all sizes agree. Section 2.1 exchanges two axes only.",
            wrong=_keys_reversed,
            edit=(("ops.swapaxes(k, -2, -1)", "ops.transpose(k)"),),
        ),
        Misconception(
            "values-weighted-by-key",
            "You take the sum for an output over the queries: weights and values meet on the wrong axis. It raises "
            "unless T = S. In section 2.2 one row of weights makes one row of output.",
            wrong=_values_by_key,
            edit=(("return ops.matmul(weights, v)", "return ops.matmul(ops.swapaxes(weights, -2, -1), v)"),),
        ),
        Misconception(
            "weights-first",
            "You return the weights first and the output second; the order is (output, weights). See the docstring.",
            wrong=lambda q, k, v, mask=None: scaled_dot_product_attention(q, k, v, mask)[::-1],
            edit=(("return ops.matmul(weights, v), weights", "return weights, ops.matmul(weights, v)"),),
        ),
        Misconception(
            "output-only",
            "You return the output alone; the weights are asked for, too. See the docstring.",
            wrong=lambda q, k, v, mask=None: scaled_dot_product_attention(q, k, v, mask)[0],
            edit=(("ops.matmul(weights, v), weights", "ops.matmul(weights, v)"),),
        ),
        Misconception(
            "scores-for-weights",
            "What you return as weights are the scores before the softmax: they are negative in places and do not sum "
            "to 1. Section 2.1 names the parts.",
            wrong=_output_and_scores,
            edit=(("ops.matmul(weights, v), weights", "ops.matmul(weights, v), scores"),),
        ),
        conventions.computes_in_float32(
            "section 2.4: a plain Python number takes on the type of the array beside it",
            ("ops.softmax(scores,", 'ops.softmax(ops.cast(scores, "float32"),'),
        ),
        conventions.changes_its_arguments(
            "what section 0 asks",
            ("d_k = q.shape[-1]", "d_k = q.shape[-1]\n    q /= d_k**0.5"),
            (_SCORES, "ops.matmul(q, ops.swapaxes(k, -2, -1))"),
        ),
    ),
    properties=(
        Property("every row of the weights sums to 1, or to 0 without a key", _weights_sum_to_one),
        Property("blocked keys have weight 0", _blocked_keys_count_nothing),
        Property("no weight is negative", lambda found, *_, **__: bool((found[1] >= 0).all())),
        Property(
            "the output is weights · v",
            lambda found, q, k, v, mask=None: np.allclose(found[0], found[1] @ v, atol=1e-3),
        ),
    ),
    forbidden=("scaled_dot_product_attention", *READY_MADE),
)
