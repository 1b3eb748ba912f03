# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    return ops.cast(ops.subtract(tokens, pad_id), "bool")[:, None]
