# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    for own, theirs in (
        ("w_q", keras_layer.query_dense),
        ("w_k", keras_layer.key_dense),
        ("w_v", keras_layer.value_dense),
        ("w_o", keras_layer.output_dense),
    ):
        variable = getattr(layer, own)
        variable.assign(ops.reshape(theirs.kernel, variable.shape))
    return layer
