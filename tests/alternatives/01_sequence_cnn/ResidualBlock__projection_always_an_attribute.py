class ResidualBlock(keras.layers.Layer):
    def __init__(self, filters, kernel_size, dilation=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.dilation = dilation

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "dilation": self.dilation,
        }

    def build(self, input_shape):
        for name in ("conv1", "conv2"):
            conv = keras.layers.Conv1D(
                self.filters,
                self.kernel_size,
                padding="same",
                dilation_rate=self.dilation,
                kernel_initializer="he_uniform",
            )
            setattr(self, name, conv)
        fits = input_shape[-1] == self.filters
        self.projection = None if fits else keras.layers.Conv1D(self.filters, 1, padding="same")

    def call(self, x, training=False):
        out = self.conv2(ops.relu(self.conv1(x)))
        if self.projection is not None:
            x = self.projection(x)
        out += x
        return ops.maximum(out, 0)
