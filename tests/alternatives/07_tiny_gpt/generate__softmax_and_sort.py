def generate(model, prompt, steps):
    # the softmax changes nothing about which is the largest
    text = np.array(ops.convert_to_numpy(prompt)).astype("int64")
    for _ in range(steps):
        length = min(text.shape[1], model.input_shape[1])
        fed = np.zeros((text.shape[0], model.input_shape[1]), "int64")
        np.copyto(fed[:, :length], text[:, -length:])
        probabilities = ops.convert_to_numpy(ops.softmax(model(fed), axis=-1))
        ranking = np.argsort(-probabilities[:, length - 1], axis=-1)
        text = np.append(text, ranking[:, :1], axis=1)
    return text
