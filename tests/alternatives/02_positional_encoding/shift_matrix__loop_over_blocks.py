def shift_matrix(offset, depth):
    if depth % 2 != 0:
        raise ValueError("depth must be even")
    matrix = np.zeros((depth, depth))
    for i in range(0, depth, 2):
        a = offset / 10000 ** (i / depth)
        matrix[i : i + 2, i : i + 2] = [[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]
    return matrix
