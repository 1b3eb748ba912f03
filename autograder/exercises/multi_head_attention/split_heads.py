"""split_heads: the columns of a vector are shared out among the heads, a block of neighbours to each.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.2: head i has matrices W_i of its own;
side by side they are one matrix, and the columns of its product are the heads' vectors one after the other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    Trial,
    agrees,
    conventions,
    named,
    rejects,
    right_on,
)
from autograder.exercises.multi_head_attention.inputs import sizes, tokens


def split_heads(x: Array, num_heads: int) -> Array:
    """Returns (B, H, T, D/H) for x (B, T, D): head h holds the columns h·D/H … (h+1)·D/H - 1."""
    B, T, D = x.shape
    return x.reshape(B, T, num_heads, D // num_heads).swapaxes(1, 2)


def _sequences(rng: Generator) -> FunctionCase:
    B, T, _, H, d = sizes(rng)
    return FunctionCase((tokens(rng, B, T, H * d), H))


def _two_batches(rng: Generator) -> list[FunctionCase]:
    return [_sequences(rng), _sequences(rng)]


def _all_sizes_equal(rng: Generator) -> FunctionCase:
    # where B = T = H = D/H no shape tells axes apart: only the numbers do
    n = int(rng.integers(3, 6))
    return FunctionCase((tokens(rng, n, n, n * n), n))


def _one_head_and_one_column(rng: Generator) -> list[FunctionCase]:
    B, T, _, H, d = sizes(rng)
    x = tokens(rng, B, T, H * d)
    return [FunctionCase((x, H * d)), FunctionCase((x, 1))]


def _double(rng: Generator) -> FunctionCase:
    B, T, _, H, d = sizes(rng)
    return FunctionCase((rng.normal(0.5, 1.5, (B, T, H * d)), H))


def _uneven(trial: Trial) -> None:
    B, T, _, H, d = sizes(trial.rng)
    trial.probe.call("split_heads", tokens(trial.rng, B, T, H * d + 1), H)


def _blocks(choose: Callable[[Array, int, int], Array]) -> Callable[..., Array]:
    """Returns a formula that stacks what it chooses as the columns of head h, h = 0, 1, …"""

    def wrong(x: Array, num_heads: int) -> Array:
        return np.stack([choose(x, num_heads, h) for h in range(num_heads)], axis=1)

    return wrong


def _cut_time(x: Array, num_heads: int) -> Array:
    B, T, D = x.shape
    return x.reshape(B, num_heads, T // num_heads, D)


def _number_for_width(x: Array, num_heads: int) -> Array:
    B, T, D = x.shape
    return x.reshape(B, T, D // num_heads, num_heads).swapaxes(1, 2)


_RESHAPE = "x = ops.reshape(x, (B, T, num_heads, D // num_heads))"
_RETURN = "return ops.transpose(x, (0, 2, 1, 3))"
_REFUSE = "if D % num_heads:"

SPLIT_HEADS = Exercise(
    symbol="split_heads",
    formula=split_heads,
    checks=(
        agrees(
            "gives every head its own block of columns",
            _two_batches,
            points=2,
            hint="Two batches; B, T, H, D/H and D all differ.",
        ),
        agrees(
            "keeps the axes apart when B, T, H and D/H are equal",
            _all_sizes_equal,
            points=0.5,
            hint="On equal sizes every order of axes has the right shape.",
        ),
        agrees(
            "takes a single head, and heads of a single column",
            _one_head_and_one_column,
            points=0.5,
            hint="H = D and H = 1.",
        ),
        named(
            rejects(
                "refuses a D that num_heads does not divide",
                _uneven,
                cost=0.5,
                hint="D = H·d + 1; ValueError, and no other error.",
            ),
            "uneven-heads-not-refused",
            right_on(_sequences),
        ),
        conventions.leaves_arguments_alone(_sequences, cost=0.5),
        conventions.keeps_float64(_double, cost=0.5),
        conventions.takes_tensors(_sequences, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "reshaped-straight-to-heads",
            "You reshape to (B, H, T, D/H) in one step: the shape is right, but a reshape only counts numbers off in "
            "the order in which they lie, so that your head 0 holds whole tokens from the start of the sequence and "
            "not some columns of every token. Fill in the small table of section 1.2 with your code.",
            wrong=lambda x, num_heads: x.reshape(x.shape[0], num_heads, x.shape[1], -1),
            edit=((_RESHAPE, "x = ops.reshape(x, (B, num_heads, T, D // num_heads))"), (_RETURN, "return x")),
        ),
        Misconception(
            "columns-dealt-out",
            "You deal the columns out like cards: head 0 holds the columns 0, H, 2H, …; a head's columns are "
            "neighbours. Look at section 1.1 and at which of your two new axes must run faster.",
            wrong=_blocks(lambda x, H, h: x[..., h::H]),
            edit=(
                (_RESHAPE, "x = ops.reshape(x, (B, T, D // num_heads, num_heads))"),
                (_RETURN, "return ops.transpose(x, (0, 3, 1, 2))"),
            ),
        ),
        Misconception(
            "heads-after-time",
            "Your heads are axis 2, behind time: (B, T, H, D/H). Attention multiplies the last two axes, which would "
            "then be heads and columns: the tokens of a sequence would never meet. Section 1.1 names the order.",
            wrong=lambda x, num_heads: split_heads(x, num_heads).swapaxes(1, 2),
            edit=((_RETURN, "return x"),),
        ),
        Misconception(
            "number-taken-for-width",
            "You make D/H heads of width H: num_heads is how many heads there are, not how wide one is. Compare the "
            "shape in section 1.1.",
            wrong=_number_for_width,
            edit=((_RESHAPE, "x = ops.reshape(x, (B, T, D // num_heads, num_heads))"),),
        ),
        Misconception(
            "heads-before-the-batch",
            "Your heads are the first axis, before the batch. What has a batch axis has it in front: section 1.1 "
            "names the order.",
            wrong=lambda x, num_heads: split_heads(x, num_heads).swapaxes(0, 1),
            edit=((_RETURN, "return ops.transpose(x, (2, 0, 1, 3))"),),
        ),
        Misconception(
            "heads-folded-into-the-batch",
            "Your result has rank 3, with the heads folded into the batch, as some implementations have it; here "
            "they are an axis of their own. See the shape in section 1.1.",
            wrong=lambda x, num_heads: split_heads(x, num_heads).reshape(-1, x.shape[1], x.shape[2] // num_heads),
            edit=((_RETURN, "return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, T, D // num_heads))"),),
        ),
        Misconception(
            "columns-before-time",
            "Your last two axes are exchanged: (B, H, D/H, T). A row of a head is still one token: see the shape in "
            "section 1.1.",
            wrong=lambda x, num_heads: split_heads(x, num_heads).swapaxes(2, 3),
            edit=((_RETURN, "return ops.transpose(x, (0, 2, 3, 1))"),),
        ),
        Misconception(
            "cut-along-time",
            "You cut the sequence into pieces and keep whole tokens: it raises unless H divides T, and then every "
            "head sees a part of the sequence. Section 1.1 cuts along columns.",
            wrong=_cut_time,
            edit=(
                (_RESHAPE, "x = ops.reshape(x, (B, num_heads, T // num_heads, D))"),
                (_RETURN, "return x"),
            ),
        ),
        Misconception(
            "heads-in-reverse",
            "Your heads stand in reverse: the last block of columns is your head 0. Section 1.1 counts from the left.",
            wrong=lambda x, num_heads: split_heads(x, num_heads)[:, ::-1],
            edit=((_RETURN, "return ops.flip(ops.transpose(x, (0, 2, 1, 3)), axis=1)"),),
        ),
        Misconception(
            "first-block-for-every-head",
            "All your heads hold the same columns, the first D/H: whatever picks the block does not move on with the "
            "head. See the table in section 1.2.",
            wrong=_blocks(lambda x, H, h: x[..., : x.shape[-1] // H]),
            edit=((_RESHAPE, "x = ops.stack([x[:, :, : D // num_heads]] * num_heads, axis=2)"),),
        ),
        Misconception(
            "every-column-for-every-head",
            "Every one of your heads holds all D columns; the columns are shared out, so that a head has D/H of them. "
            "See section 1.1.",
            wrong=_blocks(lambda x, H, h: x),
            edit=((_RESHAPE, "x = ops.stack([x] * num_heads, axis=2)"),),
        ),
        Misconception(
            "uneven-heads-not-refused",
            "With 7 columns and 2 heads your function gives something back, or leaves it to a library to stumble: "
            "section 1.3 names the exception that it raises.",
            edit=(
                (_REFUSE, "if False:"),
                (_RESHAPE, f"D = D // num_heads * num_heads\n    x = x[:, :, :D]\n    {_RESHAPE}"),
            ),
        ),
        conventions.computes_in_float32(
            "section 0: what comes in as float64 stays float64",
            (_RESHAPE, f'x = ops.convert_to_tensor(x, "float32")\n    {_RESHAPE}'),
        ),
        conventions.numpy_only(
            "section 0, and the hint of section 1",
            (_RESHAPE, "x = x.reshape(B, T, num_heads, D // num_heads).astype(x.dtype)"),
        ),
        conventions.changes_its_arguments(
            "section 0, and mind that setting x.shape changes x itself",
            (
                _RESHAPE,
                "if isinstance(x, np.ndarray):\n        x.shape = (B, T, num_heads, D // num_heads)\n"
                "    else:\n        x = ops.reshape(x, (B, T, num_heads, D // num_heads))",
            ),
        ),
    ),
    properties=(
        Property(
            "a split only moves numbers: sorted, they are the same as before",
            lambda found, x, num_heads: found.size == x.size and np.allclose(np.sort(found, None), np.sort(x, None)),
        ),
    ),
)
