def receptive_field(layers):
    first, last = 0, 0
    for layer in layers[::-1]:
        kernel_size, stride, dilation = layer[0], layer[1], layer[2]
        first, last = first * stride, last * stride + dilation * (kernel_size - 1)
    return np.int64(last - first + 1)
