# ruff: noqa: F821 (names from the cells before)


def split_heads(x, num_heads):
    D = x.shape[-1]
    d, rest = divmod(D, num_heads)
    if rest != 0:
        raise ValueError("num_heads must divide the width")
    return ops.stack([x[:, :, h * d : (h + 1) * d] for h in range(num_heads)], axis=1)
