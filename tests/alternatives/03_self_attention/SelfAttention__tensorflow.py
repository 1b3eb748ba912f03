import tensorflow as tf


class SelfAttention(tf.keras.layers.Layer):
    def __init__(self, key_dim, value_dim, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.dims = {"key_dim": key_dim, "value_dim": value_dim}

    def get_config(self):
        config = super().get_config()
        config.update(self.dims)
        return config

    def build(self, input_shape):
        widths = (self.dims["key_dim"], self.dims["key_dim"], self.dims["value_dim"])
        for name, width in zip(("w_q", "w_k", "w_v"), widths, strict=True):
            setattr(self, name, self.add_weight((input_shape[-1], width), name=name))
        super().build(input_shape)

    def call(self, x, mask=None):
        q, k, v = (tf.tensordot(x, w, 1) for w in (self.w_q, self.w_k, self.w_v))
        scores = tf.matmul(q, k, transpose_b=True)
        scores /= tf.sqrt(tf.cast(tf.shape(k)[-1], scores.dtype))
        if mask is not None:
            scores = tf.where(mask, scores, tf.constant(-1e9, scores.dtype))
        weights = tf.nn.softmax(scores)
        if mask is not None:
            weights *= tf.cast(mask, weights.dtype)
        return tf.matmul(weights, v)
