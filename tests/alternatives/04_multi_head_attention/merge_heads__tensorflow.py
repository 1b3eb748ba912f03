import tensorflow as tf


def merge_heads(x):
    x = tf.convert_to_tensor(x)
    return tf.concat(tf.unstack(x, axis=1), axis=2)
