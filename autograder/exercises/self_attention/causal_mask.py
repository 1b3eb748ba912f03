"""causal_mask: no query attends to what comes after it.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.3.
"""

from __future__ import annotations

import numpy as np

from autograder.checking import Array, Exercise, FunctionCase, Generator, Misconception, agrees, distinct_sizes


def causal_mask(length: int) -> Array:
    """Returns (length, length), True where key <= query: Vaswani et al. 2017, section 3.2.3."""
    return np.tril(np.ones((length, length), bool))


def _short_lengths(rng: Generator) -> list[FunctionCase]:
    return [FunctionCase((length,)) for length in (*distinct_sizes(rng, 3, 3, 12), 2)]


def _long_length(rng: Generator) -> FunctionCase:
    return FunctionCase((int(rng.integers(100, 200)),))


def _length_one(rng: Generator) -> FunctionCase:
    return FunctionCase((1,))


_CAUSAL = "positions[:, None] >= positions[None, :]"

CAUSAL_MASK = Exercise(
    symbol="causal_mask",
    formula=causal_mask,
    checks=(
        agrees(
            "allows every query itself and what came before", _short_lengths, points=1, hint="Several short lengths."
        ),
        agrees("does so for long sequences", _long_length, points=1, hint="A hundred and more."),
        agrees("takes a single token", _length_one, cost=0.5, hint="Length 1."),
    ),
    misconceptions=(
        Misconception(
            "future-allowed",
            "Your mask allows a query itself and what comes after it: rows and columns are exchanged. In section 4 "
            "the row is the query.",
            wrong=lambda length: causal_mask(length).T,
            edit=(("positions[:, None] >=", "positions[:, None] <="),),
        ),
        Misconception(
            "true-for-blocked",
            "Your mask is True where attention is forbidden; True means 'may attend'. See section 2.3.",
            wrong=lambda length: ~causal_mask(length),
            edit=(("positions[:, None] >=", "positions[:, None] <"),),
        ),
        Misconception(
            "itself-blocked",
            "Your mask forbids a query to attend to itself, and leaves the first with nothing. Look at the diagonal "
            "in section 4.",
            wrong=lambda length: np.tril(np.ones((length, length), bool), -1),
            edit=(("positions[:, None] >=", "positions[:, None] >"),),
        ),
        Misconception(
            "itself-alone",
            "Your mask allows a query itself and nothing else; what came before it may be attended to as well. Look "
            "below the diagonal in section 4.",
            wrong=lambda length: np.eye(length, dtype=bool),
            edit=(("positions[:, None] >=", "positions[:, None] =="),),
        ),
        Misconception(
            "one-step-into-the-future",
            "Your mask allows one key too many: every query sees its successor, the very token that it is to predict. "
            "Look at the diagonal in section 4.",
            wrong=lambda length: np.tril(np.ones((length, length), bool), 1),
            edit=(("positions[:, None] >=", "positions[:, None] + 1 >="),),
        ),
        Misconception(
            "numbers-for-booleans",
            "Your mask holds the numbers 0 and 1; a mask here is boolean. See section 2.3.",
            wrong=lambda length: causal_mask(length).astype(np.float64),
            edit=((_CAUSAL, f'ops.cast({_CAUSAL}, "float32")'),),
        ),
        Misconception(
            "numbers-to-add",
            "Your mask holds 0 and minus infinity, to be added to scores; a mask here is boolean, and what becomes of "
            "a blocked score is the attention's business. See section 2.3.",
            wrong=lambda length: np.where(causal_mask(length), 0.0, -np.inf),
            edit=((_CAUSAL, f'ops.where({_CAUSAL}, 0.0, -float("inf"))'),),
        ),
        Misconception(
            "an-axis-for-the-batch",
            "Your mask has one axis too many; it is (length, length), and broadcasting does the rest. See section 4.",
            wrong=lambda length: causal_mask(length)[None],
            edit=((_CAUSAL, f"({_CAUSAL})[None]"),),
        ),
    ),
)
