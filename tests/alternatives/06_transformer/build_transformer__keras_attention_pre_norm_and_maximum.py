def build_transformer(vocabulary_size, sequence_length):
    # no block of one's own: Keras' layers, the norms in front, the maximum over real tokens behind
    tokens = keras.Input(shape=(None,), dtype="int64")
    words = keras.layers.Embedding(vocabulary_size, 48, mask_zero=True)(tokens)
    x = AddPositions(sequence_length)(words)
    n = keras.layers.LayerNormalization(epsilon=1e-6)(x)
    real = ops.not_equal(tokens, 0)
    attended = keras.layers.MultiHeadAttention(4, 12)(n, n, attention_mask=real[:, None, :])
    x = x + keras.layers.Dropout(0.1)(attended)
    n = keras.layers.LayerNormalization(epsilon=1e-6)(x)
    x = x + keras.layers.Dense(48)(keras.layers.Dense(96, "gelu")(n))
    x = ops.max(ops.where(real[:, :, None], x, -1e9), axis=1)
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model
