class SeparableConv1D(keras.layers.Layer):
    def __init__(self, filters, kernel_size, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size}

    def build(self, input_shape):
        C = input_shape[-1]
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros")
        self.pointwise = self.add_weight(shape=(C, self.filters))
        self.depthwise = self.add_weight(shape=(self.kernel_size, C), initializer="he_normal")

    def call(self, x):
        W = self.kernel_size
        T = ops.shape(x)[1]
        left = (W - 1) // 2
        padded = ops.pad(x, [[0, 0], [left, W - 1 - left], [0, 0]])
        each = sum(padded[:, w : w + T] * self.depthwise[w] for w in range(W))
        return ops.einsum("btc,cf->btf", each, self.pointwise) + self.bias
