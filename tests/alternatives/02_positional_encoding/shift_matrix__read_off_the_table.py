def shift_matrix(offset, depth):
    # row |offset| of the table holds the sines and cosines that are needed
    row = np.asarray(positional_encoding(abs(offset) + 1, depth))[-1]
    sine, cosine = row[0::2] * np.sign(offset), row[1::2]
    blocks = np.array([[cosine, sine], [-sine, cosine]])  # (2, 2, depth/2)
    return np.einsum("rci,ij->irjc", blocks, np.eye(depth // 2)).reshape(depth, depth)
