import math


def positional_encoding(length, depth):
    if depth % 2 == 1 or length <= 0:
        raise ValueError("no such table")
    rows = []
    for p in range(length):
        row = []
        for i in range(depth // 2):
            angle = p / math.pow(10000, 2 * i / depth)
            row += [math.sin(angle), math.cos(angle)]
        rows.append(row)
    return np.array(rows, dtype=np.float32)
