"""Thresholds follow from what right and faulty models were measured to reach."""

import json
import statistics
from typing import Any

import pytest

from autograder.exercises import find
from benchmarks.calibrate import CAUGHT, CORPORA, HARMLESS, OUT, supported, suspected, table, thresholds
from benchmarks.training_time import page

PAIRS = [(corpus, symbol) for corpus, symbols in CORPORA.items() for symbol in symbols]


def measured(corpus: str, symbol: str) -> dict[str, Any]:
    return json.loads((OUT / f"calibration_{corpus}.json").read_text())[symbol]


def accuracies(model: dict[str, Any]) -> list[float]:
    return [accuracy for accuracy, _ in model["results"]]


@pytest.mark.parametrize(("corpus", "symbol"), PAIRS)
def test_a_right_model_misses_full_marks_once_in_a_thousand_times(corpus: str, symbol: str):
    right = [accuracies(model) for model in measured(corpus, symbol).values() if model["right"]]
    assert len(right) >= 4
    assert min(map(len, right)) >= 5
    _, full = thresholds(symbol)[corpus]
    assert full <= supported(right)
    assert full <= min(map(min, right))


@pytest.mark.parametrize(("corpus", "symbol"), PAIRS)
def test_a_fault_stays_below_full_marks_or_another_check_finds_it(corpus: str, symbol: str):
    _, full = thresholds(symbol)[corpus]
    checks = {check.name for check in find(symbol).checks}
    faults = {name: accuracies(model) for name, model in measured(corpus, symbol).items() if not model["right"]}
    assert len(faults) >= 4
    assert min(map(len, faults.values())) >= 5
    reach = {name for name, found in faults.items() if max(found) >= full and (corpus, name) not in HARMLESS}
    assert [name for name in reach if CAUGHT.get(name) not in checks] == []


@pytest.mark.parametrize(("corpus", "symbol"), PAIRS)
def test_a_right_model_knows_too_little_before_training_to_be_suspected(corpus: str, symbol: str):
    for name, model in measured(corpus, symbol).items():
        if model["right"]:
            found = model["untrained"]
            assert len(found) >= 20
            spread = max(statistics.stdev(found), 0.005)
            assert statistics.mean(found) + 5 * spread < suspected(symbol, corpus), name


@pytest.mark.parametrize(("corpus", "symbol"), PAIRS)
def test_whoever_guesses_gets_nothing(corpus: str, symbol: str):
    floor, full = thresholds(symbol)[corpus]
    assert (0.5 if corpus != "letters" else 0.0) < floor < full


def test_the_pages_show_what_was_measured_and_the_thresholds_of_today():
    assert (OUT / "calibration.md").read_text() == table()
    assert (OUT / "training_time.md").read_text() == page(json.loads((OUT / "training_time.json").read_text()))
