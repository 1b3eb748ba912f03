"""What the checks of this assignment put in: an encoder block with all its weights and padded sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checking import Array, Generator, LayerCase


def weights(rng: Generator, D: int, H: int, F: int, *, branches: float = 1.0) -> dict[str, Array]:
    """Returns every weight of a block by attribute path; what leaves the two branches is multiplied by `branches`."""
    d = D // H

    def normal(*shape: int, spread: float) -> Array:
        return rng.normal(0.0, spread, shape).astype(np.float32)

    projections = {
        f"attention.{name}_dense.{kind}": normal(*shape, spread=0.8)
        for name in ("query", "key", "value")
        for kind, shape in (("kernel", (D, H, d)), ("bias", (H, d)))
    }
    norms = {
        f"{name}.{kind}": (rng.normal(1.0, 0.4, D) if kind == "gamma" else rng.normal(0.5, 0.8, D)).astype(np.float32)
        for name in ("norm1", "norm2")
        for kind in ("gamma", "beta")
    }
    return {
        **projections,
        "attention.output_dense.kernel": branches * normal(H, d, D, spread=0.8),
        "attention.output_dense.bias": branches * normal(D, spread=0.8),
        **norms,
        "ffn1.kernel": normal(D, F, spread=0.8),
        "ffn1.bias": normal(F, spread=0.8),
        "ffn2.kernel": branches * normal(F, D, spread=0.8),
        "ffn2.bias": branches * normal(D, spread=0.8),
    }


def block(rng: Generator, *, width: int = 0, spread: float = 2.0, branches: float = 1.0, **config: Any) -> LayerCase:
    """Returns a block on vectors off centre; B, T, D, H, D/H and F all differ.

    Args:
        rng: draws sizes and numbers.
        width: of a head; by default six features are shared out among two or three heads.
        spread: of x.
        branches: size of what the two branches add.
        **config: arguments of the constructor beside num_heads and hidden_dim.
    """
    H = 2 if width else int(rng.integers(2, 4))
    D, F = width * H or 6, int(rng.integers(9, 12))
    B, T = int(rng.integers(4, 6)), int(rng.integers(7, 9))
    x = rng.normal(0.5 * spread, spread, (B, T, D)).astype(np.float32)
    return LayerCase({"num_heads": H, "hidden_dim": F, **config}, weights(rng, D, H, F, branches=branches), (x,))


def real_tokens(rng: Generator, B: int, T: int) -> Array:
    """Returns a mask (B, T) of rows of differing length, all of them padded; row 1 has a gap."""
    mask = np.arange(T) < rng.integers(3, T, (B, 1))
    mask[1, 1] = False
    return mask
