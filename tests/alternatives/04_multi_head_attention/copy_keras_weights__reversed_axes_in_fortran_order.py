# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    D = layer.embed_dim
    for path, own in (("query", layer.w_q), ("key", layer.w_k), ("value", layer.w_v), ("output", layer.w_o)):
        kernel = np.array(getattr(keras_layer, "_" + path + "_dense").kernel)
        own.assign(kernel.T.reshape((D, D), order="F").T)
