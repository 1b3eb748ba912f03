def shift_matrix(offset, depth):
    if depth % 2 == 1:
        raise ValueError(f"{depth} is odd")
    column = ops.arange(depth)
    exponent = ops.cast(column // 2, "float32") * 2.0 / depth
    angle = offset / ops.power(10000.0, exponent)
    row = column[:, None]
    matrix = ops.where(row == column, ops.cos(angle), 0.0)
    matrix = ops.where((row + 1 == column) & (row % 2 == 0), ops.sin(angle), matrix)
    return ops.where((row - 1 == column) & (row % 2 == 1), -ops.sin(angle), matrix)
