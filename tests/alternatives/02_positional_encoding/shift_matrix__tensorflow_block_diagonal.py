import tensorflow as tf


def shift_matrix(offset, depth):
    if depth % 2:
        raise ValueError("depth must be even")
    angle = [offset / 10000 ** (i / depth) for i in range(0, depth, 2)]
    blocks = [tf.linalg.LinearOperatorFullMatrix([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in angle]
    return tf.linalg.LinearOperatorBlockDiag(blocks).to_dense()
