"""What the checks of this assignment put in: sequences off centre, weights around 0."""

from __future__ import annotations

import numpy as np

from autograder.checking import Array, Generator


def off_centre(rng: Generator, *shape: int) -> Array:
    """Returns data whose mean is not 0, so that what is lost at the borders shows."""
    return rng.normal(0.5, 1.0, shape).astype(np.float32)


def centred(rng: Generator, *shape: int) -> Array:
    """Returns data around 0, so that about half of what a relu sees is negative."""
    return rng.normal(0.0, 1.0, shape).astype(np.float32)
