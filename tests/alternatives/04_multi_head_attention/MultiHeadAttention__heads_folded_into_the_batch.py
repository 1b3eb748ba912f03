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
        if self.embed_dim % self.num_heads:
            raise ValueError("uneven")
        D = self.embed_dim
        self.w_q = self.add_weight(shape=(D, D), initializer="he_normal")
        self.w_k = self.add_weight(shape=(D, D), initializer="he_normal")
        self.w_v = self.add_weight(shape=(D, D), initializer="he_normal")
        self.w_o = self.add_weight(shape=(D, D), initializer="zeros")

    def call(self, query, key, value, mask=None):
        H, d = self.num_heads, self.embed_dim // self.num_heads

        def folded(x, w):
            x = ops.matmul(x, w)
            blocks = [x[..., h * d : (h + 1) * d] for h in range(H)]
            return ops.concatenate(blocks, axis=0)  # (H·B, T, d), the first head's batch first

        q, k, v = folded(query, self.w_q), folded(key, self.w_k), folded(value, self.w_v)
        scores = ops.matmul(q, ops.swapaxes(k, 1, 2)) / d**0.5
        if mask is not None:
            mask = ops.logical_and(mask, ops.ones_like(scores[: ops.shape(query)[0]], dtype="bool"))
            mask = ops.concatenate([mask] * H, axis=0)
            scores = ops.where(mask, scores, -1e30)
        weights = ops.softmax(scores, axis=-1)
        if mask is not None:
            weights = ops.where(ops.any(mask, axis=-1, keepdims=True), weights, 0.0)
        heads = ops.split(ops.matmul(weights, v), H, axis=0)
        return ops.matmul(ops.concatenate(heads, axis=-1), self.w_o)
