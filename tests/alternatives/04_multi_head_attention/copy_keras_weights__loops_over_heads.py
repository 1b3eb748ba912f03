# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    d = layer.embed_dim // layer.num_heads
    kernels = [np.asarray(weight) for weight in keras_layer.get_weights()]
    for own, kernel in zip((layer.w_q, layer.w_k, layer.w_v), kernels):
        new = np.zeros(own.shape, "float32")
        for h in range(layer.num_heads):
            new[:, h * d : (h + 1) * d] = kernel[:, h]
        own.assign(new)
    layer.w_o.assign(np.concatenate(list(kernels[3]), axis=0))
