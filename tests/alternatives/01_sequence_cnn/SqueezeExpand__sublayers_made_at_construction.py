class SqueezeExpand(keras.layers.Layer):
    def __init__(self, squeeze_filters, expand_filters, kernel_size=3, **kwargs):
        super().__init__(**kwargs)
        self.config = {
            "squeeze_filters": squeeze_filters,
            "expand_filters": expand_filters,
            "kernel_size": kernel_size,
        }
        self.squeeze = keras.layers.Conv1D(squeeze_filters, kernel_size=1)
        self.expand_1 = keras.layers.Conv1D(expand_filters, kernel_size=1)
        self.expand_k = keras.layers.Conv1D(expand_filters, kernel_size, padding="same")
        self.join = keras.layers.Concatenate(axis=2)

    def call(self, inputs):
        s = keras.activations.relu(self.squeeze(inputs))
        return self.join([ops.maximum(self.expand_1(s), 0), ops.relu(self.expand_k(s))])

    def get_config(self):
        return {**super().get_config(), **self.config}
