def positional_encoding(length, depth):
    if length < 1 or depth % 2 != 0:
        raise ValueError(f"no table of {length} by {depth}")
    rates = ops.exp(-np.log(10000.0) * ops.arange(0, depth, 2, dtype="float32") / depth)
    angles = ops.arange(length, dtype="float32")[:, None] * rates
    return ops.reshape(ops.stack([ops.sin(angles), ops.cos(angles)], axis=-1), (length, depth))
