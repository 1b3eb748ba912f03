"""softmax: positive numbers that sum to 1, in proportion to exp of the entries.

Goodfellow, Bengio & Courville 2016, "Deep Learning", section 4.1, on overflow and underflow.
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
    Tolerance,
    agrees,
    conventions,
    distinct_sizes,
)

NEAR_TEN_THOUSAND = Tolerance(rtol=2e-3, atol=1e-5)
"""Around 1e4 float32 numbers lie 1e-3 apart: x - logsumexp(x) is right, and that far off."""


def softmax(x: Array, axis: int = -1) -> Array:
    """Returns exp(x_i) / sum_j exp(x_j) along an axis.

    Taking the largest entry away first changes nothing and keeps exp from overflowing (Goodfellow,
    Bengio & Courville 2016, "Deep Learning", section 4.1).
    """
    exponentials = np.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _scores(rng: Generator) -> list[FunctionCase]:
    batch, queries, keys, heads = distinct_sizes(rng, 4, 3, 8)
    shapes = [(batch, queries, keys), (queries, keys), (keys,), (batch, heads, queries, keys)]
    return [FunctionCase((rng.normal(2.0, 3.0, s).astype(np.float32),)) for s in shapes]


def _other_axes(rng: Generator) -> list[FunctionCase]:
    x = rng.normal(2.0, 3.0, distinct_sizes(rng, 3, 3, 8)).astype(np.float32)
    return [
        FunctionCase((x,), {"axis": 1}),
        FunctionCase((x, 0)),
        FunctionCase((x,), {"axis": -3}),
        FunctionCase((x,), {"axis": 2}),
    ]


def _square(rng: Generator) -> list[FunctionCase]:
    # with as many rows as columns a lost axis broadcasts along the wrong one instead of failing
    side = int(rng.integers(4, 9))
    x = rng.normal(2.0, 3.0, (side, side)).astype(np.float32)
    return [FunctionCase((x,)), FunctionCase((x,), {"axis": 0})]


def _rows_at_either_end(rng: Generator) -> list[FunctionCase]:
    # a row near 9,990 overflows, a row near -9,990 vanishes; inside a row entries differ by units
    rows, columns = distinct_sizes(rng, 2, 4, 9)
    level = rng.choice([-9990.0, 9990.0], (rows, 1))
    level[:2, 0] = 9990.0, -9990.0
    x = (level + rng.uniform(-3.0, 3.0, (rows, columns))).astype(np.float32)
    return [FunctionCase((x,)), FunctionCase((np.ascontiguousarray(x.T),), {"axis": 0})]


def _both_ends_in_a_row(rng: Generator) -> FunctionCase:
    rows, columns = distinct_sizes(rng, 2, 6, 11)
    level = rng.choice([-9990.0, 9990.0], (rows, columns))
    level[:, :4] = 9990.0, 9990.0, -9990.0, -9990.0
    x = rng.permuted(level, axis=1) + rng.uniform(-3.0, 3.0, (rows, columns))
    return FunctionCase((x.astype(np.float32),))


def _double_scores(rng: Generator) -> FunctionCase:
    return FunctionCase((rng.normal(2.0, 3.0, distinct_sizes(rng, 3, 3, 8)), 1))


def _whole_scores(rng: Generator) -> FunctionCase:
    # rows at different levels, so that their largest entries are not all the same number
    rows, columns = distinct_sizes(rng, 2, 4, 9)
    return FunctionCase((rng.integers(-3, 4, (rows, columns)) + 3 * np.arange(rows)[:, None], 0))


def _one_matrix(rng: Generator) -> FunctionCase:
    shape = distinct_sizes(rng, 2, 4, 9)
    return FunctionCase((rng.normal(2.0, 3.0, shape).astype(np.float32),), {"axis": 0})


def share(exponentials: Array, axis: int | None = -1) -> Array:
    """Returns each entry's share in their sum."""
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _softmax_without_keepdims(x: Array, axis: int = -1) -> Array:
    exponentials = np.exp(x - x.max(axis))
    return exponentials / exponentials.sum(axis)


def _log_softmax(x: Array, axis: int = -1) -> Array:
    return np.log(softmax(x, axis))


SOFTMAX = Exercise(
    symbol="softmax",
    formula=softmax,
    checks=(
        agrees(
            "is right along the last axis, for one to four axes",
            _scores,
            points=1,
            hint="Data off centre; all sizes differ.",
        ),
        agrees(
            "follows the axis it is given",
            _other_axes,
            points=1,
            hint="Each axis of an array of rank 3, counted from the front and from the back.",
        ),
        agrees(
            "keeps rows and columns apart in a square matrix",
            _square,
            points=0.5,
            hint="As many rows as columns: an axis that gets lost does not raise, it shows.",
        ),
        agrees(
            "stays finite where whole rows are very large or very small",
            _rows_at_either_end,
            points=1,
            tolerance=NEAR_TEN_THOUSAND,
            hint="Some rows lie near +1e4 and some near -1e4.",
        ),
        agrees(
            "stays finite where a row reaches from very small to very large",
            _both_ends_in_a_row,
            points=0.5,
            tolerance=NEAR_TEN_THOUSAND,
            hint="Every row has entries near +1e4 and near -1e4.",
        ),
        conventions.leaves_arguments_alone(_one_matrix, cost=0.5),
        conventions.keeps_float64(_double_scores, cost=0.5),
        conventions.takes_whole_numbers(_whole_scores, cost=0.5, hint="An integer array."),
        conventions.takes_tensors(_one_matrix, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "axis-ignored",
            "You normalise along the last axis whatever `axis` says: with axis=0 it is still the rows of your result "
            "that sum to 1. Read the signature in section 1.3 again.",
            wrong=lambda x, axis=-1: softmax(x),
            edit=(
                ("ops.max(x, axis=axis", "ops.max(x, axis=-1"),
                ("ops.sum(exponentials, axis=axis", "ops.sum(exponentials, axis=-1"),
            ),
        ),
        Misconception(
            "shift-along-another-axis",
            "You take the largest entry along the last axis but sum along `axis`, so that entries which share one sum "
            "were shifted by different amounts. Section 1.2 says which entries must share a shift.",
            wrong=lambda x, axis=-1: share(np.exp(x - x.max(axis=-1, keepdims=True)), axis),
            edit=(("ops.max(x, axis=axis", "ops.max(x, axis=-1"),),
        ),
        Misconception(
            "sums-over-everything",
            "You divide by the sum of the whole array, so that all entries together sum to 1 instead of every row by "
            "itself. Compare the row sums of your result with section 1.1.",
            wrong=lambda x, axis=-1: share(np.exp(x - x.max(axis=axis, keepdims=True)), None),
            edit=(("ops.sum(exponentials, axis=axis, keepdims=True)", "ops.sum(exponentials)"),),
        ),
        Misconception(
            "lost-axis",
            "The maximum and the sum lose the axis they reduce, and what is left broadcasts along the wrong one: for "
            "a square matrix the numbers come out wrong, for other shapes it raises. See the hint of section 1.",
            wrong=_softmax_without_keepdims,
            edit=(
                ("ops.max(x, axis=axis, keepdims=True)", "ops.max(x, axis=axis)"),
                ("ops.sum(exponentials, axis=axis, keepdims=True)", "ops.sum(exponentials, axis=axis)"),
            ),
        ),
        Misconception(
            "largest-of-the-whole-array",
            "You take the largest entry of the whole array away from every row: a row far below it turns into zeros, "
            "and 0/0 is NaN. Section 1.2 asks for a shift that suits each row.",
            wrong=lambda x, axis=-1: share(np.exp(x - x.max()), axis),
            edit=(("ops.max(x, axis=axis, keepdims=True)", "ops.max(x)"),),
        ),
        Misconception(
            "mean-taken-away",
            "You take the mean away: where a row spreads widely, its top still overflows and comes out as NaN. Try "
            "your shift on the row (-1000, 0, 1000) of section 1.2.",
            wrong=lambda x, axis=-1: share(np.exp(np.float32(x - x.mean(axis=axis, keepdims=True))), axis),
            edit=(("ops.max(x, axis=axis", "ops.mean(x, axis=axis"),),
        ),
        Misconception(
            "exp-overflows",
            "You take exp of the entries as they are: in float32 exp overflows from about 89 on, and inf/inf is NaN; "
            "a row far below 0 becomes 0/0. Section 1.2 shows what may be changed without changing the result.",
            wrong=lambda x, axis=-1: share(np.exp(np.float32(x)), axis),
            edit=(("ops.subtract(x, ops.max(x, axis=axis, keepdims=True))", "x"),),
        ),
        Misconception(
            "entries-clipped",
            "You clip the entries so that exp stays finite: all entries beyond the limit become equal, and their "
            "order is lost. Section 1.2 has a way that loses nothing.",
            wrong=lambda x, axis=-1: softmax(np.clip(x, -80, 80), axis),
            edit=(("ops.subtract(x, ops.max(x, axis=axis, keepdims=True))", "ops.clip(x, -80, 80)"),),
        ),
        Misconception(
            "log-softmax",
            "Your result is the logarithm of the softmax: its entries are negative and do not sum to 1. The "
            "formula in section 1.1 has no logarithm.",
            wrong=_log_softmax,
            edit=(
                (
                    "exponentials / ops.sum(exponentials, axis=axis, keepdims=True)",
                    "shifted - ops.log(ops.sum(exponentials, axis=axis, keepdims=True))",
                ),
            ),
        ),
        Misconception(
            "exponentials-not-shared-out",
            "You return the exponentials themselves: the largest entry of every row is exactly 1, and the rows do not "
            "sum to 1. The formula in section 1.1 divides by something, too.",
            wrong=lambda x, axis=-1: np.exp(x - x.max(axis=axis, keepdims=True)),
            edit=((" / ops.sum(exponentials, axis=axis, keepdims=True)", ""),),
        ),
        Misconception(
            "epsilon-in-the-denominator",
            "You add a small number to the sum: every row then sums to a little less than 1, which eight digits show. "
            "After the shift of section 1.2, ask yourself how small that sum can become.",
            wrong=lambda x, axis=-1: (
                (e := np.exp(x - x.max(axis=axis, keepdims=True))) / (e.sum(axis=axis, keepdims=True) + 1e-6)
            ),
            edit=(
                (
                    "ops.sum(exponentials, axis=axis, keepdims=True)",
                    "(ops.sum(exponentials, axis=axis, keepdims=True) + 1e-6)",
                ),
            ),
        ),
        conventions.keeps_integers(
            "what section 1.3 says of the result's type",
            (
                "exponentials / ops.sum(exponentials, axis=axis, keepdims=True)",
                "ops.cast(exponentials / ops.sum(exponentials, axis=axis, keepdims=True), x.dtype)",
            ),
            wrong=lambda x, axis=-1: softmax(x, axis).astype(x.dtype),
        ),
        conventions.computes_in_float32(
            "what section 1.3 says about types", ("ops.exp(shifted)", 'ops.exp(ops.cast(shifted, "float32"))')
        ),
        conventions.changes_its_arguments(
            "what section 0 asks",
            (
                "shifted = ops.subtract(x, ops.max(x, axis=axis, keepdims=True))",
                "x -= ops.convert_to_numpy(ops.max(x, axis=axis, keepdims=True))\n    shifted = x",
            ),
        ),
    ),
    properties=(
        Property(
            "the entries along the axis sum to 1",
            lambda found, x, axis=-1: np.allclose(found.sum(axis=axis), 1, atol=1e-4),
        ),
        Property("no entry is negative", lambda found, *_, **__: bool((found >= 0).all())),
    ),
    forbidden=("softmax", "log_softmax", "Softmax", "LogSoftmax", "softmax_v2", "log_softmax_v2"),
)
