def generate(model, prompt, steps):
    # model.predict, and the likeliest token at every position, of which one is used
    C = model.input_shape[1]
    text = np.asarray(ops.convert_to_numpy(prompt))
    while steps > 0:
        fed = np.zeros((len(text), C), dtype="int32")
        n = min(text.shape[1], C)
        fed[:, :n] = text[:, text.shape[1] - n :]
        best = model.predict(fed, verbose=0).argmax(-1)
        text = np.hstack([text, best[:, [n - 1]]])
        steps -= 1
    return text
