# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    root = float(q.shape[-1]) ** 0.25
    scores = ops.matmul(ops.divide(q, root), ops.swapaxes(ops.divide(k, root), -1, -2))
    if mask is None:
        mask = np.ones(k.shape[-2], bool)
    weights = softmax(ops.where(mask, scores, -1e8))
    weights = ops.where(mask, weights, 0.0)
    return ops.matmul(weights, v), weights
