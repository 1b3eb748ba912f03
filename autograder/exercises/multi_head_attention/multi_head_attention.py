"""MultiHeadAttention: several heads attend side by side, and one matrix mixes what they found.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    Property,
    Trial,
    agrees,
    compare,
    distinct_sizes,
    follows_policy,
    has_weights,
    holds,
    named,
    needs_known_sizes,
    rejects,
    right_on,
    survives_config,
    traces,
)
from autograder.checking.layers import GRADIENTS, _slopes
from autograder.exercises.multi_head_attention.inputs import WEIGHTS, matrices, sizes, tokens
from autograder.exercises.multi_head_attention.merge_heads import merge_heads
from autograder.exercises.multi_head_attention.split_heads import split_heads
from autograder.exercises.self_attention.inputs import some_allowed
from autograder.exercises.self_attention.scaled_dot_product_attention import (
    READY_MADE,
    Attended,
    scaled_dot_product_attention,
)
from autograder.exercises.self_attention.softmax import softmax

Attend = Callable[[Array, Array, Array, Array | None], Attended]


def multi_head_attention(
    query: Array,
    key: Array,
    value: Array,
    *,
    w_q: Array,
    w_k: Array,
    w_v: Array,
    w_o: Array,
    num_heads: int,
    embed_dim: int,
    mask: Array | None = None,
    split: Callable[[Array, int], Array] = split_heads,
    attend: Attend = scaled_dot_product_attention,
    merge: Callable[[Array], Array] = merge_heads,
) -> Array:
    """Returns Concat(head_1 … head_H) W_O with head_i = Attention(Q W_Qi, K W_Ki, V W_Vi).

    Vaswani et al. 2017, section 3.2.2, with the H matrices W_Qi side by side in one W_Q (D, D), and so for keys and
    values; the mask (B, T, S) is shared by the heads. The last three arguments are for what goes wrong.
    """
    q = split(query @ w_q, num_heads)  # (B, H, T, d)
    k = split(key @ w_k, num_heads)  # (B, H, S, d)
    v = split(value @ w_v, num_heads)  # (B, H, S, d)
    heads, _ = attend(q, k, v, None if mask is None else mask[:, None])  # (B, H, T, d)
    return merge(heads) @ w_o  # (B, T, D)


def _case(rng: Generator, B: int, T: int, S: int, H: int, d: int) -> LayerCase:
    D = H * d
    inputs = (tokens(rng, B, T, D), tokens(rng, B, S, D), tokens(rng, B, S, D))
    return LayerCase({"num_heads": H, "embed_dim": D}, matrices(rng, D), inputs)


def _layer(rng: Generator) -> LayerCase:
    return _case(rng, *sizes(rng))


def _small_layer(rng: Generator) -> LayerCase:
    return _case(rng, *sizes(rng, high=7))


def _masked(case: LayerCase, mask: Array) -> LayerCase:
    return replace(case, kwargs={"mask": mask})


def _two_layers(rng: Generator) -> list[LayerCase]:
    return [_layer(rng), _layer(rng)]


def _one_head_and_one_column(rng: Generator) -> list[LayerCase]:
    B, T, S, H, d = sizes(rng)
    return [_case(rng, B, T, S, 1, H * d), _case(rng, B, T, S, H * d, 1)]


def _all_sizes_equal(rng: Generator) -> LayerCase:
    # what raises elsewhere because shapes do not fit runs here, and shows in the numbers
    n = int(rng.integers(3, 6))
    return _case(rng, n, n, n, n, n)


def _masked_layers(rng: Generator) -> list[LayerCase]:
    B, T, S, H, d = sizes(rng)
    case = _case(rng, B, T, S, H, d)
    shapes = [(B, T, S), (B, 1, S), (1, T, S), (1, 1, S)]
    masks = [some_allowed(rng, *shape) for shape in shapes]
    return [_masked(case, mask) for mask in (*masks, np.ones((1, T, S), bool))]


def _as_many_sequences_as_heads(rng: Generator) -> LayerCase:
    # a mask (B, T, S) laid on scores (B, H, T, S) as it is meets the heads: with B = H nothing raises
    n, T, S, _, d = sizes(rng)
    return _masked(_case(rng, n, T, S, n, d), some_allowed(rng, n, T, S))


def _layers_without_keys(rng: Generator) -> list[LayerCase]:
    B, T, S, H, d = sizes(rng)
    case = _case(rng, B, T, S, H, d)
    some = some_allowed(rng, B, T, S)
    some[:, rng.integers(0, T)] = False
    padding = some_allowed(rng, B, 1, S)
    padding[rng.integers(0, B)] = False
    return [_masked(case, mask) for mask in (some, padding)]


def _other_sizes_and_masks(rng: Generator) -> list[LayerCase]:
    first = _layer(rng)
    D, (B, T, S) = first.config["embed_dim"], distinct_sizes(rng, 3, 8, 13)
    inputs = (tokens(rng, B, T, D), tokens(rng, B, S, D), tokens(rng, B, S, D))
    other = replace(first, inputs=inputs)
    masks = [some_allowed(rng, B, 1, S), some_allowed(rng, B, T, S)]
    return [first, other, *(_masked(other, mask) for mask in masks)]


def _learns(trial: Trial) -> None:
    case, formula = _small_layer(trial.rng), trial.exercise.formula
    assert formula is not None
    layer = case.built(trial.probe, trial.exercise.symbol)
    upstream = trial.rng.normal(size=case.inputs[0].shape).astype(np.float32)
    found = layer.gradients(case.inputs, upstream, *WEIGHTS)
    for path in WEIGHTS:
        expected = _slopes(case, path, upstream, formula)
        if difference := compare(found.get(path), expected, GRADIENTS, name=f"the gradient of {path}"):
            raise Broken(difference.message)


def _uneven(trial: Trial) -> None:
    B, T, _, H, d = sizes(trial.rng)
    D = H * d + 1
    x = tokens(trial.rng, B, T, D)
    trial.probe.make(trial.exercise.symbol, num_heads=H, embed_dim=D)(x, x, x)


def _odd_weights(inventory: Inventory, case: LayerCase) -> str | None:
    """Names the misconception behind the weights that a layer has."""
    D, H = case.config["embed_dim"], case.config["num_heads"]
    shapes = [tuple(weight["shape"]) for weight in inventory]
    if not shapes:
        return "weights-made-in-call"
    if any(len(shape) == 1 for shape in shapes):
        return "has-biases"
    if any(shape in ((D, H * D), (H * D, D)) for shape in shapes):
        return "heads-of-full-width"
    if any(shape in ((D, D // H), (D // H, D // H)) for shape in shapes):
        return "one-projection-for-all-heads"
    return None


def _with(**changed: Any) -> Formula:
    """Returns the layer's formula with another argument or part."""

    def wrong(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
        return multi_head_attention(query, key, value, **{**arguments, **changed})

    return wrong


def _with_weights(change: Callable[[dict[str, Array]], dict[str, Array]]) -> Formula:
    """Returns the layer's formula with other weights."""

    def wrong(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
        changed: dict[str, Any] = change({name: arguments[name] for name in WEIGHTS})
        return multi_head_attention(query, key, value, **{**arguments, **changed})

    return wrong


def _with_mask(change: Callable[[Array, int], Array | None]) -> Formula:
    """Returns the layer's formula with something else made of mask and number of heads, of rank 4 if anything."""

    def wrong(query: Array, key: Array, value: Array, *, mask: Array | None = None, **arguments: Any) -> Array:
        if mask is None:
            return multi_head_attention(query, key, value, **arguments)
        other = change(np.broadcast_to(mask, (len(query), query.shape[1], key.shape[1])), arguments["num_heads"])

        def attend(q: Array, k: Array, v: Array, _: Array | None) -> Attended:
            return scaled_dot_product_attention(q, k, v, other)

        return multi_head_attention(query, key, value, attend=attend, **arguments)

    return wrong


def _attending(change: Attend) -> Formula:
    """Returns the layer's formula with another attention inside."""
    return _with(attend=change)


def _sharper(factor: Callable[[int, int], float]) -> Formula:
    """Returns the layer's formula with scores multiplied by a factor of H and d."""

    def attend(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
        return scaled_dot_product_attention(q * factor(q.shape[1], q.shape[3]), k, v, mask)

    return _attending(attend)


def _shared_out(axis: int) -> Attend:
    """Returns attention whose softmax runs along another axis of (B, H, T, S)."""

    def attend(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        weights = softmax(scores if mask is None else np.where(mask, scores, -1e9), axis)
        weights = weights if mask is None else np.where(mask, weights, 0.0)
        return weights @ v, weights

    return attend


def _mask_after_softmax(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
    _, weights = scaled_dot_product_attention(q, k, v)
    weights = weights if mask is None else weights * mask
    return weights @ v, weights


def _without_keys(fill: Callable[[Array], Array]) -> Attend:
    """Returns attention with other weights, made of v (B, H, S, d), where a query has no key."""

    def attend(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        if mask is not None:
            output = np.where(mask.any(axis=-1, keepdims=True), output, fill(v))
        return output, weights

    return attend


def _between_heads(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
    q, k, v = (x.swapaxes(1, 2) for x in (q, k, v))  # (B, T, H, d)
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    return output.swapaxes(1, 2), weights


def _first_head_repeated(q: Array, k: Array, v: Array, mask: Array | None) -> Attended:
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    return np.repeat(output[:, :1], output.shape[1], axis=1), weights


def _dealt_out(x: Array, num_heads: int) -> Array:
    return np.stack([x[..., h::num_heads] for h in range(num_heads)], axis=1)


def _reshaped(x: Array, num_heads: int) -> Array:
    return x.reshape(x.shape[0], num_heads, x.shape[1], -1)


def _reshaped_back(x: Array) -> Array:
    return x.reshape(x.shape[0], x.shape[2], -1)


def _tiled(mask: Array, num_heads: int) -> Array:
    """Returns masks for (B·H, T, S), repeated as a whole where each sequence's should follow H times."""
    B, T, S = mask.shape
    return np.tile(mask, (num_heads, 1, 1)).reshape(B, num_heads, T, S)


def _self_attending(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
    return multi_head_attention(query, query, query, **arguments)


def _key_and_value_exchanged(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
    return multi_head_attention(query, value, key, **arguments)


def _rectified(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
    return multi_head_attention(query, key, value, split=lambda x, H: split_heads(np.maximum(x, 0.0), H), **arguments)


def _added_to_query(query: Array, key: Array, value: Array, **arguments: Any) -> Array:
    return query + multi_head_attention(query, key, value, **arguments)


def _one_head(query: Array, key: Array, value: Array, *, num_heads: int, **arguments: Any) -> Array:
    return multi_head_attention(query, key, value, num_heads=1, **arguments)


def _identities(*names: str) -> Callable[[dict[str, Array]], dict[str, Array]]:
    return lambda w: {name: np.eye(len(w[name])) for name in names}


_Q = "q = split_heads(ops.matmul(query, self.w_q), H)"
_K = "k = split_heads(ops.matmul(key, self.w_k), H)"
_V = "v = split_heads(ops.matmul(value, self.w_v), H)"
_SCALE = " / (self.embed_dim // H) ** 0.5"
_AXIS = "mask = ops.expand_dims(mask, 1)"
_BLOCK = "scores = ops.where(mask, scores, -1e9)"
_SOFTMAX = "weights = ops.softmax(scores, axis=-1)"
_NO_KEYS = "weights = ops.where(mask, weights, 0.0)"
_HEADS = "heads = ops.matmul(weights, v)"
_RETURN = "return ops.matmul(merge_heads(heads), self.w_o)"
_SHAPE = "shape = (self.embed_dim, self.embed_dim)"
_W_O = 'self.w_o = self.add_weight(name="w_o", shape=shape)'
_ALL_WEIGHTS = """self.w_q = self.add_weight(name="w_q", shape=shape)
        self.w_k = self.add_weight(name="w_k", shape=shape)
        self.w_v = self.add_weight(name="w_v", shape=shape)
        self.w_o = self.add_weight(name="w_o", shape=shape)"""

MULTI_HEAD_ATTENTION = Exercise(
    symbol="MultiHeadAttention",
    formula=multi_head_attention,
    checks=(
        agrees(
            "computes the formula with its w_q, w_k, w_v and w_o",
            _two_layers,
            points=4,
            hint="Weights are set by us; query, key and value are different arrays; B, T, S, H, D/H and D differ.",
        ),
        agrees(
            "keeps the axes apart when B, T, S, H and D/H are equal",
            _all_sizes_equal,
            points=0.5,
            hint="On equal sizes a wrong order of axes raises no error.",
        ),
        agrees(
            "takes a single head, and heads of a single column",
            _one_head_and_one_column,
            points=0.5,
            hint="H = 1 and H = D.",
        ),
        agrees(
            "obeys masks of rank 3",
            _masked_layers,
            points=1.5,
            hint="Random (B, T, S), (B, 1, S), (1, T, S) and (1, 1, S); one that is all True.",
        ),
        agrees(
            "gives each sequence its own mask when there are as many as heads",
            _as_many_sequences_as_heads,
            points=0.5,
            hint="B = H, mask (B, T, S): laid on the wrong axis it raises no error.",
        ),
        agrees(
            "gives zeros for a query that may attend to nothing",
            _layers_without_keys,
            points=0.5,
            hint="Some rows of the mask are all False; the output there is 0 · W_O.",
        ),
        traces(
            _other_sizes_and_masks,
            points=1.5,
            hint="One layer in models with unknown batch and lengths, without a mask and with one.",
        ),
        holds(
            "its weights learn as the derivative says",
            _learns,
            points=1,
            hint="One training step; each weight moves by its gradient.",
        ),
        has_weights(
            "has the weights w_q, w_k, w_v and w_o, each (D, D), and no other",
            _layer,
            cost=1,
            diagnose=_odd_weights,
            hint="Four trainable weights under these attribute names, made in build.",
        ),
        named(
            rejects(
                "refuses an embed_dim that num_heads does not divide",
                _uneven,
                cost=0.5,
                hint="embed_dim = H·d + 1; ValueError when made, built or called.",
            ),
            "uneven-heads-not-refused",
            right_on(_layer),
        ),
        survives_config(_layer, cost=0.5),
        follows_policy(_layer, "float64", cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "scaled-by-the-model-width",
            "Your scores are divided by the root of D, the width of the model; a head compares vectors of width D/H. "
            "The error is gone with a single head. Section 3.1 says which width counts.",
            wrong=_sharper(lambda H, d: np.sqrt(1 / H)),
            edit=((_SCALE, " / self.embed_dim ** 0.5"),),
        ),
        Misconception(
            "no-scaling",
            "Your scores are not divided by the root of a head's width. Compare section 3.1.",
            wrong=_sharper(lambda H, d: np.sqrt(d)),
            edit=((_SCALE, ""),),
        ),
        Misconception(
            "scaled-by-d",
            "You divide the scores by a head's width itself and not by its root. Compare section 3.1.",
            wrong=_sharper(lambda H, d: 1 / np.sqrt(d)),
            edit=((_SCALE, " / (self.embed_dim // H)"),),
        ),
        Misconception(
            "scaled-by-the-number-of-heads",
            "You divide the scores by the root of H, the number of heads, where the width of a head belongs. Compare "
            "section 3.1.",
            wrong=_sharper(lambda H, d: np.sqrt(d / H)),
            edit=((_SCALE, " / H**0.5"),),
        ),
        Misconception(
            "w-o-forgotten",
            "You return the heads side by side: w_o does nothing, and what one head found never meets what another "
            "did. See the last step in section 3.1.",
            wrong=_with_weights(_identities("w_o")),
            edit=((_RETURN, "return merge_heads(heads)"),),
        ),
        Misconception(
            "weights-on-the-left",
            "You multiply by transposed weights; x stands on the left of a weight as it is, and the matrices being "
            "square, no shape tells. See section 3.1.",
            wrong=_with_weights(lambda w: {name: array.T for name, array in w.items()}),
            edit=(
                (_Q, "q = split_heads(ops.matmul(query, ops.transpose(self.w_q)), H)"),
                (_K, "k = split_heads(ops.matmul(key, ops.transpose(self.w_k)), H)"),
                (_V, "v = split_heads(ops.matmul(value, ops.transpose(self.w_v)), H)"),
                (_RETURN, "return ops.matmul(merge_heads(heads), ops.transpose(self.w_o))"),
            ),
        ),
        Misconception(
            "projections-forgotten",
            "You share out query, key and value as they come: w_q, w_k and w_v do nothing. See section 3.1.",
            wrong=_with_weights(_identities("w_q", "w_k", "w_v")),
            edit=(
                (_Q, "q = split_heads(query, H)"),
                (_K, "k = split_heads(key, H)"),
                (_V, "v = split_heads(value, H)"),
            ),
        ),
        Misconception(
            "keys-made-with-w-q",
            "You make queries and keys with the same matrix w_q, and w_k does nothing. See section 3.1.",
            wrong=_with_weights(lambda w: {"w_k": w["w_q"]}),
            edit=((_K, "k = split_heads(ops.matmul(key, self.w_q), H)"),),
        ),
        Misconception(
            "queries-and-keys-exchanged",
            "You make the queries with w_k and the keys with w_q. See section 3.1.",
            wrong=_with_weights(lambda w: {"w_k": w["w_q"], "w_q": w["w_k"]}),
            edit=(
                (_Q, "q = split_heads(ops.matmul(query, self.w_k), H)"),
                (_K, "k = split_heads(ops.matmul(key, self.w_q), H)"),
            ),
        ),
        Misconception(
            "keys-and-values-from-the-query",
            "You make keys and values of the query: your layer attends to itself whatever `key` and `value` are. In "
            "section 3.1 the three come from three arguments.",
            wrong=_self_attending,
            edit=(
                (_K, "k = split_heads(ops.matmul(query, self.w_k), H)"),
                (_V, "v = split_heads(ops.matmul(query, self.w_v), H)"),
            ),
        ),
        Misconception(
            "key-and-value-exchanged",
            "Your second argument is used for the values and your third for the keys, the order in which Keras' own "
            "layer takes them. Here it is query, key, value: see section 3.2.",
            wrong=_key_and_value_exchanged,
            edit=(
                (_K, "k = split_heads(ops.matmul(value, self.w_k), H)"),
                (_V, "v = split_heads(ops.matmul(key, self.w_v), H)"),
            ),
        ),
        Misconception(
            "one-big-head",
            "Your layer computes what a single head of width D would: the heads are never told apart, or put together "
            "before they attend. See section 3.1.",
            wrong=_one_head,
            edit=(("H = self.num_heads", "H = 1"),),
        ),
        Misconception(
            "first-head-repeated",
            "All your heads say what head 0 says: an index stays where it is. Section 3.3 has a way to look at heads "
            "one by one.",
            wrong=_attending(_first_head_repeated),
            edit=((_HEADS, "heads = ops.repeat(ops.matmul(weights, v)[:, :1], H, axis=1)"),),
        ),
        Misconception(
            "reshaped-straight-to-heads",
            "Your heads are made by a reshape to (B, H, T, D/H) in one step, which mixes tokens: see section 1.2.",
            wrong=_with(split=_reshaped),
            edit=(
                (_Q, "q = ops.reshape(ops.matmul(query, self.w_q), (-1, H, ops.shape(query)[1], self.embed_dim // H))"),
                (_K, "k = ops.reshape(ops.matmul(key, self.w_k), (-1, H, ops.shape(key)[1], self.embed_dim // H))"),
                (_V, "v = ops.reshape(ops.matmul(value, self.w_v), (-1, H, ops.shape(key)[1], self.embed_dim // H))"),
            ),
        ),
        Misconception(
            "reshaped-straight-from-heads",
            "Your heads are put together by a reshape in one step, which mixes tokens: see section 2.1.",
            wrong=_with(merge=_reshaped_back),
            edit=((_RETURN, "return ops.matmul(ops.reshape(heads, ops.shape(query)), self.w_o)"),),
        ),
        Misconception(
            "columns-dealt-out",
            "You deal the columns out to the heads in turn, 0, H, 2H, … to the first; a head's columns are "
            "neighbours. See section 1.1.",
            wrong=_with(split=_dealt_out),
            edit=tuple(
                (
                    f"{old} = split_heads(ops.matmul({source}, self.{name}), H)",
                    f"{old} = ops.stack([ops.matmul({source}, self.{name})[:, :, h::H] for h in range(H)], axis=1)",
                )
                for old, source, name in (("q", "query", "w_q"), ("k", "key", "w_k"), ("v", "value", "w_v"))
            ),
        ),
        Misconception(
            "heads-attend-to-each-other",
            "Your attention runs over the heads of one token and not over the tokens of one head: time and heads are "
            "exchanged. It raises unless T = S. See the shapes in section 3.1.",
            wrong=_attending(_between_heads),
            edit=(
                (_Q, f"{_Q}\n        q = ops.swapaxes(q, 1, 2)"),
                (_K, f"{_K}\n        k = ops.swapaxes(k, 1, 2)"),
                (_V, f"{_V}\n        v = ops.swapaxes(v, 1, 2)"),
                (_HEADS, "heads = ops.swapaxes(ops.matmul(weights, v), 1, 2)"),
            ),
        ),
        Misconception(
            "softmax-over-heads",
            "Your weights sum to 1 over the heads: they compete for a key, where every head has shares of its own to "
            "give. See section 3.1.",
            wrong=_attending(_shared_out(1)),
            edit=((_SOFTMAX, "weights = ops.softmax(scores, axis=1)"),),
        ),
        Misconception(
            "softmax-over-queries",
            "Your weights sum to 1 over the queries and not over the keys. See section 3.1.",
            wrong=_attending(_shared_out(2)),
            edit=((_SOFTMAX, "weights = ops.softmax(scores, axis=-2)"),),
        ),
        Misconception(
            "mask-not-passed-on",
            "Your layer takes a mask and does nothing with it: blocked tokens still change the output. See section "
            "3.2.",
            wrong=_with_mask(lambda mask, H: None),
            edit=((_BLOCK, "pass"), (_NO_KEYS, "pass")),
        ),
        Misconception(
            "mask-upside-down",
            "You attend to just the keys that the mask forbids; True means 'may attend'. See section 0.",
            wrong=_with_mask(lambda mask, H: ~mask[:, None]),
            edit=((_AXIS, "mask = ops.logical_not(ops.expand_dims(mask, 1))"),),
        ),
        Misconception(
            "mask-meets-the-heads",
            "Your mask (B, T, S) meets scores (B, H, T, S) as it is, so that its first axis, the batch, is laid on the "
            "heads: it raises unless B = H or B = 1, and with B = H every head gets the mask of another sequence. See "
            "section 3.2.",
            wrong=_with_mask(lambda mask, H: mask[None]),
            edit=((_AXIS, "pass"),),
        ),
        Misconception(
            "mask-in-another-order-than-the-heads",
            "Heads and batch are folded together in one order and the masks repeated in another, so that sequences get "
            "each other's masks. Section 3.2 says whom a mask belongs to.",
            wrong=_with_mask(_tiled),
            edit=(
                (
                    _AXIS,
                    "mask = ops.broadcast_to(mask, ops.shape(scores[:, 0]))\n"
                    "            mask = ops.reshape(ops.tile(mask, (H, 1, 1)), ops.shape(scores))",
                ),
            ),
        ),
        Misconception(
            "mask-after-softmax",
            "You blank out weights after the softmax: the allowed ones then sum to less than 1. Section 3.2 says over "
            "which keys the softmax is taken.",
            wrong=_attending(_mask_after_softmax),
            edit=((_BLOCK, "pass"),),
        ),
        Misconception(
            "average-where-nothing-is-allowed",
            "A query that may attend to nothing gets the average of all values: when every score is the same large "
            "negative number, the softmax can't tell. Section 3.2 says what it gets instead.",
            wrong=_attending(_without_keys(lambda v: v.mean(axis=2, keepdims=True))),
            edit=((_NO_KEYS, "pass"),),
        ),
        Misconception(
            "nan-where-nothing-is-allowed",
            "A query that may attend to nothing gets NaN: with minus infinity everywhere the softmax is 0/0. Section "
            "3.2 says what it gets instead.",
            wrong=_attending(_without_keys(lambda v: np.full_like(v[:, :, :1], np.nan))),
            edit=((_BLOCK, 'scores = ops.where(mask, scores, -float("inf"))'), (_NO_KEYS, "pass")),
        ),
        Misconception(
            "projections-with-activation",
            "Your projections pass through a relu: negative numbers are lost. Section 3.1 has a matrix product and "
            "nothing after it.",
            wrong=_rectified,
            edit=tuple(
                (
                    f"{old} = split_heads(ops.matmul({source}, self.{name}), H)",
                    f"{old} = split_heads(ops.relu(ops.matmul({source}, self.{name})), H)",
                )
                for old, source, name in (("q", "query", "w_q"), ("k", "key", "w_k"), ("v", "value", "w_v"))
            ),
        ),
        Misconception(
            "residual-added",
            "You add the query to the output; a residual connection comes later in the course and is not part of this "
            "layer. See section 3.1.",
            wrong=_added_to_query,
            edit=((_RETURN, "return query + ops.matmul(merge_heads(heads), self.w_o)"),),
        ),
        Misconception(
            "output-and-weights",
            "You return the attention weights along with the output; the layer returns its output alone. See section "
            "3.2.",
            wrong=lambda query, key, value, **arguments: (
                multi_head_attention(query, key, value, **arguments),
                np.zeros((len(query), arguments["num_heads"], query.shape[1], key.shape[1])),
            ),
            edit=((_RETURN, "return ops.matmul(merge_heads(heads), self.w_o), ops.zeros_like(weights)"),),
        ),
        Misconception(
            "has-biases",
            "Your layer has more than its four matrices: biases, it seems (Dense has one unless told otherwise). "
            "Section 3.1 has none.",
            edit=(
                (_W_O, f'{_W_O}\n        self.b_o = self.add_weight((self.embed_dim,), "zeros", name="b_o")'),
                (_RETURN, f"{_RETURN} + self.b_o"),
            ),
        ),
        Misconception(
            "one-projection-for-all-heads",
            "Your layer has a matrix as narrow as one head, which then serves all heads, so that they can't ask for "
            "different things. Section 3.1 gives the shapes of the weights.",
            edit=(
                (_ALL_WEIGHTS, _ALL_WEIGHTS.replace("shape=shape", "shape=narrow", 3)),
                (_SHAPE, f"{_SHAPE}\n        narrow = (self.embed_dim // self.num_heads,) * 2"),
                (_Q, "q = ops.matmul(split_heads(query, H), self.w_q)"),
                (_K, "k = ops.matmul(split_heads(key, H), self.w_k)"),
                (_V, "v = ops.matmul(split_heads(value, H), self.w_v)"),
            ),
        ),
        Misconception(
            "heads-of-full-width",
            "Each of your heads is as wide as the whole model, as Keras' layer has it with key_dim = D: H times the "
            "parameters. Here the heads share the D columns. Section 3.1 gives the shapes of the weights.",
            edit=(
                (
                    _ALL_WEIGHTS,
                    _ALL_WEIGHTS.replace("shape=shape", "shape=wide", 3).replace("shape=shape", "shape=wide[::-1]"),
                ),
                (_SHAPE, f"{_SHAPE}\n        wide = (self.embed_dim, self.num_heads * self.embed_dim)"),
                (_SCALE, " / self.embed_dim**0.5"),
            ),
        ),
        Misconception(
            "weights-made-in-call",
            "After it was called your layer owns no weights: whatever it multiplies by is made anew in every call, so "
            "that two calls differ and nothing can learn. Section 3.2 says where weights are made.",
            edit=(
                (_ALL_WEIGHTS, "pass"),
                (
                    _Q,
                    "random = keras.random.normal((self.embed_dim, self.embed_dim))\n"
                    "        q = split_heads(ops.matmul(query, random), H)",
                ),
                (_K, "k = split_heads(ops.matmul(key, random), H)"),
                (_V, "v = split_heads(ops.matmul(value, random), H)"),
                (_RETURN, "return ops.matmul(merge_heads(heads), random)"),
            ),
        ),
        needs_known_sizes(
            "the hint of section 1 on ops.shape",
            (
                _Q,
                "B, T, D = query.shape\n        query = ops.reshape(ops.reshape(query, (B * T, D)), (B, T, D))\n"
                f"        {_Q}",
            ),
        ),
        Misconception(
            "uneven-heads-not-refused",
            "embed_dim=7 with num_heads=2 is accepted, or ends in another exception than the one that section 3.2 "
            "names.",
            edit=(("raise ValueError(", "raise AssertionError("),),
        ),
        Misconception(
            "ignores-its-dtype-policy",
            "Your layer is right in float32 only: a cast or a dtype is written into it, where Keras gives each layer "
            "a policy. Section 3.2 tells what a policy of float64 asks for.",
            edit=((_Q, 'q = split_heads(ops.cast(ops.matmul(query, self.w_q), "float32"), H)'),),
        ),
    ),
    properties=(
        Property(
            "the output is as wide and as long as the query",
            lambda found, query, *_, **__: found.shape == query.shape,
        ),
    ),
    forbidden=READY_MADE,
)
