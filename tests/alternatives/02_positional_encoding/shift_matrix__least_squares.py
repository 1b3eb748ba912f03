def shift_matrix(offset, depth):
    if depth % 2:
        raise ValueError("depth must be even")

    def rows(positions):
        angle = positions[:, None] / 10000.0 ** (np.arange(0, depth, 2) / depth)
        return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(len(positions), depth)

    positions = np.arange(0, 100_000, 37)
    return np.linalg.lstsq(rows(positions), rows(positions + offset), rcond=None)[0].T
