class TransformerEncoderBlock(keras.layers.Layer):
    def __init__(self, num_heads, hidden_dim, dropout=0.1, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.hidden_dim, self.dropout = num_heads, hidden_dim, dropout
        self.supports_masking = True
        self.norm1 = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
        self.norm2 = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
        self.ffn1 = keras.layers.Dense(hidden_dim, dtype=self.dtype_policy)
        self.drop1 = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.drop2 = keras.layers.Dropout(dropout, dtype=self.dtype_policy)
        self.add = keras.layers.Add(dtype=self.dtype_policy)

    def get_config(self):
        return super().get_config() | dict(num_heads=self.num_heads, hidden_dim=self.hidden_dim, dropout=self.dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        if width / self.num_heads != width // self.num_heads:
            raise ValueError("no")
        self.attention = keras.layers.MultiHeadAttention(
            num_heads=self.num_heads,
            key_dim=width // self.num_heads,
            value_dim=width // self.num_heads,
            output_shape=width,
            dtype=self.dtype_policy,
        )
        self.ffn2 = keras.layers.Dense(width, dtype=self.dtype_policy)
        self.attention.build(input_shape, input_shape, input_shape)
        self.norm1.build(input_shape)
        self.norm2.build(input_shape)
        self.ffn1.build(input_shape)
        self.ffn2.build((None, None, self.hidden_dim))

    def call(self, x, mask=None, training=False):
        # Keras makes the attention mask itself; the caller's training flag reaches the sublayers by itself
        found = self.drop1(self.attention(x, x, x, value_mask=mask, key_mask=mask))
        h = self.norm1(self.add([x, found]))
        return self.norm2(self.add([h, self.drop2(self.ffn2(keras.activations.relu(self.ffn1(h))))]))
