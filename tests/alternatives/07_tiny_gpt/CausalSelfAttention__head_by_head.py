class CausalSelfAttention(keras.layers.Layer):
    # one head after the other, columns cut out of the matrices, strictly later keys shut out by an added constant
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def build(self, input_shape):
        if self.embed_dim % self.num_heads:
            raise ValueError("heads of equal width only")
        for name in ("w_q", "w_k", "w_v", "w_o"):
            setattr(self, name, self.add_weight(name=name, shape=(self.embed_dim, self.embed_dim)))

    def call(self, x):
        d = self.embed_dim // self.num_heads
        steps = ops.arange(ops.shape(x)[1])
        ahead = ops.cast(ops.expand_dims(steps, 0) > ops.expand_dims(steps, 1), x.dtype)
        heads = []
        for h in range(self.num_heads):
            columns = slice(h * d, (h + 1) * d)
            q, k, v = (x @ w[:, columns] for w in (self.w_q, self.w_k, self.w_v))
            scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) * d**-0.5 - 1e7 * ahead
            heads.append(ops.softmax(scores) @ v)
        return ops.concatenate(heads, axis=-1) @ self.w_o
