"""evaluate_classifier: five numbers that say what a classifier of two classes is worth.

Fawcett 2006, "An introduction to ROC analysis", Pattern Recognition Letters 27(8): section 2 (accuracy, precision,
recall and F from the confusion matrix), section 7 (the area under the ROC curve as the share of pairs put in order).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    FunctionCase,
    Generator,
    Misconception,
    Property,
    Trial,
    agrees,
    conventions,
    holds,
    named,
    rejects,
)

COUNTED = ("accuracy", "precision", "recall", "f1")
"""Metrics that depend on the threshold."""
METRICS = (*COUNTED, "roc_auc")


def evaluate_classifier(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    """Returns accuracy, precision, recall, f1 and roc_auc of probabilities (N,) or (N, 1) against labels 0 and 1."""
    true, scores = np.reshape(labels, -1) == 1, np.reshape(probabilities, -1)
    return {**_counted(true, scores >= threshold), "roc_auc": _area(true, scores)}


def _counted(true: Array, predicted: Array) -> dict[str, float]:
    hits = float(np.sum(true & predicted))
    precision, recall = _ratio(hits, np.sum(predicted)), _ratio(hits, np.sum(true))
    return {
        "accuracy": float(np.mean(true == predicted)),
        "precision": precision,
        "recall": recall,
        "f1": _ratio(2 * hits, np.sum(predicted) + np.sum(true)),
    }


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else 0.0


def _area(true: Array, scores: Array, tie: float = 0.5) -> float:
    """Returns the share of pairs, one of each class, in which the positive one has the higher score."""
    pairs = scores[true][:, None] - scores[~true]
    return float(np.mean((pairs > 0) + tie * (pairs == 0))) if pairs.size else float("nan")


@dataclass(frozen=True)
class Metrics(FunctionCase):
    """A call of which only some metrics are looked at, as numbers of whatever type."""

    metrics: tuple[str, ...] = field(default=METRICS)

    def found(self, probe: Any, symbol: str) -> Any:
        """See `Case`."""
        return self._picked(super().found(probe, symbol))

    def expected(self, formula: Callable[..., Any]) -> Any:
        """See `Case`."""
        return self._picked(super().expected(formula))

    def _picked(self, found: Any) -> Any:
        """Returns the metrics in float64; anything but a dictionary as it is."""
        if not isinstance(found, Mapping):
            return found
        return {name: _number(found[name]) for name in self.metrics if name in found}


def _number(value: Any) -> Any:
    """Returns a number, or an array with a single one, as an array without axes; anything else as it is."""
    if isinstance(value, (bool, int, float)) or (isinstance(value, np.ndarray) and value.shape == ()):
        return np.asarray(value, np.float64)
    return value


# What is put in: more positives than negatives, so that no two metrics agree by chance, eighths where ties are wanted


def _labels(rng: Generator, count: int) -> Array:
    labels = (np.arange(count) < round(0.62 * count)).astype(np.int32)
    return rng.permutation(labels)


def _scores(rng: Generator, labels: Array) -> Array:
    """Returns probabilities that lean towards the labels, pairwise distinct, half of them above 0.4 or so."""
    return (1 / (1 + np.exp(-rng.normal(1.1 * labels - 0.8, 1.0)))).astype(np.float32)


def _eighths(rng: Generator, labels: Array) -> Array:
    """Returns probabilities with ties, on 0, 1/8 ... 1, which float32 and float64 hold exactly."""
    return (np.round(8 * _scores(rng, labels)) / 8).astype(np.float32)


def _count(rng: Generator) -> int:
    return int(rng.integers(45, 70))


def _at_one_half(rng: Generator) -> Metrics:
    labels = _labels(rng, _count(rng))
    return Metrics((labels, _scores(rng, labels)), metrics=COUNTED)


def _on_the_threshold(rng: Generator) -> list[Metrics]:
    labels = _labels(rng, _count(rng))
    scores = _eighths(rng, labels)
    scores[:9] = np.repeat(np.array([0.25, 0.5, 0.75], np.float32), 3)
    return [
        Metrics((labels, scores), {"threshold": 0.25}, metrics=COUNTED),
        Metrics((labels, scores, 0.75), metrics=COUNTED),
        Metrics((labels, scores), metrics=COUNTED),
    ]


def _ranked(rng: Generator) -> list[Metrics]:
    labels, others = _labels(rng, _count(rng)), _labels(rng, _count(rng))
    wanted = ("roc_auc",)
    return [
        Metrics((labels, _scores(rng, labels)), metrics=wanted),
        Metrics((others, _eighths(rng, others)), {"threshold": 0.75}, metrics=wanted),
    ]


def _columns(rng: Generator) -> list[Metrics]:
    labels = _labels(rng, _count(rng))
    scores = _scores(rng, labels)
    return [
        Metrics((labels, scores[:, None])),
        Metrics((labels[:, None], scores)),
        Metrics((labels[:, None], scores[:, None])),
        Metrics((labels[:1, None], scores[:1, None]), metrics=COUNTED),
    ]


def _undefined(rng: Generator) -> list[Metrics]:
    labels = _labels(rng, 21)
    low = (0.4 * _scores(rng, labels)).astype(np.float32)
    high = 0.6 + low
    nobody, everybody = np.zeros_like(labels), np.ones_like(labels)
    return [
        Metrics((labels, low), metrics=COUNTED),  # nothing is said to be positive
        Metrics((nobody, high), metrics=COUNTED),  # nothing is positive
        Metrics((nobody, low), metrics=COUNTED),
        Metrics((everybody, low), metrics=COUNTED),
    ]


def _one_class(rng: Generator) -> list[Metrics]:
    scores = _scores(rng, _labels(rng, 23))
    return [Metrics((np.full(23, label, np.int32), scores), metrics=("roc_auc",)) for label in (0, 1)]


def _everything(rng: Generator) -> Metrics:
    labels = _labels(rng, _count(rng))
    return Metrics((labels, _scores(rng, labels)))


def _hardly_apart(rng: Generator) -> Metrics:
    # in float32 all of these are 0.5
    labels = _labels(rng, _count(rng))
    return Metrics((labels, 0.5 + 1e-10 * (np.round(40 * _scores(rng, labels).astype(np.float64)) - 16.5)))


def _sure(rng: Generator) -> Metrics:
    labels = _labels(rng, _count(rng))
    return Metrics((labels, np.round(_scores(rng, labels)).astype(np.int32)))


def _returns_floats(trial: Trial) -> None:
    case = _everything(trial.rng)
    found = trial.probe.call(trial.exercise.symbol, *case.args)
    if not isinstance(found, Mapping) or set(found) != set(METRICS):
        what = f"the keys {', '.join(map(str, found))}" if isinstance(found, Mapping) else f"a {type(found).__name__}"
        raise Broken(f"It returned {what}; expected a dict with {', '.join(METRICS)}.")
    for name, value in found.items():
        is_float = isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
        if not is_float or np.shape(value) != ():
            raise Broken(f"{name} is not a float.")


def _other_lengths(trial: Trial) -> None:
    labels = _labels(trial.rng, 24)
    scores = _scores(trial.rng, labels)
    trial.probe.call(trial.exercise.symbol, labels, scores[:17])


def _nothing(trial: Trial) -> None:
    trial.probe.call(trial.exercise.symbol, np.zeros(0, np.int32), np.zeros(0, np.float32))


def _answers(ask: Callable[[Trial], None]) -> Callable[[Trial], bool]:
    """Returns whether the symbol answers a question that it should refuse."""

    def when(trial: Trial) -> bool:
        try:
            ask(trial)
        except Exception:
            return False
        return True

    return when


# What people get wrong


def _with(**changed: Callable[[dict[str, float], Array, Array, Array], float]) -> Callable[..., dict[str, float]]:
    """Returns the formula with other metrics, each made of the right ones, true, predicted and the scores."""

    def wrong(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
        right = evaluate_classifier(labels, probabilities, threshold)
        true, scores = np.reshape(labels, -1) == 1, np.reshape(probabilities, -1)
        predicted = scores >= threshold
        return {**right, **{name: change(right, true, predicted, scores) for name, change in changed.items()}}

    return wrong


def _strictly_above(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    true, scores = np.reshape(labels, -1) == 1, np.reshape(probabilities, -1)
    return {**_counted(true, scores > threshold), "roc_auc": _area(true, scores)}


def _always_one_half(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    return evaluate_classifier(labels, probabilities)


def _other_class(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    true, scores = np.reshape(labels, -1) == 1, np.reshape(probabilities, -1)
    return {**_counted(~true, scores < threshold), "roc_auc": _area(true, scores)}


def _mean_of_both_classes(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    right = evaluate_classifier(labels, probabilities, threshold)
    other = _other_class(labels, probabilities, threshold)
    return {name: (right[name] + other[name]) / 2 for name in METRICS}


def _table_of_pairs(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    # what NumPy makes of a row compared with a column
    right = evaluate_classifier(labels, probabilities, threshold)
    true, predicted = np.asarray(labels) == 1, np.asarray(probabilities) >= threshold
    return {**right, "accuracy": float(np.mean(true == predicted))}


def _percent(labels: Array, probabilities: Array, threshold: float = 0.5) -> dict[str, float]:
    return {name: 100 * value for name, value in evaluate_classifier(labels, probabilities, threshold).items()}


def _true_of(right: dict[str, float], true: Array, predicted: Array, scores: Array) -> float:
    return (_ratio(np.sum(true & predicted), np.sum(true)) + _ratio(np.sum(~true & ~predicted), np.sum(~true))) / 2


def _undefined_is_nan(right: dict[str, float], name: str, true: Array, predicted: Array) -> float:
    empty = {"precision": not predicted.any(), "recall": not true.any(), "f1": not (predicted | true).any()}
    return float("nan") if empty[name] else right[name]


_PREDICTED = "predicted = probabilities >= threshold"
_PRECISION = '"precision": metrics.precision_score(labels, predicted, zero_division=0.0)'
_RECALL = '"recall": metrics.recall_score(labels, predicted, zero_division=0.0)'
_F1 = '"f1": metrics.f1_score(labels, predicted, zero_division=0.0)'
_ACCURACY = '"accuracy": metrics.accuracy_score(labels, predicted)'
_AREA = "metrics.roc_auc_score(labels, probabilities) if both else np.nan"
_LENGTHS = "if len(labels) != len(probabilities):"
_EMPTY = "if len(labels) == 0:"
_RESHAPED = "probabilities = np.reshape(ops.convert_to_numpy(probabilities), -1)"

_ZERO = "zero_division=0.0)"

EVALUATE_CLASSIFIER = Exercise(
    symbol="evaluate_classifier",
    formula=evaluate_classifier,
    checks=(
        agrees(
            "accuracy, precision, recall and f1 are right at one half",
            _at_one_half,
            points=1,
            hint="Some fifty rows, more positive than negative ones; no probability is exactly one half.",
        ),
        agrees(
            "counts as positive from the threshold on",
            _on_the_threshold,
            points=0.75,
            hint="Other thresholds, by name and as third argument, and probabilities that are exactly the threshold.",
        ),
        agrees(
            "roc_auc says how well the probabilities rank",
            _ranked,
            points=1,
            hint="All probabilities different; then with ties, and another threshold.",
        ),
        agrees(
            "takes columns (N, 1) as well as (N,)",
            _columns,
            points=0.5,
            hint="Probabilities as model.predict returns them, then labels so, then both; at last a single row.",
        ),
        agrees(
            "gives 0 where precision, recall or f1 is undefined",
            _undefined,
            points=0.5,
            hint="Nothing predicted positive; nothing positive; neither.",
        ),
        agrees(
            "roc_auc is NaN where there is one class only", _one_class, points=0.25, hint="All labels 0, then all 1."
        ),
        holds(
            "returns a dict of five floats",
            _returns_floats,
            cost=0.25,
            hint="Keys accuracy, precision, recall, f1, roc_auc.",
        ),
        named(
            rejects(
                "refuses labels and probabilities of different number",
                _other_lengths,
                cost=0.25,
                hint="24 labels, 17 probabilities.",
            ),
            "accepts-other-lengths",
            _answers(_other_lengths),
        ),
        named(
            rejects("refuses to judge nothing", _nothing, cost=0.25, hint="No labels, no probabilities."),
            "accepts-nothing",
            _answers(_nothing),
        ),
        conventions.keeps_float64(_hardly_apart, cost=0.25, otherwise=_everything),
        conventions.takes_whole_numbers(_sure, cost=0.25, hint="Probabilities that are 0 or 1, as integers."),
        conventions.takes_tensors(_everything, cost=0.25),
        conventions.leaves_arguments_alone(_everything, cost=0.25),
    ),
    misconceptions=(
        Misconception(
            "strictly-above-the-threshold",
            "A probability that is exactly the threshold counts as negative with you. See what belongs to it in "
            "section 4.1.",
            wrong=_strictly_above,
            edit=((_PREDICTED, "predicted = probabilities > threshold"),),
        ),
        Misconception(
            "threshold-not-used",
            "You cut at one half, whatever the threshold says. See section 4.1.",
            wrong=_always_one_half,
            edit=((_PREDICTED, "predicted = probabilities >= 0.5"),),
        ),
        Misconception(
            "precision-and-recall-exchanged",
            "What you call precision is recall, and the other way round: they differ in what they divide by, how many "
            "were predicted or how many there are. See the table in section 4.1.",
            wrong=_with(precision=lambda right, *_: right["recall"], recall=lambda right, *_: right["precision"]),
            edit=(
                (_PRECISION, '"precision": metrics.recall_score(labels, predicted, zero_division=0.0)'),
                (_RECALL, '"recall": metrics.precision_score(labels, predicted, zero_division=0.0)'),
            ),
        ),
        Misconception(
            "the-other-class",
            "Your precision, recall and f1 are those of the negative class. See which class counts in section 4.1.",
            wrong=_other_class,
            edit=(
                (_PRECISION, _PRECISION.replace(_ZERO, f"pos_label=0, {_ZERO}")),
                (_RECALL, _RECALL.replace(_ZERO, f"pos_label=0, {_ZERO}")),
                (_F1, _F1.replace(_ZERO, f"pos_label=0, {_ZERO}")),
            ),
        ),
        Misconception(
            "mean-of-both-classes",
            'Your precision, recall and f1 are means over both classes (average="macro"). Section 4.1 asks for those '
            "of the positive class.",
            wrong=_mean_of_both_classes,
            edit=(
                (_PRECISION, _PRECISION.replace(_ZERO, f'average="macro", {_ZERO}')),
                (_RECALL, _RECALL.replace(_ZERO, f'average="macro", {_ZERO}')),
                (_F1, _F1.replace(_ZERO, f'average="macro", {_ZERO}')),
            ),
        ),
        Misconception(
            "f1-as-plain-mean",
            "Your f1 is the plain mean of precision and recall, which forgives a classifier that has one of them only. "
            "See which mean f1 is in section 4.1.",
            wrong=_with(f1=lambda right, *_: (right["precision"] + right["recall"]) / 2),
            edit=(
                (
                    _F1,
                    '"f1": (metrics.precision_score(labels, predicted, zero_division=0.0)\n'
                    "                + metrics.recall_score(labels, predicted, zero_division=0.0)) / 2",
                ),
            ),
        ),
        Misconception(
            "balanced-accuracy",
            "Your accuracy is the mean of the shares right in each class; that is a good number, too, but another one. "
            "See section 4.1.",
            wrong=_with(accuracy=_true_of),
            edit=((_ACCURACY, '"accuracy": metrics.balanced_accuracy_score(labels, predicted)'),),
        ),
        Misconception(
            "area-of-the-predictions",
            "Your roc_auc changes with the threshold: you take it of the predictions, 0 and 1, and nearly all pairs "
            "are ties. See what is ranked in section 4.2.",
            wrong=_with(roc_auc=lambda right, true, predicted, scores: _area(true, predicted.astype(np.float64))),
            edit=((_AREA, "metrics.roc_auc_score(labels, predicted) if both else np.nan"),),
        ),
        Misconception(
            "ties-count-nothing",
            "You are right where all probabilities differ, and too low where a positive and a negative row have the "
            "same. See what a tie counts in section 4.2.",
            wrong=_with(roc_auc=lambda right, true, predicted, scores: _area(true, scores, tie=0.0)),
            edit=(
                (
                    _AREA,
                    "np.mean(probabilities[labels == 1][:, None] > probabilities[labels == 0]) if both else np.nan",
                ),
            ),
        ),
        Misconception(
            "ties-count-whole",
            "You are right where all probabilities differ, and too high where a positive and a negative row have the "
            "same. See what a tie counts in section 4.2.",
            wrong=_with(roc_auc=lambda right, true, predicted, scores: _area(true, scores, tie=1.0)),
            edit=(
                (
                    _AREA,
                    "np.mean(probabilities[labels == 1][:, None] >= probabilities[labels == 0]) if both else np.nan",
                ),
            ),
        ),
        Misconception(
            "row-against-column",
            "You compare a row (N,) with a column (N, 1): that gives a table of all pairs, (N, N), and its mean is no "
            "accuracy. See the shapes in section 4.3.",
            wrong=_table_of_pairs,
            edit=(
                (
                    _RESHAPED,
                    "raw = labels, probabilities = ops.convert_to_numpy(labels), "
                    "ops.convert_to_numpy(probabilities)\n    probabilities = np.reshape(probabilities, -1)",
                ),
                (_ACCURACY, '"accuracy": np.mean((raw[0] == 1) == (raw[1] >= threshold))'),
            ),
        ),
        Misconception(
            "percent",
            "Your numbers are a hundred times too large: per cent. See the range in section 4.1.",
            wrong=_percent,
            edit=(("name: float(value)", "name: 100 * float(value)"),),
        ),
        Misconception(
            "undefined-is-nan",
            "Where nothing is predicted positive, or nothing is positive, you give NaN. See section 4.3 for what is "
            "asked there.",
            wrong=_with(
                precision=lambda right, true, predicted, _: _undefined_is_nan(right, "precision", true, predicted),
                recall=lambda right, true, predicted, _: _undefined_is_nan(right, "recall", true, predicted),
                f1=lambda right, true, predicted, _: _undefined_is_nan(right, "f1", true, predicted),
            ),
            edit=(
                (_PRECISION, _PRECISION.replace("0.0", "np.nan")),
                (_RECALL, _RECALL.replace("0.0", "np.nan")),
                (_F1, _F1.replace("0.0", "np.nan")),
            ),
        ),
        Misconception(
            "one-class-is-one-half",
            "With labels of one class only you give an area of one half. There is no pair to rank then, and no number "
            "to give: see section 4.3.",
            wrong=_with(roc_auc=lambda right, true, *_: 0.5 if np.all(true) or not np.any(true) else right["roc_auc"]),
            edit=((_AREA, "metrics.roc_auc_score(labels, probabilities) if both else 0.5"),),
        ),
        Misconception(
            "one-class-is-zero",
            "With labels of one class only you give an area of 0, as if every pair were in the wrong order. There is "
            "no pair: see section 4.3.",
            wrong=_with(roc_auc=lambda right, true, *_: 0.0 if np.all(true) or not np.any(true) else right["roc_auc"]),
            edit=((_AREA, "metrics.roc_auc_score(labels, probabilities) if both else 0.0"),),
        ),
        Misconception(
            "accepts-other-lengths",
            "Labels and probabilities of different number get numbers all the same: some rows were left out, or used "
            "twice. See what is refused in section 4.3.",
            edit=(
                (
                    _LENGTHS,
                    "labels, probabilities = labels[: len(probabilities)], probabilities[: len(labels)]\n    if False:",
                ),
            ),
        ),
        Misconception(
            "accepts-nothing",
            "Without a single row you give numbers. See what is refused in section 4.3.",
            edit=(
                (
                    _EMPTY,
                    "names = ('accuracy', 'precision', 'recall', 'f1', 'roc_auc')\n"
                    "    if len(labels) == 0:\n        return dict.fromkeys(names, 0.0)\n    if False:",
                ),
            ),
        ),
        conventions.computes_in_float32("section 4.3", (_RESHAPED, f'{_RESHAPED}.astype("float32")')),
        conventions.numpy_only("section 4.3", (_RESHAPED, "probabilities = probabilities.ravel()")),
        conventions.changes_its_arguments(
            "section 4.3",
            (_RESHAPED, f"given = probabilities\n    {_RESHAPED}"),
            (
                "return {name:",
                "if isinstance(given, np.ndarray) and given.flags.writeable:\n"
                "        given[:] = given >= threshold\n"
                "    return {name:",
            ),
        ),
    ),
    properties=(
        Property(
            "accuracy, precision, recall and f1 lie between 0 and 1",
            lambda found, *_, **__: all(0 <= float(found[name]) <= 1 for name in COUNTED if name in found),
        ),
    ),
)
