def positional_encoding(length, depth):
    if length < 1 or depth % 2:
        raise ValueError("length must be 1 or more, depth even")
    omega = 10000.0 ** (-np.arange(0, depth, 2) / depth)
    # i · exp(-i a) = sin a + i cos a: real and imaginary part are neighbours in memory
    turned = 1j * np.exp(-1j * np.arange(length)[:, None] * omega)
    return turned.view(np.float64).astype(np.float32)
