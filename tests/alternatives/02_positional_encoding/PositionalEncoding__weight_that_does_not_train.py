class PositionalEncoding(keras.layers.Layer):
    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self._longest = int(max_length)

    def get_config(self):
        config = super().get_config()
        config["max_length"] = self._longest
        return config

    def build(self, input_shape):
        def table(shape, dtype=None):
            return ops.cast(positional_encoding(*shape), dtype)

        self.table = self.add_weight(
            shape=(self._longest, input_shape[-1]), initializer=table, trainable=False, name="table"
        )

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask

    def call(self, inputs, mask=None, training=None):
        static = inputs.shape[1]
        if static is not None and static > self._longest:
            raise ValueError(f"{static} > {self._longest}")
        steps = ops.arange(ops.shape(inputs)[1])
        return inputs + ops.take(self.table, steps, axis=0)
