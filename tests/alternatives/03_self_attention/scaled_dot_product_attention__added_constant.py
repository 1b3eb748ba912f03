# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    scores = ops.matmul(q, ops.swapaxes(k, -1, -2))
    if "int" in keras.backend.standardize_dtype(scores.dtype):
        scores = ops.cast(scores, "float32")
    scores = scores / float(np.sqrt(k.shape[-1]))
    if mask is None:
        weights = ops.softmax(scores)
    else:
        keep = ops.cast(mask, scores.dtype)
        weights = ops.softmax(scores + (1.0 - keep) * -1e9) * keep
    return ops.matmul(weights, v), weights
