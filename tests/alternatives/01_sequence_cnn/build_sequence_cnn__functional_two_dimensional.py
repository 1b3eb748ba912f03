def build_sequence_cnn(vocabulary_size, sequence_length):
    # the sentence as a picture of height L and width 24: the filter spans the whole width
    tokens = keras.Input((sequence_length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 24)(tokens)
    x = keras.layers.Reshape((sequence_length, 24, 1))(x)
    x = keras.layers.Conv2D(48, (2, 24), activation="relu")(x)
    x = keras.layers.GlobalMaxPooling2D()(x)
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    return model
