def positional_encoding(length, depth):
    if length < 1 or depth % 2:
        raise ValueError("no")
    i = np.arange(depth, dtype=np.float32)
    rates = np.float32(1) / np.power(np.float32(10000), (2 * (i // 2)) / np.float32(depth))
    angle_rads = np.arange(length, dtype=np.float32)[:, np.newaxis] * rates[np.newaxis, :]
    angle_rads[:, 0::2] = np.sin(angle_rads[:, 0::2])
    angle_rads[:, 1::2] = np.cos(angle_rads[:, 1::2])
    return ops.convert_to_tensor(angle_rads)
