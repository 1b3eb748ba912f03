def generate(model, prompt, steps):
    # all places are there from the beginning, and are filled in
    prompt = ops.convert_to_numpy(prompt)
    B, L = prompt.shape
    C = model.input_shape[1]
    text = np.zeros((B, max(L + steps, C)), prompt.dtype)
    text[:, :L] = prompt
    for end in range(L, L + steps):
        start = max(0, end - C)
        fed = text[:, start : start + C]
        logits = ops.convert_to_numpy(model(fed, training=False))
        text[:, end] = logits[:, end - start - 1].argmax(axis=1)
    return text[:, : L + steps]
