# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    return np.expand_dims(np.asarray(tokens) != pad_id, 1)
