import tensorflow as tf


def padding_mask(tokens, pad_id=0):
    return tf.logical_not(tf.equal(tokens, pad_id))[:, tf.newaxis, :]
