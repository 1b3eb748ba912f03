def layer_norm(z, gamma, beta, epsilon=1e-6):
    z, gamma, beta = (np.asarray(array) * np.float32(1) for array in (z, gamma, beta))
    root = np.sqrt(np.std(z, axis=-1, keepdims=True) ** 2 + epsilon)
    return beta + (z - np.mean(z, -1)[..., None]) * (gamma / root)
