def build_sequence_cnn(vocabulary_size, sequence_length):
    model = keras.Sequential(
        [
            keras.Input((sequence_length,), dtype="int32"),
            keras.layers.Embedding(vocabulary_size, 48),
            SeparableConv1D(64, 3),
            keras.layers.ReLU(),
            SqueezeExcite(8),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy")
    return model
