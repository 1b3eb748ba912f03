import tensorflow as tf


def scaled_dot_product_attention(q, k, v, mask=None):
    q, k, v = (tf.convert_to_tensor(a) for a in (q, k, v))
    if not q.dtype.is_floating:
        q, k, v = (tf.cast(a, tf.float32) for a in (q, k, v))
    root = tf.sqrt(tf.cast(tf.shape(k)[-1], q.dtype))
    scores = tf.matmul(q, k, transpose_b=True) / root
    if mask is not None:
        scores = tf.where(mask, scores, scores.dtype.min)
    weights = tf.nn.softmax(scores, axis=-1)
    if mask is not None:
        weights = tf.where(tf.reduce_any(mask, axis=-1, keepdims=True), weights, 0)
    return tf.matmul(weights, v), weights
