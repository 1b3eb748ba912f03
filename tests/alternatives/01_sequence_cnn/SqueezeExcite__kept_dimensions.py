class SqueezeExcite(keras.layers.Layer):
    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}

    def build(self, input_shape):
        *_, C = input_shape
        R = 1 if self.ratio > C else C // self.ratio
        self.w2 = self.add_weight(shape=(R, C))
        self.b2 = self.add_weight(shape=(C,), initializer="ones")
        self.w1 = self.add_weight(shape=(C, R))
        self.b1 = self.add_weight(shape=(R,), initializer="ones")

    def call(self, x):
        z = ops.mean(x, axis=1, keepdims=True)
        h = ops.maximum(z @ self.w1 + self.b1, 0.0)
        return ops.multiply(x, 1.0 / (1.0 + ops.exp(-(h @ self.w2 + self.b2))))
