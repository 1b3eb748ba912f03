class CausalSelfAttention(keras.layers.Layer):
    # the matrices are kernels of Dense layers made at construction
    def __init__(self, num_heads, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.embed_dim = embed_dim
        if self.embed_dim // self.num_heads * self.num_heads != self.embed_dim:
            raise ValueError(f"{num_heads} heads do not share {embed_dim} columns")
        self.to_q, self.to_k, self.to_v, self.to_out = (
            keras.layers.Dense(embed_dim, use_bias=False, dtype=self.dtype_policy) for _ in range(4)
        )

    def get_config(self):
        return {**super().get_config(), "num_heads": self.num_heads, "embed_dim": self.embed_dim}

    def build(self, input_shape):
        for dense in (self.to_q, self.to_k, self.to_v, self.to_out):
            dense.build(input_shape)
        self.w_q, self.w_k, self.w_v, self.w_o = (
            dense.kernel for dense in (self.to_q, self.to_k, self.to_v, self.to_out)
        )

    def call(self, x):
        T, H = ops.shape(x)[1], self.num_heads

        def heads(y):
            return ops.stack(ops.split(y, H, axis=-1), axis=1)

        q, k, v = heads(self.to_q(x)), heads(self.to_k(x)), heads(self.to_v(x))
        scores = ops.matmul(q / (self.embed_dim / H) ** 0.5, ops.swapaxes(k, 2, 3))
        lower = ops.tril(ops.ones((T, T), dtype="bool"))
        weights = ops.softmax(ops.where(lower, scores, ops.full_like(scores, -1e30)))
        merged = ops.concatenate(ops.unstack(ops.matmul(weights, v), H, axis=1), axis=-1)
        return self.to_out(merged)
