def layer_norm(z, gamma, beta, epsilon=1e-6):
    z, gamma, beta = np.asarray(z), np.asarray(gamma), np.asarray(beta)
    floats = z if z.dtype.kind == "f" else z.astype("float32")
    result = np.zeros(floats.shape, floats.dtype)
    for place in np.ndindex(floats.shape[:-1]):
        vector = [float(number) for number in floats[place]]
        mean = sum(vector) / len(vector)
        variance = sum((number - mean) ** 2 for number in vector) / len(vector)
        for i, number in enumerate(vector):
            result[place][i] = gamma[i] * (number - mean) / (variance + epsilon) ** 0.5 + beta[i]
    return result
