class ResidualBlock(keras.layers.Layer):
    def __init__(self, filters, kernel_size, dilation=1, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.dilation = filters, kernel_size, dilation
        how = {"padding": "same", "dilation_rate": dilation}
        self.conv1 = keras.layers.Conv1D(filters, kernel_size, activation="relu", **how)
        self.conv2 = keras.layers.Conv1D(filters, kernel_size, **how)

    def build(self, input_shape):
        if input_shape[-1] == self.filters:
            self.shortcut = keras.layers.Identity()
        else:
            self.projection = self.shortcut = keras.layers.Conv1D(self.filters, 1)

    def call(self, x):
        return keras.layers.Activation("relu")(keras.layers.add([self.shortcut(x), self.conv2(self.conv1(x))]))

    def get_config(self):
        config = super().get_config()
        config.update(filters=self.filters, kernel_size=self.kernel_size, dilation=self.dilation)
        return config
