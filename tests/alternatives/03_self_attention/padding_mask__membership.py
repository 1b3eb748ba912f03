# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    return np.isin(np.asarray(tokens), [pad_id], invert=True).reshape(len(tokens), 1, -1)
