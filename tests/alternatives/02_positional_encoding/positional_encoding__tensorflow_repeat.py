import tensorflow as tf


def positional_encoding(length, depth):
    if depth % 2 or length < 1:
        raise ValueError("refused")
    exponents = tf.repeat(tf.range(0, depth, 2), 2) / depth
    angles = tf.cast(tf.range(length), tf.float64)[:, tf.newaxis] / tf.pow(tf.cast(10000, tf.float64), exponents)
    even = tf.equal(tf.range(depth) % 2, 0)
    return tf.cast(tf.where(even, tf.sin(angles), tf.cos(angles)), tf.float32)
