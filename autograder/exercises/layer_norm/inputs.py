"""What the checks of this assignment put in: vectors off centre, gamma and beta far from 1 and 0, sizes that differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autograder.checking import Array, FunctionCase, Generator, distinct_sizes


def tokens(rng: Generator, *shape: int, spread: float = 30.0) -> Array:
    """Returns vectors that each have their own centre, off 0, and their own spread.

    At a spread of 30 neither an epsilon of 1e-6 nor one of 1e-3 can be seen: where it stands is the
    business of the checks that choose another spread.
    """
    noise = rng.normal(size=shape)
    noise = (noise - noise.mean(-1, keepdims=True)) / noise.std(-1, keepdims=True)
    per_vector = (*shape[:-1], 1)
    centre = rng.uniform(1.0, 2.0, per_vector) * rng.choice([-1.0, 1.0], per_vector)
    width = rng.uniform(0.7, 1.4, per_vector)
    return (spread * width * (noise + centre)).astype(np.float32)


def affine(rng: Generator, depth: int) -> tuple[Array, Array]:
    """Returns gamma and beta far from 1 and 0, so that a forgotten one shows."""
    gamma = rng.uniform(0.5, 2.0, depth)
    beta = rng.uniform(0.5, 2.0, depth) * rng.choice([-1.0, 1.0], depth)
    return gamma.astype(np.float32), beta.astype(np.float32)


def sizes(rng: Generator) -> tuple[int, int, int]:
    """Returns B, T and D, all different."""
    batch, time, depth = distinct_sizes(rng, 3, 4, 10)
    return batch, time, depth


def in_integers(case: FunctionCase) -> FunctionCase:
    """Returns the case in whole numbers, three times as large, so that no gamma is rounded to 0 or 1."""
    return replace(case, args=tuple(np.round(3 * np.asarray(a)).astype(np.int32) for a in case.args))
