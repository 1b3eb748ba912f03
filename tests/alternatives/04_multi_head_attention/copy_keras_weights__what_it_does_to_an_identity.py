# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    # a product with the identity is the matrix itself; the sublayers say where the heads are
    D, H = layer.embed_dim, layer.num_heads
    unit = np.eye(D, dtype="float32")[None]  # (1, D, D)
    for name, own in (("query", layer.w_q), ("key", layer.w_k), ("value", layer.w_v)):
        heads = getattr(keras_layer, f"{name}_dense")(unit)  # (1, D, H, d)
        own.assign(merge_heads(ops.transpose(heads, (0, 2, 1, 3)))[0])
    layer.w_o.assign(keras_layer.output_dense(np.reshape(unit, (1, D, H, D // H)))[0])
