def build_gpt(vocabulary_size, context_length):
    # positions that are not learned, one block of eight heads, weight decay, a rate of its own
    D = 64
    angles = np.arange(context_length)[:, None] / 100.0 ** (2 * (np.arange(D) // 2) / D)
    table = np.where(np.arange(D) % 2, np.cos(angles), np.sin(angles)).astype("float32")
    tokens = keras.Input((context_length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, D, embeddings_initializer=keras.initializers.RandomNormal())(tokens)
    x = x + table
    normed = keras.layers.LayerNormalization()(x)
    x = x + keras.layers.MultiHeadAttention(8, 16)(normed, normed, use_causal_mask=True)
    normed = keras.layers.LayerNormalization()(x)
    x = x + keras.layers.Dense(D)(keras.layers.Dense(4 * D, activation="silu")(normed))
    x = keras.layers.RMSNormalization()(x)
    model = keras.Model(tokens, keras.layers.Dense(vocabulary_size, use_bias=False)(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(keras.optimizers.AdamW(2e-3, weight_decay=0.01), loss)
    return model
