# ruff: noqa: F821 (names from the cells before)


def merge_heads(x):
    B, H, T, d = ops.shape(x)
    columns = ops.reshape(ops.swapaxes(x, 2, 3), [B, H * d, T])
    return ops.transpose(columns, [0, 2, 1])
