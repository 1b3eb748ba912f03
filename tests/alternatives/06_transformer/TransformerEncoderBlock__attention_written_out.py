class TransformerEncoderBlock(keras.layers.Layer):
    def __init__(self, num_heads, hidden_dim, dropout=0.1, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.seeds = keras.random.SeedGenerator()

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }

    def compute_mask(self, x, previous_mask):
        return previous_mask  # a layer that says so supports masking

    def build(self, input_shape):
        D = input_shape[-1]
        if D % self.num_heads:
            raise ValueError(f"{D} / {self.num_heads}")
        policy = {"dtype": self.dtype_policy}
        self.attention = keras.layers.MultiHeadAttention(self.num_heads, D // self.num_heads, **policy)
        self.attention.build(input_shape, input_shape)
        self.norm1, self.norm2 = (keras.layers.LayerNormalization(-1, 1e-6, **policy) for _ in range(2))
        self.norm1.build(input_shape)
        self.norm2.build(input_shape)
        self.ffn1 = keras.layers.Dense(self.hidden_dim, "relu", **policy)
        self.ffn1.build(input_shape)
        self.ffn2 = keras.layers.Dense(D, **policy)
        self.ffn2.build((*input_shape[:-1], self.hidden_dim))

    def call(self, x, mask=None, training=False):
        a = self.attention
        q, k, v = (
            ops.einsum("btd,dhk->bhtk", x, layer.kernel) + ops.expand_dims(layer.bias, 1)
            for layer in (a.query_dense, a.key_dense, a.value_dense)
        )
        scores = ops.einsum("bhtk,bhsk->bhts", q, k) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = ops.where(mask[:, None, None, :], scores, -1e9)
        attended = ops.einsum("bhts,bhsk,hkd->btd", ops.softmax(scores), v, a.output_dense.kernel)
        h = self.norm1(x + self.lose(attended + a.output_dense.bias, training))
        return self.norm2(h + self.lose(self.ffn2(self.ffn1(h)), training))

    def lose(self, branch, training):
        return keras.random.dropout(branch, self.dropout, seed=self.seeds) if training else branch
