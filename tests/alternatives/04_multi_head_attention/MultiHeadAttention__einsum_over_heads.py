# ruff: noqa: F821 (names from the cells before)


class MultiHeadAttention(keras.layers.Layer):
    def __init__(self, num_heads, embed_dim, **kwargs):
        if embed_dim % num_heads != 0:
            raise ValueError("num_heads must divide embed_dim")
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def compute_mask(self, query, previous_mask):
        return None

    def build(self, *shapes, **named):
        D = self.embed_dim
        self.w_o, self.w_v, self.w_k, self.w_q = (self.add_weight((D, D), "orthogonal") for _ in range(4))

    def call(self, query, key, value, mask=None):
        D, H = self.embed_dim, self.num_heads
        d = D // H
        by_head = lambda w: ops.reshape(w, (D, H, d))
        q = ops.einsum("btj,jhc->bthc", query, by_head(self.w_q)) * d**-0.5
        k = ops.einsum("bsj,jhc->bshc", key, by_head(self.w_k))
        v = ops.einsum("bsj,jhc->bshc", value, by_head(self.w_v))
        scores = ops.einsum("bthc,bshc->btsh", q, k)
        if mask is None:
            weights = ops.softmax(scores, axis=2)
        else:
            keep = ops.cast(mask, scores.dtype)[..., None]
            shares = ops.exp(scores - ops.max(scores, axis=2, keepdims=True)) * keep
            weights = shares / (ops.sum(shares, axis=2, keepdims=True) + 1e-30)
        heads = ops.einsum("btsh,bshc->bthc", weights, v)
        return ops.einsum("bthc,hcj->btj", heads, ops.reshape(self.w_o, (H, d, D)))
