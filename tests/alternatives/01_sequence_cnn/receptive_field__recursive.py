def receptive_field(layers):
    if not layers:
        return 1
    (k, stride, dilation), *rest = layers
    return (k - 1) * dilation + stride * (receptive_field(rest) - 1) + 1
