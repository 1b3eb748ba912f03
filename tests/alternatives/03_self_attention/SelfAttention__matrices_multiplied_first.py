# ruff: noqa: F821 (names from the cells before)


class SelfAttention(keras.layers.Layer):
    def __init__(self, key_dim, value_dim, **kwargs):
        super().__init__(**kwargs)
        self.key_dim = key_dim
        self.value_dim = value_dim

    def get_config(self):
        return {**super().get_config(), "key_dim": self.key_dim, "value_dim": self.value_dim}

    def build(self, input_shape):
        D = input_shape[2]
        self.w_v = self.add_weight(name="values", shape=(D, self.value_dim))
        self.w_k = self.add_weight(name="keys", shape=(D, self.key_dim))
        self.w_q = self.add_weight(name="queries", shape=(D, self.key_dim))

    def call(self, x, mask=None):
        # x W_Q (x W_K)^T = x (W_Q W_K^T) x^T, and averaging comes before W_V
        form = ops.matmul(self.w_q, ops.transpose(self.w_k)) / np.sqrt(self.key_dim).item()
        scores = ops.matmul(ops.matmul(x, form), ops.transpose(x, (0, 2, 1)))
        if mask is None:
            mask = ops.ones((1, 1, 1), dtype="bool")
        weights = ops.softmax(ops.where(mask, scores, -1e9), axis=2)
        return ops.matmul(ops.matmul(ops.where(mask, weights, 0.0), x), self.w_v)
