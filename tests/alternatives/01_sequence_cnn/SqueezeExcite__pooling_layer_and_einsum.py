class SqueezeExcite(keras.layers.Layer):
    def __init__(self, ratio=4, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def get_config(self):
        return {**super().get_config(), "ratio": self.ratio}

    def build(self, input_shape):
        C = input_shape[2]
        R = max(C // self.ratio, 1)
        make = self.add_weight
        self.w1, self.b1 = make(shape=(C, R), name="w1"), make(shape=(R,), name="b1")
        self.w2, self.b2 = make(shape=(R, C), name="w2"), make(shape=(C,), name="b2")
        self.pool = keras.layers.GlobalAveragePooling1D()

    def call(self, x):
        h = keras.activations.relu(ops.einsum("bc,cr->br", self.pool(x), self.w1) + self.b1)
        s = keras.activations.sigmoid(ops.einsum("br,rc->bc", h, self.w2) + self.b2)
        return ops.einsum("btc,bc->btc", x, s)
