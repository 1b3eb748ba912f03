def receptive_field(layers):
    # seen from the end: r inputs of a layer need this many inputs of the layer before
    r = 1
    for k, s, d in reversed(list(layers)):
        r = (r - 1) * s + (k - 1) * d + 1
    return r
