# ruff: noqa: F821 (names from the cells before)


def merge_heads(x):
    x = np.asarray(x)
    H, d = x.shape[1], x.shape[3]
    # every head padded with zeros where the others go
    return sum(np.pad(x[:, h], ((0, 0), (0, 0), (h * d, (H - 1 - h) * d))) for h in range(H))
