_tables = {}


def positional_encoding(length, depth):
    if length < 1 or depth % 2:
        raise ValueError(f"received length {length} and depth {depth}")
    if depth not in _tables:
        angle = np.arange(4096)[:, None] / 10000 ** (np.arange(0, depth, 2) / depth)
        _tables[depth] = np.dstack([np.sin(angle), np.cos(angle)]).reshape(4096, depth).astype("float32")
        _tables[depth].flags.writeable = False
    return _tables[depth][:length]
