from sklearn.metrics import auc, confusion_matrix, roc_curve


def evaluate_classifier(labels, probabilities, threshold=0.5):
    y = np.squeeze(ops.convert_to_numpy(labels).reshape(-1, 1), axis=1)
    p = np.squeeze(ops.convert_to_numpy(probabilities).reshape(-1, 1), axis=1)
    if y.shape != p.shape:
        raise ValueError(f"{y.shape} and {p.shape}")
    if not y.size:
        raise ValueError("no rows")
    (tn, fp), (fn, tp) = confusion_matrix(y, (p >= threshold).astype(int), labels=[0, 1]).astype("float64")
    with np.errstate(all="ignore"):
        precision, recall = np.nan_to_num(tp / (tp + fp)), np.nan_to_num(tp / (tp + fn))
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))
    area = float("nan")
    if 0 < y.sum() < y.size:
        false_alarms, found, _ = roc_curve(y, p)
        area = auc(false_alarms, found)
    return {
        "accuracy": float((tp + tn) / (tp + tn + fp + fn)),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(area),
    }
