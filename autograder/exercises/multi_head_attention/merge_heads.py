"""merge_heads: the heads side by side again, Concat(head_1, …, head_H).

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.2.
"""

from __future__ import annotations

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    agrees,
    conventions,
)
from autograder.exercises.multi_head_attention.inputs import sizes, tokens


def merge_heads(x: Array) -> Array:
    """Returns (B, T, H·d) for x (B, H, T, d): Concat, Vaswani et al. 2017, section 3.2.2."""
    B, H, T, d = x.shape
    return x.swapaxes(1, 2).reshape(B, T, H * d)


def _heads(rng: Generator) -> FunctionCase:
    B, T, _, H, d = sizes(rng)
    return FunctionCase((tokens(rng, B, H, T, d),))


def _two_batches(rng: Generator) -> list[FunctionCase]:
    return [_heads(rng), _heads(rng)]


def _all_sizes_equal(rng: Generator) -> FunctionCase:
    n = int(rng.integers(3, 6))
    return FunctionCase((tokens(rng, n, n, n, n),))


def _one_head_and_one_column(rng: Generator) -> list[FunctionCase]:
    B, T, _, H, d = sizes(rng)
    return [FunctionCase((tokens(rng, B, H, T, 1),)), FunctionCase((tokens(rng, B, 1, T, d),))]


def _double(rng: Generator) -> FunctionCase:
    B, T, _, H, d = sizes(rng)
    return FunctionCase((rng.normal(0.5, 1.5, (B, H, T, d)),))


def _square(x: Array) -> tuple[int, int, int]:
    """Returns the shape (B, T, H·d) of the merged heads."""
    B, H, T, d = x.shape
    return B, T, H * d


_TRANSPOSE = "x = ops.transpose(x, (0, 2, 1, 3))"
_RETURN = "return ops.reshape(x, (B, T, H * d))"

MERGE_HEADS = Exercise(
    symbol="merge_heads",
    formula=merge_heads,
    checks=(
        agrees(
            "puts the heads of a token side by side",
            _two_batches,
            points=2,
            hint="Two batches; B, H, T, d and H·d all differ.",
        ),
        agrees(
            "keeps the axes apart when B, H, T and d are equal",
            _all_sizes_equal,
            points=0.5,
            hint="On equal sizes every order of axes has the right shape.",
        ),
        agrees(
            "takes a single head, and heads of a single column",
            _one_head_and_one_column,
            points=0.5,
            hint="d = 1 and H = 1.",
        ),
        conventions.leaves_arguments_alone(_heads, cost=0.5),
        conventions.keeps_float64(_double, cost=0.5),
        conventions.takes_tensors(_heads, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "reshaped-straight-from-heads",
            "You reshape to (B, T, H·d) in one step: the shape is right, but your first row holds several tokens of "
            "head 0 instead of what all heads say of token 0. Fill in the small table of section 2.1 with your code.",
            wrong=lambda x: x.reshape(_square(x)),
            edit=((_TRANSPOSE, "pass"),),
        ),
        Misconception(
            "columns-interleaved",
            "Your columns alternate between the heads: the first of every head, then the second of every head. In "
            "section 2.1 a head's columns stay together.",
            wrong=lambda x: x.transpose(0, 2, 3, 1).reshape(_square(x)),
            edit=((_TRANSPOSE, "x = ops.transpose(x, (0, 2, 3, 1))"),),
        ),
        Misconception(
            "time-and-columns-exchanged",
            "You bring the axes into the order batch, columns, heads, time, or the like, before you flatten: the time "
            "steps end up inside a row. In section 2.1 a row belongs to one token.",
            wrong=lambda x: x.transpose(0, 3, 1, 2).reshape(_square(x)),
            edit=((_TRANSPOSE, "x = ops.transpose(x, (0, 3, 1, 2))"),),
        ),
        Misconception(
            "heads-averaged",
            "You average the heads: your result is as narrow as one of them, and what makes them differ is lost. The "
            "formula of section 2 has Concat.",
            wrong=lambda x: x.mean(axis=1),
            edit=((_TRANSPOSE, "x = ops.mean(x, axis=1)"), (_RETURN, "return x")),
        ),
        Misconception(
            "heads-added",
            "You add the heads up: your result is as narrow as one of them. The formula of section 2 has Concat.",
            wrong=lambda x: x.sum(axis=1),
            edit=((_TRANSPOSE, "x = ops.sum(x, axis=1)"), (_RETURN, "return x")),
        ),
        Misconception(
            "heads-not-joined",
            "Your result still has rank 4: the heads stand behind time, but their columns have not become one axis. "
            "See the shape in section 2.",
            wrong=lambda x: x.swapaxes(1, 2),
            edit=((_RETURN, "return x"),),
        ),
        Misconception(
            "heads-one-after-the-other-in-time",
            "You lay the heads one after the other along time: your sequence is H times as long and d wide. In "
            "section 2.1 they stand side by side.",
            wrong=lambda x: x.reshape(x.shape[0], -1, x.shape[3]),
            edit=((_TRANSPOSE, "pass"), (_RETURN, "return ops.reshape(x, (B, H * T, d))")),
        ),
        Misconception(
            "batch-and-time-in-one",
            "Your result has rank 2: batch and time have become one axis. See the shape in section 2.",
            wrong=lambda x: merge_heads(x).reshape(-1, x.shape[1] * x.shape[3]),
            edit=((_RETURN, "return ops.reshape(x, (B * T, H * d))"),),
        ),
        Misconception(
            "last-head-first",
            "Your heads stand in reverse, the last one on the left. Section 2.1 counts from the left.",
            wrong=lambda x: merge_heads(x[:, ::-1]),
            edit=((_TRANSPOSE, "x = ops.transpose(ops.flip(x, axis=1), (0, 2, 1, 3))"),),
        ),
        Misconception(
            "first-head-repeated",
            "All your blocks of columns hold head 0. See the table in section 2.1.",
            wrong=lambda x: merge_heads(np.repeat(x[:, :1], x.shape[1], axis=1)),
            edit=((_TRANSPOSE, "x = ops.transpose(ops.repeat(x[:, :1], H, axis=1), (0, 2, 1, 3))"),),
        ),
        conventions.computes_in_float32(
            "section 0: what comes in as float64 stays float64",
            (_TRANSPOSE, f'x = ops.convert_to_tensor(x, "float32")\n    {_TRANSPOSE}'),
        ),
        conventions.numpy_only(
            "section 0, and the hint of section 1",
            (_TRANSPOSE, "x = x.swapaxes(1, 2)"),
        ),
        conventions.changes_its_arguments(
            "section 0, and mind that setting x.shape or writing into x changes x itself",
            (
                _TRANSPOSE,
                "swapped = ops.transpose(x, (0, 2, 1, 3))\n"
                "    if isinstance(x, np.ndarray):\n"
                "        x[...] = ops.convert_to_numpy(swapped).reshape(x.shape)\n"
                "    x = swapped",
            ),
        ),
    ),
    properties=(
        Property(
            "a merge only moves numbers: sorted, they are the same as before",
            lambda found, x: found.size == x.size and np.allclose(np.sort(found, None), np.sort(x, None)),
        ),
    ),
)
