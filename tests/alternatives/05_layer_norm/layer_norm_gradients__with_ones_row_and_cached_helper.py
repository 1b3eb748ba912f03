from functools import lru_cache


@lru_cache
def _ones(tokens):
    return np.ones((1, tokens))


def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):
    shape, depth = z.shape, z.shape[-1]
    z, upstream = (np.asarray(array).astype("float64").reshape(-1, depth) for array in (z, upstream))
    gamma = np.asarray(gamma).astype("float64")
    # the normalised vectors are layer_norm with a gain of 1 and no bias
    hat = np.asarray(layer_norm(z, np.ones(depth), np.zeros(depth), epsilon))
    root = np.sqrt(z.var(1, keepdims=True) + epsilon)
    arriving = upstream * gamma
    rows = arriving - arriving.mean(1, keepdims=True)
    rows -= hat * (arriving * hat).mean(1, keepdims=True)
    sums = _ones(len(z))
    return (rows / root).reshape(shape), (sums @ (upstream * hat))[0], (sums @ upstream)[0]
