def receptive_field(layers):
    if len(layers) == 0:
        return 1
    k, s, d = np.array(layers).T
    before = np.concatenate([[1], np.cumprod(s)[:-1]])
    return 1 + np.sum((k - 1) * d * before)
