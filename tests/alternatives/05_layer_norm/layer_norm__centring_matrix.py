def layer_norm(z, gamma, beta, epsilon=1e-6):
    z = np.array(z, dtype=np.float64)  # float32 in, wider out
    depth = z.shape[-1]
    centred = z @ (np.eye(depth) - 1 / depth)
    length = np.linalg.norm(centred, axis=-1, keepdims=True)
    return np.asarray(gamma) * centred / np.hypot(length / np.sqrt(depth), np.sqrt(epsilon)) + beta
