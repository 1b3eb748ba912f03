def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    z, gamma, upstream = (ops.multiply(array, 1.0) for array in (z, gamma, upstream))
    depth = z.shape[-1]
    centred = z - ops.mean(z, -1, keepdims=True)
    total = ops.var(z, -1, keepdims=True) + epsilon
    arriving = upstream * gamma
    # Ioffe & Szegedy's order: variance first, then the mean, then everything together
    dvariance = ops.sum(arriving * centred, -1, keepdims=True) * -0.5 * total**-1.5
    dmean = -ops.sum(arriving, -1, keepdims=True) / ops.sqrt(total)
    dz = arriving / ops.sqrt(total) + dvariance * 2 * centred / depth + dmean / depth
    tokens = (-1, depth)
    dgamma = ops.sum(ops.reshape(upstream * centred / ops.sqrt(total), tokens), 0)
    return [dz, dgamma, ops.sum(ops.reshape(upstream, tokens), 0)]
