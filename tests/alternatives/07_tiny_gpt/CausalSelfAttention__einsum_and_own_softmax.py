class CausalSelfAttention(keras.layers.Layer):
    # no array of (B, H, T, d) is ever transposed: einsum names the axes; exponentials by hand, divided at the end
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim
        if embed_dim % num_heads != 0:
            raise ValueError
        self.d = embed_dim // num_heads

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def build(self, input_shape):
        D = input_shape[-1]
        self.w_q, self.w_k, self.w_v, self.w_o = (self.add_weight((D, D), "orthogonal") for _ in range(4))

    def call(self, x):
        shape = (-1, ops.shape(x)[1], self.num_heads, self.d)
        q, k, v = (ops.reshape(ops.einsum("btc,cd->btd", x, w), shape) for w in (self.w_q, self.w_k, self.w_v))
        scores = ops.einsum("bthd,bshd->bhts", q, k) / ops.sqrt(ops.cast(self.d, x.dtype))
        past = ops.cumsum(ops.ones_like(scores), axis=-1) <= ops.cumsum(ops.ones_like(scores), axis=-2)
        scores = ops.where(past, scores, -float("inf"))
        powers = ops.exp(scores - ops.max(scores, axis=-1, keepdims=True))
        summed = ops.einsum("bhts,bshd->bthd", powers, v)
        total = ops.transpose(ops.sum(powers, axis=-1), (0, 2, 1))
        return ops.reshape(summed / total[..., None], ops.shape(x)) @ self.w_o
