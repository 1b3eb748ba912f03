"""The activations of the blocks."""

from __future__ import annotations

import numpy as np

from autograder.checking import Array


def relu(x: Array) -> Array:
    """Returns max(x, 0)."""
    return np.maximum(x, 0)


def sigmoid(x: Array) -> Array:
    """Returns 1 / (1 + exp(-x))."""
    return 1 / (1 + np.exp(-x))


def identity(x: Array) -> Array:
    """Returns x: the activation of a layer that has none."""
    return x
