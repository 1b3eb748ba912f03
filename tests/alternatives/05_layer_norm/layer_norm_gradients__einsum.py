def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    z, gamma, upstream = (np.asarray(array) * np.float32(1) for array in (z, gamma, upstream))
    root = np.sqrt(z.var(-1) + epsilon)
    n = (z - z.mean(-1)[..., None]) / root[..., None]
    depth = z.shape[-1]
    g = np.einsum("...d,d->...d", upstream, gamma)
    along = np.einsum("...d,...d,...e->...e", g, n, n) / depth
    level = np.einsum("...d->...", g)[..., None] / depth
    flat = (-1, depth)
    dgamma = np.einsum("nd,nd->d", upstream.reshape(flat), n.reshape(flat))
    return (g - level - along) / root[..., None], dgamma, upstream.reshape(flat).sum(0)
