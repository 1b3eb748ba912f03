def shift_matrix(offset, depth):
    if depth % 2:
        raise ValueError("depth must be even")
    angle = np.repeat(offset * 10000.0 ** (-np.arange(0, depth, 2) / depth), 2)  # (depth,)
    beside = np.sin(angle[:-1]) * (np.arange(depth - 1) % 2 == 0)
    return np.diag(np.cos(angle)) + np.diag(beside, 1) - np.diag(beside, -1)
