# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    q, k, v = (ops.convert_to_tensor(a) for a in (q, k, v))
    if "int" in keras.backend.standardize_dtype(q.dtype):
        q, k, v = (ops.cast(a, "float32") for a in (q, k, v))
    scores = ops.einsum("...td,...sd->...ts", q * q.shape[-1] ** -0.5, k)
    if mask is not None:
        scores = ops.where(mask, scores, -1e30)
    weights = ops.softmax(scores)
    if mask is not None:
        weights = weights * ops.cast(mask, weights.dtype)
    return ops.einsum("...ts,...sd->...td", weights, v), weights
