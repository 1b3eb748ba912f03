class CausalSelfAttention(keras.layers.Layer):
    # tf functions; heads are folded into the batch
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def build(self, input_shape):
        size = [self.embed_dim, self.embed_dim]
        self.w_q = self.add_weight(name="w_q", shape=size, initializer="glorot_normal")
        self.w_k = self.add_weight(name="w_k", shape=size, initializer="glorot_normal")
        self.w_v = self.add_weight(name="w_v", shape=size, initializer="glorot_normal")
        self.w_o = self.add_weight(name="w_o", shape=size, initializer="zeros")

    def call(self, x):
        import tensorflow as tf

        if self.embed_dim % self.num_heads:
            raise ValueError("not divisible")
        fold = lambda y: tf.concat(tf.split(y, self.num_heads, axis=2), axis=0)
        q, k, v = (fold(tf.tensordot(x, tf.convert_to_tensor(w), 1)) for w in (self.w_q, self.w_k, self.w_v))
        scores = tf.matmul(q, k, transpose_b=True) / tf.sqrt(tf.cast(tf.shape(q)[-1], q.dtype))
        keep = tf.linalg.band_part(tf.ones_like(scores), -1, 0)
        weights = tf.nn.softmax(scores * keep + (1 - keep) * q.dtype.min)
        merged = tf.concat(tf.split(weights @ v, self.num_heads, axis=0), axis=2)
        return tf.tensordot(merged, tf.convert_to_tensor(self.w_o), 1)
