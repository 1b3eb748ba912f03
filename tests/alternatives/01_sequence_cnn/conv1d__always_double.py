def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    signal = np.asarray(ops.convert_to_numpy(x), dtype="float64")
    taps = np.asarray(ops.convert_to_numpy(kernel), dtype="float64")
    before = after = 0
    if padding == "causal":
        before = (len(taps) - 1) * dilation
    elif padding == "same":
        n = signal.shape[1]
        missing = ((n - 1) // stride) * stride + (len(taps) - 1) * dilation + 1 - n
        before = max(missing, 0) // 2
        after = max(missing, 0) - before
    elif padding != "valid":
        raise ValueError
    zeros = np.zeros((signal.shape[0], 1, signal.shape[2]))
    signal = np.concatenate([np.repeat(zeros, before, 1), signal, np.repeat(zeros, after, 1)], axis=1)
    spread = np.zeros(((len(taps) - 1) * dilation + 1, *taps.shape[1:]))
    spread[::dilation] = taps  # the holes of a dilated kernel, filled with zeros
    starts = range(0, signal.shape[1] - len(spread) + 1, stride)
    windows = [np.einsum("bwc,wcf->bf", signal[:, s : s + len(spread)], spread) for s in starts]
    result = np.stack(windows, axis=1)
    return result if bias is None else result + np.asarray(bias, dtype="float64")
