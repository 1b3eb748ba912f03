# ruff: noqa: F821 (names from the cells before)


def softmax(x, axis=-1):
    x = ops.convert_to_tensor(x)
    if "int" in keras.backend.standardize_dtype(x.dtype):
        x = ops.cast(x, "float32")
    return ops.exp(x - ops.logsumexp(x, axis=axis, keepdims=True))
