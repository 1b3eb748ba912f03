class SqueezeExcite(keras.layers.Layer):
    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}

    def build(self, input_shape):
        C = input_shape[-1]
        R = int(max(1, np.floor(C / self.ratio)))
        self.w1 = self.add_weight(name="w1", shape=(C, R))
        self.b1 = self.add_weight(name="b1", shape=(R,))
        self.w2 = self.add_weight(name="w2", shape=(R, C))
        self.b2 = self.add_weight(name="b2", shape=(C,))

    def call(self, x):
        z = ops.sum(x, axis=1) / ops.cast(ops.shape(x)[1], x.dtype)
        a = ops.matmul(ops.relu(ops.matmul(z, self.w1) + self.b1), self.w2) + self.b2
        s = 0.5 + 0.5 * ops.tanh(a / 2)  # the sigmoid, written with tanh
        return x * ops.expand_dims(s, 1)
