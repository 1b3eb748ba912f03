# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    D = layer.embed_dim
    wanted = dict(zip(("w_q", "w_k", "w_v", "w_o"), keras_layer.get_weights()))
    new = []
    for variable in layer.weights:
        name = next(name for name in wanted if getattr(layer, name) is variable)
        new.append(wanted[name].reshape(D, D))
    layer.set_weights(new)
    return new
