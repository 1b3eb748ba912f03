# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    q, k, v = (np.asarray(a) for a in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    with np.errstate(all="ignore"):
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights = np.nan_to_num(weights / weights.sum(axis=-1, keepdims=True))
    return weights @ v, weights
