# ruff: noqa: F821 (names from the cells before)


class SelfAttention(keras.layers.Layer):
    def __init__(self, key_dim, value_dim, **kwargs):
        super().__init__(**kwargs)
        self.key_dim = key_dim
        self.value_dim = value_dim

    def get_config(self):
        return {**super().get_config(), "key_dim": self.key_dim, "value_dim": self.value_dim}

    def build(self, input_shape):
        D = input_shape[-1]
        self.w_q = self.add_weight(shape=(D, self.key_dim), initializer="he_normal")
        self.w_k = self.add_weight(shape=(D, self.key_dim), initializer="random_normal")
        self.w_v = self.add_weight(shape=(D, self.value_dim), initializer="orthogonal")

    def call(self, x, mask=None):
        scores = ops.einsum("btd,bsd->bts", x @ self.w_q, x @ self.w_k) / self.key_dim**0.5
        if mask is None:
            return ops.softmax(scores) @ (x @ self.w_v)
        keep = ops.cast(mask, scores.dtype)
        scores = scores - (1.0 - keep) * 1e9
        shares = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True)) * keep
        total = ops.sum(shares, axis=-1, keepdims=True)
        return (shares / ops.maximum(total, 1e-12)) @ (x @ self.w_v)
