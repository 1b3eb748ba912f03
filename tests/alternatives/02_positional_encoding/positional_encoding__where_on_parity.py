def positional_encoding(length, depth):
    if length < 1:
        raise ValueError("length")
    if depth & 1:
        raise ValueError("depth")
    column = np.arange(depth)
    angle = np.outer(np.arange(length), 10000.0 ** -((column - column % 2) / depth))
    return ops.cast(ops.where(column % 2 == 0, ops.sin(angle), ops.cos(angle)), "float32")
