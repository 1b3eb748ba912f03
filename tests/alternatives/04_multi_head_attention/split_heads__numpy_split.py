# ruff: noqa: F821 (names from the cells before)


def split_heads(x, num_heads):
    # np.split raises a ValueError of its own where the parts would not be equal
    return np.asarray(np.split(np.asarray(x), num_heads, axis=-1)).swapaxes(0, 1)
