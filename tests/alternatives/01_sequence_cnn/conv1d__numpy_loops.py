def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    x, kernel = np.asarray(x), np.asarray(kernel)
    double = np.float64 in (x.dtype, kernel.dtype)
    B, L, _ = x.shape
    W, _, F = kernel.shape
    reach = (W - 1) * dilation
    if padding == "valid":
        length, left = (L - reach - 1) // stride + 1, 0
    elif padding == "causal":
        length, left = -(-L // stride), reach
    elif padding == "same":
        length = -(-L // stride)
        left = max((length - 1) * stride + reach + 1 - L, 0) // 2
    else:
        raise ValueError(padding)
    out = np.zeros((B, length, F), np.float64 if double else np.float32)
    for b in range(B):
        for t in range(length):
            for w in range(W):
                step = t * stride + w * dilation - left
                if 0 <= step < L:
                    out[b, t] += x[b, step] @ kernel[w]
    if bias is not None:
        out += np.asarray(bias)
    return out
