# ruff: noqa: F821 (names from the cells before)


def softmax(x, axis=-1):
    x = ops.convert_to_numpy(x).astype("float64")
    powers = np.exp(x - np.max(x, axis, keepdims=True))
    return powers / np.sum(powers, axis, keepdims=True)
