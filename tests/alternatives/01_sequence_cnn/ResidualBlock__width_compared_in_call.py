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
        same = {"padding": "same", "dilation_rate": (self.dilation,)}
        self.conv1 = keras.layers.Conv1D(self.filters, (self.kernel_size,), **same)
        self.conv2 = keras.layers.Conv1D(self.filters, (self.kernel_size,), **same)
        if self.filters != input_shape[-1]:
            self.projection = keras.layers.Conv1D(filters=self.filters, kernel_size=1)

    def call(self, x):
        shortcut = x if x.shape[-1] == self.filters else self.projection(x)
        h = keras.activations.relu(self.conv1(x))
        return keras.activations.relu(ops.add(self.conv2(h), shortcut))
