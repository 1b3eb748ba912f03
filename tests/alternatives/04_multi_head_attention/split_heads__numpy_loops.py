# ruff: noqa: F821 (names from the cells before)


def split_heads(x, num_heads):
    x = np.array(x)
    B, T, D = x.shape
    d = D / num_heads
    if d != int(d):
        raise ValueError(f"{D} / {num_heads} is {d}")
    d = int(d)
    heads = np.zeros((B, num_heads, T, d), x.dtype)
    for b in range(B):
        for t in range(T):
            for column in range(D):
                heads[b, column // d, t, column % d] = x[b, t, column]
    return heads
