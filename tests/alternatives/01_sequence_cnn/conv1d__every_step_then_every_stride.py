def _margins(L, W, stride, dilation, padding):
    reach = (W - 1) * dilation
    if padding == "same":
        total = max((-(-L // stride) - 1) * stride + reach + 1 - L, 0)
        return total >> 1, total - (total >> 1)
    return {"valid": (0, 0), "causal": (reach, 0)}[padding]


def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    x, kernel = ops.convert_to_tensor(x), ops.convert_to_tensor(kernel)
    wide = "float64" in (
        keras.backend.standardize_dtype(x.dtype),
        keras.backend.standardize_dtype(kernel.dtype),
    )
    dtype = "float64" if wide else "float32"
    x, kernel = ops.cast(x, dtype), ops.cast(kernel, dtype)
    try:
        left, right = _margins(x.shape[1], kernel.shape[0], stride, dilation, padding)
    except KeyError:
        raise ValueError(f"padding is {padding!r}") from None
    x = ops.pad(x, [[0, 0], [left, right], [0, 0]])
    length = x.shape[1] - (kernel.shape[0] - 1) * dilation
    taps = [x[:, w * dilation : w * dilation + length] for w in range(kernel.shape[0])]
    columns = ops.concatenate(taps, axis=-1)[:, ::stride]  # (B, L', W C)
    out = columns @ ops.reshape(kernel, (-1, kernel.shape[-1]))
    if bias is not None:
        out = ops.add(out, ops.cast(ops.convert_to_tensor(bias), dtype))
    return out
