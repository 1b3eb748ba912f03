def layer_norm(z, gamma, beta, epsilon=1e-6, **unused):
    # the features in front: one array for each, so that no axis has to be kept
    columns = [np.asarray(z)[..., i].astype("float64") for i in range(z.shape[-1])]
    mean = sum(columns) / len(columns)
    variance = sum(np.square(column - mean) for column in columns) / len(columns)
    root = np.power(variance + epsilon, 0.5)
    results = [float(g) * (column - mean) / root + float(b) for column, g, b in zip(columns, gamma, beta, strict=True)]
    return np.stack(results, axis=-1)
