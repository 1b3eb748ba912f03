# ruff: noqa: F821 (names from the cells before)


def merge_heads(x):
    x = np.asarray(x)
    B, H, T, d = x.shape
    merged = np.empty((B, T, H * d), x.dtype)
    for h in range(H):
        for c in range(d):
            merged[:, :, h * d + c] = x[:, h, :, c]
    return merged
