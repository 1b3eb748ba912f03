class LearnedPositionalEmbedding(keras.layers.Layer):
    """Cuts the table to length by slice; refuses at build and at call."""

    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}

    def build(self, input_shape):
        if input_shape[1] is not None and input_shape[1] > self.max_length:
            raise ValueError("too long")
        shape = (self.max_length, input_shape[-1])
        self.positions = self.add_weight(name="positions", shape=shape, initializer="glorot_normal", trainable=True)

    def call(self, x):
        if x.shape[1] is not None and x.shape[1] > self.max_length:
            raise ValueError("too long")
        T = ops.shape(x)[1]
        table = ops.expand_dims(ops.convert_to_tensor(self.positions), 0)
        return x + ops.slice(table, (0, 0, 0), (1, T, x.shape[2]))
