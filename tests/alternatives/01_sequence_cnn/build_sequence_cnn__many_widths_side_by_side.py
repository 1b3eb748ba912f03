def build_sequence_cnn(vocabulary_size, sequence_length):
    # Kim 2014, arXiv:1408.5882: filters of several widths, each maximised over time
    tokens = keras.Input(shape=(None,))
    words = keras.layers.Embedding(vocabulary_size, 32)(tokens)
    found = [
        keras.layers.GlobalMaxPooling1D()(keras.layers.Conv1D(24, width, activation="relu", padding="same")(words))
        for width in (2, 3, 4)
    ]
    x = keras.layers.Dropout(0.3)(keras.layers.concatenate(found))
    model = keras.Model(tokens, keras.layers.Dense(1, "sigmoid")(x))
    model.compile("rmsprop", keras.losses.BinaryCrossentropy(), metrics=["accuracy"])
    return model
