def build_sequence_cnn(vocabulary_size, sequence_length):
    tokens = keras.Input((sequence_length,), dtype="int64")
    x = keras.layers.Embedding(vocabulary_size, 32)(tokens)
    x = ResidualBlock(32, 3)(x)
    x = SqueezeExpand(8, 24)(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x = keras.layers.Dense(16, activation="relu")(x)
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid", dtype="float32")(x))
    model.compile(keras.optimizers.Adam(2e-3), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model
