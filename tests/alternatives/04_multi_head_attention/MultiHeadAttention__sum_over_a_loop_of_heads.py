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
        for name in ("w_q", "w_k", "w_v", "w_o"):
            setattr(self, name, self.add_weight(name=name, shape=(query_shape[-1], self.embed_dim)))

    def call(self, query, key, value, mask=None):
        width = self.embed_dim / self.num_heads
        if not width.is_integer():
            raise ValueError(f"a head of {width} columns")
        d = int(width)
        total = 0.0
        for h in range(self.num_heads):
            own = slice(h * d, (h + 1) * d)
            q, k, v = query @ self.w_q[:, own], key @ self.w_k[:, own], value @ self.w_v[:, own]
            scores = q @ ops.transpose(k, (0, 2, 1)) / np.sqrt(d).item()
            if mask is not None:
                scores = scores + ops.cast(ops.logical_not(mask), scores.dtype) * -1e9
            weights = ops.softmax(scores)
            if mask is not None:
                weights = weights * ops.cast(ops.any(mask, axis=-1, keepdims=True), weights.dtype)
            total = total + (weights @ v) @ self.w_o[own]
        return total
