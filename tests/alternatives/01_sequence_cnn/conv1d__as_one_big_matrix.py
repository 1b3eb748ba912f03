def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    # the convolution is linear in x: write its matrix (L, L') for each tap and multiply
    x, kernel = np.array(ops.convert_to_numpy(x)), np.array(ops.convert_to_numpy(kernel))
    single = x.dtype != np.float64 and kernel.dtype != np.float64
    L, W, F = x.shape[1], kernel.shape[0], kernel.shape[2]
    left = 0
    if padding == "causal":
        left = (W - 1) * dilation
    elif padding == "same":
        steps = int(np.ceil(L / stride))
        left = max((steps - 1) * stride + (W - 1) * dilation + 1 - L, 0) // 2
    elif padding != "valid":
        raise ValueError("no such padding")
    if padding == "valid":
        steps = 1 + (L - 1 - (W - 1) * dilation) // stride
    else:
        steps = 1 + (L - 1) // stride
    t, s = np.arange(steps)[:, None], np.arange(L)[None, :]
    out = np.zeros((len(x), steps, F))
    for w in range(W):
        picks = (s == t * stride + w * dilation - left).astype(np.float64)  # (L', L)
        out += picks @ x @ kernel[w]
    if bias is not None:
        out += np.array(ops.convert_to_numpy(bias))
    return out.astype(np.float32) if single else out
