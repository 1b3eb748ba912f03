def generate(model, prompt, steps):
    texts = [[int(token) for token in row] for row in ops.convert_to_numpy(prompt)]
    C = model.input_shape[1]
    for text in texts:
        for _ in range(steps):
            seen = text[-C:]
            logits = ops.convert_to_numpy(model(np.array([seen + [0] * (C - len(seen))])))[0]
            scores = logits[len(seen) - 1].tolist()
            text.append(scores.index(max(scores)))
    return np.array(texts)
