def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    z, gamma, upstream = (np.array(array, "float64") for array in (z, gamma, upstream))
    depth = len(gamma)
    dz, dgamma, dbeta = np.zeros_like(z), np.zeros(depth), np.zeros(depth)
    for place in np.ndindex(z.shape[:-1]):
        c = z[place] - z[place].mean()
        s = np.sqrt((c**2).mean() + epsilon)
        jacobian = (np.eye(depth) - 1 / depth) / s - np.outer(c, c) / (depth * s**3)
        dz[place] = (upstream[place] * gamma) @ jacobian
        dgamma += upstream[place] * c / s
        dbeta += upstream[place]
    return dz, dgamma, dbeta
