# ruff: noqa: F821 (names from the cells before)


def padding_mask(tokens, pad_id=0):
    either = ops.logical_or(ops.less(tokens, pad_id), ops.greater(tokens, pad_id))
    return ops.expand_dims(either, axis=-2)
