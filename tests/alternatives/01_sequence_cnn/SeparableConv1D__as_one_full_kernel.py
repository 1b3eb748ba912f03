class SeparableConv1D(keras.layers.Layer):
    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}

    def build(self, input_shape):
        C = input_shape[-1]
        self.depthwise = self.add_weight(name="d", shape=(self.kernel_size, C))
        self.pointwise = self.add_weight(name="p", shape=(C, self.filters))
        self.bias = self.add_weight(name="b", shape=(self.filters,), initializer="zeros")

    def call(self, x):
        # a separable kernel is a product: the ordinary convolution of that product is the same map
        kernel = ops.expand_dims(self.depthwise, -1) * ops.expand_dims(self.pointwise, 0)
        return ops.conv(x, kernel, padding="same") + self.bias
