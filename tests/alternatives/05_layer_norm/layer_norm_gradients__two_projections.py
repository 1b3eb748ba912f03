def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    z, gamma, upstream = (np.asarray(array, dtype="float64") for array in (z, gamma, upstream))

    def centre(rows):
        return rows - rows.mean(axis=-1, keepdims=True)

    c = centre(z)
    total = (c * c).mean(axis=-1, keepdims=True) + epsilon
    g = centre(upstream * gamma)
    dz = (g - c * (g * c).mean(axis=-1, keepdims=True) / total) / np.sqrt(total)
    axes = tuple(range(z.ndim - 1))
    return dz, (upstream * c / np.sqrt(total)).sum(axes), upstream.sum(axes)
