class SqueezeExpand(keras.layers.Layer):
    def __init__(self, squeeze_filters, expand_filters, kernel_size=3, **kwargs):
        super().__init__(**kwargs)
        self.squeeze_filters = squeeze_filters
        self.expand_filters = expand_filters
        self.kernel_size = kernel_size

    def get_config(self):
        return {
            **super().get_config(),
            "squeeze_filters": self.squeeze_filters,
            "expand_filters": self.expand_filters,
            "kernel_size": self.kernel_size,
        }

    def build(self, input_shape):
        conv = keras.layers.Conv1D
        self.squeeze = conv(self.squeeze_filters, 1, activation="relu")
        self.expand_1 = conv(self.expand_filters, 1, activation="relu", padding="same")
        self.expand_k = conv(self.expand_filters, self.kernel_size, activation="relu", padding="same")
        self.squeeze.build(input_shape)
        for branch in (self.expand_1, self.expand_k):
            branch.build((None, None, self.squeeze_filters))

    def call(self, x):
        s = self.squeeze(x)
        return keras.layers.concatenate([self.expand_1(s), self.expand_k(s)])
