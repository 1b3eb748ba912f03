def positional_encoding(length, depth):
    if length < 1 or depth % 2:
        raise ValueError("length must be 1 or more, depth even")
    omega = np.array([10000.0 ** (-2 * i / depth) for i in range(depth // 2)])
    sine, cosine = np.sin(omega), np.cos(omega)
    row = np.stack([np.zeros(depth // 2), np.ones(depth // 2)], axis=1)  # position 0
    rows = [row]
    while len(rows) < length:
        s, c = rows[-1].T
        rows.append(np.stack([s * cosine + c * sine, c * cosine - s * sine], axis=1))
    return np.float32(rows).reshape(length, depth)
