def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    if padding not in ("valid", "same", "causal"):
        raise ValueError("padding must be valid, same or causal")
    x, kernel = ops.convert_to_numpy(x), ops.convert_to_numpy(kernel)
    if x.dtype.kind != "f":
        x = x.astype("float32")
    span = (len(kernel) - 1) * dilation + 1
    total = {"valid": 0, "causal": span - 1}.get(padding)
    if total is None:
        total = max(span - (x.shape[1] % stride or stride), 0)
    left = total if padding == "causal" else total // 2
    x = np.pad(x, [(0, 0), (left, total - left), (0, 0)])
    view = np.lib.stride_tricks.sliding_window_view(x, span, axis=1)  # (B, steps, C, span)
    view = view[:, ::stride, :, ::dilation]  # (B, L', C, W)
    out = np.tensordot(view, kernel, axes=([3, 2], [0, 1]))
    return out if bias is None else out + ops.convert_to_numpy(bias)
