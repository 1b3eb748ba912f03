class PositionalEncoding(keras.layers.Layer):
    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}

    def build(self, input_shape):
        D = input_shape[-1]
        self.lookup = keras.layers.Embedding(self.max_length, D, trainable=False, dtype=self.dtype_policy)
        self.lookup.build((None,))
        self.lookup.embeddings.assign(positional_encoding(self.max_length, D))

    def call(self, x):
        if (x.shape[1] or 0) > self.max_length:
            raise ValueError("too long")
        return x + self.lookup(ops.arange(ops.shape(x)[1]))
