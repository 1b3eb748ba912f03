# ruff: noqa: F821 (names from the cells before)


def scaled_dot_product_attention(q, k, v, mask=None):
    q, k, v = (np.asarray(a, "float64") for a in (q, k, v))
    *lead, T, d_k = q.shape
    S, d_v = v.shape[-2:]
    allowed = np.broadcast_to(True if mask is None else np.asarray(mask), (*lead, T, S))
    output, weights = np.zeros((*lead, T, d_v)), np.zeros((*lead, T, S))
    for index in np.ndindex(*lead):
        for t in range(T):
            keys = [s for s in range(S) if allowed[index][t, s]]
            if not keys:
                continue
            scores = np.array([q[index][t] @ k[index][s] for s in keys]) / d_k**0.5
            shares = np.exp(scores - scores.max())
            weights[index][t, keys] = shares / shares.sum()
            output[index][t] = weights[index][t] @ v[index]
    return output, weights
