def masked_cross_entropy(targets, logits):
    counted = ops.cast(ops.not_equal(targets, -1), logits.dtype)
    wanted = ops.one_hot(ops.maximum(targets, 0), ops.shape(logits)[-1])
    losses = -ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1) * counted
    return ops.sum(losses) / ops.maximum(ops.sum(counted), 1.0)


class Places(keras.layers.Layer):
    def build(self, shape):
        self.inner = keras.layers.Embedding(shape[1], shape[2])
        self.inner.build((None, shape[1]))

    def call(self, x):
        return x + self.inner(ops.arange(x.shape[1]))


def build_gpt(vocabulary_size, context_length):
    # the notebook's own layer, norms after the sums, relu, a larger width, Nadam
    tokens = keras.Input((context_length,), dtype="int32")
    x = Places()(keras.layers.Embedding(vocabulary_size, 48)(tokens))
    for _ in range(2):
        x = keras.layers.LayerNormalization()(x + CausalSelfAttention(4, 48)(x))
        inner = keras.layers.Dense(128, "relu")(x)
        x = keras.layers.LayerNormalization()(x + keras.layers.Dense(48)(inner))
    model = keras.Model(tokens, keras.layers.Dense(vocabulary_size)(x))
    model.compile(keras.optimizers.Nadam(1e-3), masked_cross_entropy)
    return model
