# ruff: noqa: F821 (names from the cells before)


def _rank_3(a):
    return np.reshape(a, (-1, *a.shape[-2:]))


def scaled_dot_product_attention(query, key, value, mask=None):
    query, key, value = map(np.asarray, (query, key, value))
    lead, T, S = query.shape[:-2], query.shape[-2], key.shape[-2]
    if mask is None:
        mask = True
    mask = _rank_3(np.broadcast_to(mask, (*lead, T, S)))
    outputs, tables = [], []
    for q, k, v, m in zip(_rank_3(query), _rank_3(key), _rank_3(value), mask, strict=True):
        scores = (k @ q.T).T / q.shape[1] ** 0.5
        shares = softmax(np.where(m, scores, -9e15))
        tables.append(np.asarray(shares) * m)
        outputs.append(tables[-1] @ v)
    shape = (*lead, T)
    return np.reshape(outputs, (*shape, value.shape[-1])), np.reshape(tables, (*shape, S))
