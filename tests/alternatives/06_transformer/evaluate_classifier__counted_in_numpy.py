def evaluate_classifier(labels, probabilities, threshold=0.5):
    y = np.asarray(labels).ravel().astype(bool)
    p = np.asarray(probabilities).ravel()
    if y.size != p.size or y.size == 0:
        raise ValueError("one probability for each label, and at least one")
    said = p >= threshold
    tp, fp, fn = (y & said).sum(), (~y & said).sum(), (y & ~said).sum()
    order = np.argsort(p, kind="stable")
    ranks = np.empty(len(p))
    ranks[order] = np.arange(1, len(p) + 1)
    for value in np.unique(p):  # equal probabilities share the mean of their ranks
        ranks[p == value] = ranks[p == value].mean()
    positive, negative = y.sum(), (~y).sum()
    area = (ranks[y].sum() - positive * (positive + 1) / 2) / (positive * negative) if positive * negative else np.nan
    return dict(
        accuracy=(y == said).mean(),
        precision=tp / max(tp + fp, 1),
        recall=tp / max(tp + fn, 1),
        f1=2 * tp / max(2 * tp + fp + fn, 1),
        roc_auc=np.float64(area),
    )
