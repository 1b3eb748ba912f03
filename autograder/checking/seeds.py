"""Fresh inputs for every student, the same on every machine: random generators from a seed."""

from __future__ import annotations

import hashlib

import numpy as np

Generator = np.random.Generator


def generator(*parts: str) -> np.random.Generator:
    """Returns a NumPy generator that depends on every part, e.g. course seed, student, symbol, check."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def distinct_sizes(rng: np.random.Generator, count: int, low: int = 2, high: int = 10) -> tuple[int, ...]:
    """Returns pairwise distinct sizes in `[low, high)`, none of them 1.

    Square shapes hide wrong axes and wrong scales: with T = d_k = 4 a division by the square root of
    the wrong size is exactly right.
    """
    return tuple(int(size) for size in rng.choice(np.arange(low, high), size=count, replace=False))
