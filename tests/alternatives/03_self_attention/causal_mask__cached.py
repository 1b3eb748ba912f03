# ruff: noqa: F821 (names from the cells before)

_masks = {}


def causal_mask(length):
    if length not in _masks:
        queries, keys = np.indices((length, length))
        _masks[length] = queries - keys >= 0
    return _masks[length]
