def _flat(z):
    return np.reshape(z, (-1, z.shape[-1]))


def layer_norm(z, gamma, beta, epsilon=1e-6):
    z = np.asarray(z)
    if not np.issubdtype(z.dtype, np.floating):
        z = z.astype(np.float32)
    flat = _flat(z)
    centred = flat - np.einsum("nd->n", flat)[:, None] / flat.shape[1]
    variance = np.einsum("nd,nd->n", centred, centred) / flat.shape[1]
    scaled = np.einsum("nd,n,d->nd", centred, (variance + epsilon) ** -0.5, np.asarray(gamma))
    return (scaled + np.asarray(beta)).reshape(z.shape)
