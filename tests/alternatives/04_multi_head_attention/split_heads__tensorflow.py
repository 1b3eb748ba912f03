import tensorflow as tf


def split_heads(x, num_heads):
    x = tf.convert_to_tensor(x)
    if x.shape[-1] % num_heads:
        raise ValueError("the heads do not share out the columns")
    return tf.stack(tf.split(x, num_heads, axis=-1), axis=1)
