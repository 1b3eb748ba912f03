import tensorflow as tf


class MultiHeadAttention(tf.keras.layers.Layer):
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim

    def get_config(self):
        config = super().get_config()
        config.update(num_heads=self.num_heads, embed_dim=self.embed_dim)
        return config

    def compute_mask(self, query, previous_mask):
        return None

    def build(self, query_shape, key_shape, value_shape):
        if self.embed_dim % self.num_heads:
            raise ValueError("embed_dim has to be a multiple of num_heads")
        self.projections = []
        for name in ("w_q", "w_k", "w_v", "w_o"):
            dense = tf.keras.layers.Dense(self.embed_dim, use_bias=False, dtype=self.dtype_policy)
            dense.build((None, self.embed_dim))
            self.projections.append(dense)
            setattr(self, name, dense.kernel)

    def call(self, query, key, value, mask=None):
        q, k, v = (
            tf.stack(tf.split(dense(x), self.num_heads, axis=-1), axis=1)
            for dense, x in zip(self.projections, (query, key, value))
        )
        scores = tf.matmul(q, k, transpose_b=True)
        scores = scores / tf.sqrt(tf.cast(tf.shape(q)[-1], scores.dtype))
        if mask is None:
            mask = tf.ones_like(scores[:, 0], tf.bool)
        mask = mask[:, tf.newaxis]
        weights = tf.nn.softmax(tf.where(mask, scores, scores.dtype.min))
        weights = tf.where(mask, weights, tf.zeros_like(weights))
        heads = tf.unstack(tf.matmul(weights, v), num=self.num_heads, axis=1)
        return self.projections[3](tf.concat(heads, axis=-1))
