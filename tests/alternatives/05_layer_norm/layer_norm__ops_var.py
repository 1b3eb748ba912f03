def layer_norm(z, gamma, beta, epsilon=1e-6):
    z = ops.convert_to_tensor(z)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(z.dtype)):
        z = ops.cast(z, "float32")
    dtype = keras.backend.standardize_dtype(z.dtype)
    gamma, beta = ops.cast(gamma, dtype), ops.cast(beta, dtype)
    centred = ops.subtract(z, ops.mean(z, axis=-1, keepdims=True))
    inverse = ops.rsqrt(ops.add(ops.var(z, axis=-1, keepdims=True), epsilon))
    return ops.add(ops.multiply(ops.multiply(centred, inverse), gamma), beta)
