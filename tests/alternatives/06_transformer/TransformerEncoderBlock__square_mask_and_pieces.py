class FeedForward(keras.layers.Layer):
    def __init__(self, hidden, width, **kwargs):
        super().__init__(**kwargs)
        self.up = keras.layers.Dense(hidden, activation=keras.activations.relu, dtype=self.dtype_policy)
        self.down = keras.layers.Dense(width, dtype=self.dtype_policy)

    def build(self, shape):
        self.up.build(shape)
        self.down.build(self.up.compute_output_shape(shape))

    def call(self, x):
        return self.down(self.up(x))


class TransformerEncoderBlock(keras.layers.Layer):
    def __init__(self, num_heads, hidden_dim, dropout=0.1, **kwargs):
        super().__init__(**kwargs)
        self.settings = {"num_heads": num_heads, "hidden_dim": hidden_dim, "dropout": dropout}
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), **self.settings}

    def build(self, input_shape):
        D, H = input_shape[-1], self.settings["num_heads"]
        if D % H > 0:
            raise ValueError("the width must be a multiple of the number of heads")
        self.attention = keras.layers.MultiHeadAttention(H, D // H, dtype=self.dtype_policy)
        self.attention.build(query_shape=input_shape, value_shape=input_shape)
        self.feed = FeedForward(self.settings["hidden_dim"], D, dtype=self.dtype_policy)
        self.feed.build(input_shape)
        for name in ("norm1", "norm2"):
            norm = keras.layers.LayerNormalization(epsilon=1e-6, dtype=self.dtype_policy)
            norm.build(input_shape)
            setattr(self, name, norm)
        self.lost = keras.layers.Dropout(self.settings["dropout"], dtype=self.dtype_policy)

    @property
    def ffn1(self):
        return self.feed.up

    @property
    def ffn2(self):
        return self.feed.down

    def call(self, x, mask=None, training=False):
        # rows of padding may ask, too, but only padding: nobody reads what they get
        square = None if mask is None else ops.equal(mask[:, :, None], mask[:, None, :])
        for norm, branch in ((self.norm1, self.look), (self.norm2, lambda z, _: self.feed(z))):
            x = norm(x + self.lost(branch(x, square), training=training))
        return x

    def look(self, x, square):
        return self.attention(query=x, value=x, attention_mask=square)
