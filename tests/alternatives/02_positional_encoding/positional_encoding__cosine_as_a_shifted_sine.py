def positional_encoding(length, depth):
    if min(length, 1) < 1 or depth != 2 * (depth // 2):
        raise ValueError
    column = np.arange(depth)[None, :]
    angle = np.arange(length)[:, None] / np.power(10000, 2 * (column // 2) / depth)
    return np.sin(angle + np.pi / 2 * (column % 2)).astype("f4")
