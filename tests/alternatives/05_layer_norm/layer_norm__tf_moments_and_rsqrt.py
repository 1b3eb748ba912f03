import tensorflow as tf


def layer_norm(z, gamma, beta, epsilon=1e-6):
    z = tf.convert_to_tensor(z)
    dtype = z.dtype if z.dtype.is_floating else tf.float32
    z, gamma, beta = (tf.cast(array, dtype) for array in (z, gamma, beta))
    mean, variance = tf.nn.moments(z, axes=[-1], keepdims=True)
    scale = tf.math.rsqrt(variance + tf.cast(epsilon, dtype)) * gamma
    return (z - mean) * scale + beta
