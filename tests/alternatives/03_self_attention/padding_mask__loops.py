# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    tokens = ops.convert_to_numpy(tokens)
    return np.array([[[int(token) != pad_id for token in row]] for row in tokens])
