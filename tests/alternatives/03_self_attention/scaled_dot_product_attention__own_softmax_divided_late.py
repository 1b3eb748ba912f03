# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    # the output is divided by the sum at the end, as kernels that never hold the weights do
    q, k, v = (np.asarray(a) * 1.0 for a in (q, k, v))
    scores = np.matmul(q, np.moveaxis(k, -1, -2)) * q.shape[-1] ** -0.5
    allowed = np.broadcast_to(True if mask is None else np.asarray(mask), scores.shape)
    top = np.max(scores, axis=-1, keepdims=True, where=allowed, initial=-1e38)
    shares = np.where(allowed, np.exp(np.minimum(scores - top, 0.0)), 0.0)
    total = np.maximum(shares.sum(-1, keepdims=True), 1e-30)
    return shares @ v / total, shares / total
