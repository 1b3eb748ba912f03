def evaluate_classifier(labels, probabilities, threshold=0.5):
    def flat(values):
        for value in np.asarray(values).tolist():
            yield value[0] if isinstance(value, list) else value

    pairs = list(zip(flat(labels), flat(probabilities), strict=True))  # a ValueError if one ends early
    if not pairs:
        raise ValueError("empty")
    counts = {(y, s): sum(1 for a, p in pairs if (a == y) and (p >= threshold) == s) for y in (0, 1) for s in (0, 1)}
    tp, fp, fn = counts[1, 1], counts[0, 1], counts[1, 0]
    ratio = lambda a, b: a / b if b else 0.0
    precision, recall = ratio(tp, tp + fp), ratio(tp, tp + fn)
    ups, downs = [p for y, p in pairs if y == 1], [p for y, p in pairs if y == 0]
    wins = sum((u > d) + 0.5 * (u == d) for u in ups for d in downs)
    return {
        "roc_auc": wins / (len(ups) * len(downs)) if ups and downs else float("nan"),
        "f1": ratio(2 * precision * recall, precision + recall),
        "recall": recall,
        "precision": precision,
        "accuracy": (tp + counts[0, 0]) / len(pairs),
    }
