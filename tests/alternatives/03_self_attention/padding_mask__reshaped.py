# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    B, L = tokens.shape
    return ops.reshape(ops.logical_not(ops.equal(tokens, pad_id)), (B, 1, L))
