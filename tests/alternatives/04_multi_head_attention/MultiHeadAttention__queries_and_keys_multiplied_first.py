# ruff: noqa: F821 (names from the cells before)


class MultiHeadAttention(keras.layers.Layer):
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def compute_mask(self, query, previous_mask):
        return None

    def build(self, query_shape, key_shape, value_shape):
        D, H = self.embed_dim, self.num_heads
        if D // H * H != D:
            raise ValueError("no")
        self.w_q, self.w_k, self.w_v, self.w_o = (self.add_weight(shape=(D, D)) for _ in "qkvo")

    def call(self, query, key, value, mask=None):
        D, H = self.embed_dim, self.num_heads

        def columns(w):
            return ops.transpose(ops.reshape(w, (D, H, D // H)), (1, 0, 2))  # (H, D, d)

        # q k^T = query (W_Q W_K^T) key^T, and v W_O = value (W_V W_O), head by head
        form = ops.matmul(columns(self.w_q), ops.swapaxes(columns(self.w_k), 1, 2)) / (D / H) ** 0.5  # (H, D, D)
        passed = ops.matmul(columns(self.w_v), ops.reshape(self.w_o, (H, D // H, D)))  # (H, D, D)
        scores = ops.matmul(ops.matmul(query[:, None], form), ops.swapaxes(key, 1, 2)[:, None])
        allowed = ops.ones((1, 1, 1, 1), "bool") if mask is None else mask[:, None]
        weights = ops.softmax(ops.where(allowed, scores, -1e9))
        weights = ops.where(allowed, weights, 0.0)
        return ops.sum(ops.matmul(weights, ops.matmul(value[:, None], passed)), axis=1)
