def build_transformer(vocabulary_size, sequence_length):
    # as BERT does: the start token collects what the others say, and is read at the end
    tokens = keras.Input((None,), dtype="int32", name="review")
    x = keras.layers.Embedding(vocabulary_size, 32, mask_zero=True)(tokens)
    x = AddPositions(sequence_length)(x)
    x = TransformerEncoderBlock(4, 64, dropout=0.0)(x)
    first = x[:, 0]
    hidden = keras.layers.Dense(32, activation="relu")(first)
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid", dtype="float32")(hidden))
    model.compile(keras.optimizers.Adam(3e-3), "binary_crossentropy")
    return model
