class LayerNorm(keras.layers.Layer):
    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}

    def build(self, input_shape):
        self.gamma = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        self.beta = self.add_weight(shape=(input_shape[-1],), initializer="zeros")

    def call(self, z):
        wide = "float64" if self.compute_dtype == "float64" else "float32"
        x = ops.cast(z, wide)
        depth = ops.shape(x)[-1]
        x = x - ops.sum(x, axis=-1, keepdims=True) / depth
        square = ops.einsum("...d,...d->...", x, x) / depth
        x = x / ops.expand_dims(ops.power(square + self.epsilon, 0.5), -1)
        return ops.cast(x, self.compute_dtype) * self.gamma + self.beta
