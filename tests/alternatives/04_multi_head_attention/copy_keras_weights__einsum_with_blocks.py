# ruff: noqa: F821 (names from the cells before)


def copy_keras_weights(layer, keras_layer):
    D, H = layer.embed_dim, layer.num_heads
    place = np.eye(D, dtype="float32").reshape(H, D // H, D)  # [head, column of the head, column]
    query, key, value, output = (ops.convert_to_numpy(variable) for variable in keras_layer.weights)
    layer.w_q.assign(np.einsum("ihc,hcj->ij", query, place))
    layer.w_k.assign(np.tensordot(key, place, 2))
    layer.w_v.assign(np.einsum("ihc,hcj", value, place))
    layer.w_o.assign(np.einsum("hcj,hci->ij", output, place))
