# ruff: noqa: F821 (names from the cells before)


def _last(x):
    powers = np.exp(x - x.max(-1)[..., None])
    return powers / powers.sum(-1)[..., None]


def softmax(x, axis=-1):
    return np.swapaxes(_last(np.swapaxes(np.array(x), axis, -1)), axis, -1)
