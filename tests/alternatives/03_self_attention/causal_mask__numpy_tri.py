# ruff: noqa: F821 (names from the cells before)


def causal_mask(length):
    return np.tri(length, dtype=bool)
