class TinyGPT(keras.Model):
    def __init__(self, V, T, D=32):
        super().__init__()
        self.token, self.place = keras.layers.Embedding(V, D), keras.layers.Embedding(T, D)
        self.norms = [keras.layers.LayerNormalization() for _ in range(5)]
        self.looks = [keras.layers.MultiHeadAttention(4, 16) for _ in range(2)]
        self.wide = [keras.layers.Dense(128, "gelu") for _ in range(2)]
        self.back = [keras.layers.Dense(D) for _ in range(2)]
        self.drop = keras.layers.Dropout(0.02)
        self.head = keras.layers.Dense(V)

    def call(self, tokens, training=False):
        x = self.token(tokens) + self.place(ops.arange(tokens.shape[1]))
        for i in range(2):
            y = self.norms[2 * i](x)
            x = x + self.drop(self.looks[i](y, y, use_causal_mask=True), training=training)
            x = x + self.drop(self.back[i](self.wide[i](self.norms[2 * i + 1](x))), training=training)
        return self.head(self.norms[4](x))


def build_gpt(vocabulary_size, context_length):
    model = TinyGPT(vocabulary_size, context_length)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    model.compile(optimizer="adam", loss=loss)
    return model
