import tensorflow as tf


def conv1d(x, kernel, bias=None, *, stride=1, dilation=1, padding="valid"):
    x, kernel = tf.convert_to_tensor(x), tf.convert_to_tensor(kernel)
    dtype = tf.float64 if tf.float64 in (x.dtype, kernel.dtype) else tf.float32
    x, kernel = tf.cast(x, dtype), tf.cast(kernel, dtype)
    L, W = x.shape[1], kernel.shape[0]
    reach = dilation * (W - 1)
    match padding:
        case "valid":
            ends = [0, 0]
        case "causal":
            ends = [reach, 0]
        case "same":
            total = max(((L + stride - 1) // stride - 1) * stride + reach + 1 - L, 0)
            ends = [total // 2, (total + 1) // 2]
        case _:
            raise ValueError(f"unknown padding {padding}")
    x = tf.pad(x, [[0, 0], ends, [0, 0]])
    starts = tf.range(0, x.shape[1] - reach, stride)
    index = starts[:, None] + dilation * tf.range(W)[None]
    out = tf.einsum("btwc,wcf->btf", tf.gather(x, index, axis=1), kernel)
    return out + tf.cast(bias, dtype) if bias is not None else out
