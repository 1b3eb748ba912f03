def receptive_field(layers):
    # which input steps are read at all, collected from the last layer to the first
    steps = {0}
    for k, s, d in list(layers)[::-1]:
        steps = {t * s + w * d for t in steps for w in range(k)}
    return max(steps) - min(steps) + 1
