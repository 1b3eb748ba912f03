"""What the checks of this assignment put in: sizes that cannot be taken for one another, sequences, weights."""

from __future__ import annotations

import numpy as np

from autograder.checking import Array, Generator, distinct_sizes

WEIGHTS = ("w_q", "w_k", "w_v", "w_o")


def sizes(rng: Generator, high: int = 8) -> tuple[int, int, int, int, int]:
    """Returns B, T, S, H and d = D/H, pairwise distinct, none 1, and none of them D."""
    while True:
        B, T, S, H, d = distinct_sizes(rng, 5, 2, high)
        if H * d not in (B, T, S):
            return B, T, S, H, d


def tokens(rng: Generator, *shape: int) -> Array:
    """Returns sequences off centre."""
    return rng.normal(0.5, 1.5, shape).astype(np.float32)


def matrices(rng: Generator, D: int) -> dict[str, Array]:
    """Returns four weights (D, D): scores stay around 1, so that the softmax is far from all or nothing."""
    return {name: rng.normal(0.0, 0.8 / np.sqrt(D), (D, D)).astype(np.float32) for name in WEIGHTS}
