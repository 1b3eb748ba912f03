def shift_matrix(offset, depth):
    if depth % 2:
        raise ValueError("depth must be even")
    one_step = np.eye(depth)
    for i in range(depth // 2):
        a = 10000.0 ** (-2 * i / depth)
        one_step[2 * i, 2 * i] = one_step[2 * i + 1, 2 * i + 1] = np.cos(a)
        one_step[2 * i, 2 * i + 1], one_step[2 * i + 1, 2 * i] = np.sin(a), -np.sin(a)
    return np.linalg.matrix_power(one_step if offset >= 0 else one_step.T, abs(offset))
