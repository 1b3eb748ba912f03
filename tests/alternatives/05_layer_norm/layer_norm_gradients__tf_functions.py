import tensorflow as tf


def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    z = tf.convert_to_tensor(z)
    dtype = z.dtype if z.dtype.is_floating else tf.float32
    z, gamma, upstream = (tf.cast(array, dtype) for array in (z, gamma, upstream))
    mean, variance = tf.nn.moments(z, [-1], keepdims=True)
    inverse = tf.math.rsqrt(variance + tf.cast(epsilon, dtype))
    hat = (z - mean) * inverse
    grad = upstream * gamma
    depth = tf.cast(tf.shape(z)[-1], dtype)
    dots = tf.reduce_sum(grad * hat, -1, keepdims=True)
    dz = inverse / depth * (depth * grad - tf.reduce_sum(grad, -1, keepdims=True) - hat * dots)
    leading = list(range(len(z.shape) - 1))
    return dz, tf.reduce_sum(upstream * hat, leading), tf.reduce_sum(upstream, leading)
