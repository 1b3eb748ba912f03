class LayerNorm(keras.Layer):
    def __init__(self, epsilon=1e-6, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        self.supports_masking = True
        self._epsilon = float(epsilon)

    def build(self, input_shape):
        width = (int(input_shape[-1]),)
        self.beta = self.add_weight(shape=width, initializer=keras.initializers.Zeros(), name="b")
        self.gamma = self.add_weight(
            shape=width, initializer=keras.initializers.Constant(1.0), name="a", dtype=self.variable_dtype
        )

    def call(self, inputs, training=None, mask=None):
        mean, variance = ops.moments(inputs, axes=[-1], keepdims=True)
        scale = ops.rsqrt(variance + self._epsilon) * self.gamma
        return (inputs - mean) * scale + self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return dict(super().get_config(), epsilon=self._epsilon)
