def evaluate_classifier(labels, probabilities, threshold=0.5):
    y, p = np.array(labels, "float64").reshape(-1), np.array(probabilities).reshape(-1)
    if len(y) == 0 or len(y) != len(p):
        raise ValueError(f"{len(y)} and {len(p)} rows")
    said = (p >= threshold).astype("float64")
    hits = y @ said
    precision = hits / said.sum() if said.sum() else 0.0
    recall = hits / y.sum() if y.sum() else 0.0
    f1 = 0.0 if precision + recall == 0 else 2 / (1 / precision + 1 / recall) if hits else 0.0
    area = np.nan
    if 0 < y.sum() < len(y):
        cuts = [np.inf, *sorted(set(p.tolist()), reverse=True)]
        found = np.array([y @ (p >= cut) / y.sum() for cut in cuts])
        alarms = np.array([(1 - y) @ (p >= cut) / (1 - y).sum() for cut in cuts])
        area = np.sum(np.diff(alarms) * (found[1:] + found[:-1]) / 2)
    return {
        "accuracy": np.mean(y == said),
        "precision": np.float64(precision),
        "recall": np.float64(recall),
        "f1": np.float64(f1),
        "roc_auc": np.float64(area),
    }
