from scipy.linalg import expm


def shift_matrix(offset, depth):
    if depth % 2:
        raise ValueError("depth must be even")
    omega = 10000.0 ** (-np.arange(0, depth, 2) / depth)
    return expm(offset * np.kron(np.diag(omega), [[0.0, 1.0], [-1.0, 0.0]]))
