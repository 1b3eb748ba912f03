def evaluate_classifier(labels, probabilities, threshold=0.5):
    truth, scores = (ops.convert_to_numpy(a).flatten() for a in (labels, probabilities))
    if len(truth) != len(scores) or len(truth) < 1:
        raise ValueError("lengths")
    predicted = (scores >= threshold).astype("int64")
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        truth.astype("int64"), predicted, average="binary", pos_label=1, zero_division=0
    )
    try:
        area = np.nan if len(set(truth.tolist())) < 2 else metrics.roc_auc_score(truth, scores)
    except ValueError:
        area = np.nan
    return {
        "accuracy": 1.0 - metrics.zero_one_loss(truth.astype("int64"), predicted),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "roc_auc": float(area),
    }
