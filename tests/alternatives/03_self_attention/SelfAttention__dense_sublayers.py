# ruff: noqa: F821 (names from the cells before)


class SelfAttention(keras.layers.Layer):
    def __init__(self, key_dim, value_dim, **kwargs):
        super().__init__(**kwargs)
        self.key_dim = key_dim
        self.value_dim = value_dim

    def get_config(self):
        return {**super().get_config(), "key_dim": self.key_dim, "value_dim": self.value_dim}

    def build(self, input_shape):
        def projection(units, name):
            dense = keras.layers.Dense(units, use_bias=False, name=name, dtype=self.dtype_policy)
            dense.build(input_shape)
            return dense

        self.to_q = projection(self.key_dim, "to_q")
        self.to_k = projection(self.key_dim, "to_k")
        self.to_v = projection(self.value_dim, "to_v")
        self.w_q, self.w_k, self.w_v = self.to_q.kernel, self.to_k.kernel, self.to_v.kernel

    def call(self, x, mask=None):
        return scaled_dot_product_attention(self.to_q(x), self.to_k(x), self.to_v(x), mask)[0]
