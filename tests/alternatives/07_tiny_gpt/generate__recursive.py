def generate(model, prompt, steps):
    if steps == 0:
        return prompt
    tokens = ops.cast(ops.convert_to_tensor(prompt), "int32")
    window = tokens[:, -model.input_shape[1] :]
    missing = model.input_shape[1] - window.shape[1]
    logits = model(ops.pad(window, [[0, 0], [0, missing]]))
    nearest = ops.argmax(logits[:, window.shape[1] - 1, :], axis=-1)
    longer = ops.concatenate([tokens, ops.cast(nearest, "int32")[:, None]], axis=1)
    return generate(model, longer, steps - 1)
