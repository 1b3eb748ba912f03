def evaluate_classifier(labels, probabilities, threshold=0.5):
    # tensors all the way; the rows that lie on the threshold are compared in the type they came in
    p = ops.reshape(ops.convert_to_tensor(probabilities), (-1,))
    y = ops.reshape(ops.cast(ops.convert_to_tensor(labels), "float64"), (-1,))
    if p.shape != y.shape or p.shape[0] == 0:
        raise ValueError("one probability for each label, and at least one")
    p = ops.cast(p, "float64")
    said = ops.cast(p >= threshold, "float64")
    hits, positive, found = (float(ops.sum(z)) for z in (y * said, y, said))
    above = ops.cast(p[:, None] > p[None, :], "float64") + 0.5 * ops.cast(p[:, None] == p[None, :], "float64")
    pairs = y[:, None] * (1 - y)[None, :]
    number = float(ops.sum(pairs))
    return {
        "accuracy": float(ops.mean(ops.cast(y == said, "float64"))),
        "precision": hits / found if found else 0.0,
        "recall": hits / positive if positive else 0.0,
        "f1": 2 * hits / (found + positive) if found + positive else 0.0,
        "roc_auc": float(ops.sum(pairs * above)) / number if number else float("nan"),
    }
