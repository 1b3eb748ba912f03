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
        self.squeeze = keras.layers.Conv1D(self.squeeze_filters, 1, kernel_initializer="he_normal")
        self.expand_k = keras.layers.Conv1D(self.expand_filters, self.kernel_size, padding="SAME")
        self.expand_1 = keras.layers.Conv1D(self.expand_filters, 1)
        super().build(input_shape)

    def call(self, x, training=None):
        s = keras.layers.ReLU()(self.squeeze(x))
        both = ops.concatenate((self.expand_1(s), self.expand_k(s)), axis=-1)
        return both * ops.cast(both > 0, both.dtype)
