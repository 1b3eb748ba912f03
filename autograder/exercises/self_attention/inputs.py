"""What the checks of this assignment put in: masks."""

from __future__ import annotations

import numpy as np

from autograder.checking import Array, Generator


def some_allowed(rng: Generator, *shape: int) -> Array:
    """Returns a random mask with at least one allowed and one blocked key in every row."""
    mask = rng.random(shape) < 0.6
    allowed = rng.integers(0, shape[-1], (*shape[:-1], 1))
    np.put_along_axis(mask, allowed, True, axis=-1)
    np.put_along_axis(mask, (allowed + 1) % shape[-1], False, axis=-1)
    return mask
