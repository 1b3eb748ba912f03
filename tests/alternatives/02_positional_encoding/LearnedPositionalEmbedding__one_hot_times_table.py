class LearnedPositionalEmbedding(keras.layers.Layer):
    def __init__(self, max_length, **kwargs):
        super().__init__(**kwargs)
        self.longest = max_length

    def get_config(self):
        return dict(super().get_config(), max_length=self.longest)

    def build(self, shape):
        self.positions = self.add_weight(shape=(self.longest, shape[2]), initializer="zeros")
        super().build(shape)

    def compute_mask(self, x, previous_mask):
        return previous_mask

    def call(self, x, training=None):
        if x.shape[1] is not None and x.shape[1] > self.longest:
            raise ValueError("too long")
        steps = ops.one_hot(ops.arange(ops.shape(x)[1]), self.longest, dtype=self.compute_dtype)  # (T, max_length)
        return ops.einsum("tm,md->td", steps, self.positions)[None] + x
