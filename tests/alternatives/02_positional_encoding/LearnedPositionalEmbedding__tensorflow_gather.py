import tensorflow as tf


class LearnedPositionalEmbedding(keras.Layer):
    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.max_length = max_length
        self.supports_masking = True

    def get_config(self):
        return {**super().get_config(), "max_length": self.max_length}

    def build(self, input_shape):
        self.positions = self.add_weight(
            name="table", shape=(self.max_length, input_shape[-1]), initializer=keras.initializers.RandomNormal(0, 0.02)
        )

    def call(self, x, mask=None):
        if x.shape[1] and x.shape[1] > self.max_length:
            raise ValueError("too long")
        table = tf.cast(tf.convert_to_tensor(self.positions), x.dtype)
        return x + tf.gather(table, tf.range(tf.shape(x)[1]))
