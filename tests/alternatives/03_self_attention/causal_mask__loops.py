# ruff: noqa: F821 (names from the cells before)


def causal_mask(length):
    return np.array([[key <= query for key in range(length)] for query in range(length)])
