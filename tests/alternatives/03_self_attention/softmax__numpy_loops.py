# ruff: noqa: F821 (names from the cells before)


def softmax(x, axis=-1):
    x = np.asarray(x)
    if x.dtype.kind != "f":
        x = x.astype("float32")
    rows = np.moveaxis(x, axis, -1)
    result = np.empty_like(rows)
    for index in np.ndindex(rows.shape[:-1]):
        row = rows[index]
        powers = [np.exp(entry - max(row)) for entry in row]
        result[index] = [power / sum(powers) for power in powers]
    return np.moveaxis(result, -1, axis)
