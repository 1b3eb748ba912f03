# ruff: noqa: F821 (names from the cells before)


def causal_mask(length):
    return ~np.triu(np.ones((length, length), dtype=bool), k=1)
