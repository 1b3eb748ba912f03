class PositionalEncoding(keras.layers.Layer):
    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}

    def call(self, x):
        T, D = ops.shape(x)[1], x.shape[-1]
        if isinstance(T, int) and T > self.max_length:
            raise ValueError("too long")
        column = np.arange(D)
        rates = ops.convert_to_tensor(10000.0 ** -((column - column % 2) / D), "float32")
        angle = ops.cast(ops.arange(T), "float32")[:, None] * rates
        table = ops.where(column % 2 == 0, ops.sin(angle), ops.cos(angle))
        return ops.add(x, ops.cast(table, x.dtype)[None])
