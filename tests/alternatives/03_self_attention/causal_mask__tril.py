# ruff: noqa: F821 (names from the cells before)


def causal_mask(length):
    return ops.cast(ops.tril(ops.ones((length, length))), "bool")
