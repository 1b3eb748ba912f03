# ruff: noqa: F821 (names from the cells before)


def split_heads(x, num_heads):
    B, T, D = ops.shape(x)
    if D != num_heads * (D // num_heads):
        raise ValueError
    columns = ops.transpose(x, (0, 2, 1))  # (B, D, T)
    columns = ops.reshape(columns, (B, num_heads, -1, T))
    return ops.swapaxes(columns, 2, 3)
