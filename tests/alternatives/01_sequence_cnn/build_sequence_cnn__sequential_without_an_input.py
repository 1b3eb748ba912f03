def build_sequence_cnn(vocabulary_size, sequence_length):
    model = keras.Sequential(
        [
            keras.layers.Embedding(vocabulary_size, 24),
            keras.layers.Conv1D(48, 4, activation="gelu"),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.RMSprop(2e-3), loss="binary_crossentropy")
    return model
