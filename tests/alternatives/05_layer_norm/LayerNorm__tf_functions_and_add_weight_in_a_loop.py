import tensorflow as tf


class LayerNorm(keras.layers.Layer):
    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}

    def build(self, input_shape):
        for name, start in {"gamma": "ones", "beta": "zeros"}.items():
            setattr(self, name, self.add_weight(shape=(input_shape[-1],), initializer=start, name=name))

    def call(self, z):
        centred = z - tf.reduce_mean(z, axis=-1, keepdims=True)
        variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
        return tf.multiply(centred / tf.sqrt(variance + self.epsilon), self.gamma) + self.beta

    def compute_output_spec(self, z):
        return keras.KerasTensor(z.shape, dtype=self.compute_dtype)
