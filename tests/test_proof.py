"""The proof of the hidden checks: every misconception is caught and named, every alternative accepted, at any seed."""

import pytest

from autograder.exercises import NAMES, assignment
from autograder.pipeline.corpora import available, load
from autograder.pipeline.proof import Variant, prove, variants
from autograder.pipeline.source import read_source
from tests.conftest import COURSE

SEEDS = ("one", "two", "three", "four", "five")
LONG = ("06_transformer", "07_tiny_gpt")
"""Their models take half a minute each to train: every run trains the solution, the slow tests the others."""
ALTERNATIVES = COURSE / "tests" / "alternatives"


def _cases(*, trained: bool) -> list[object]:
    """Returns every variant of the symbols that are trained, or of the others, as pytest parameters."""
    return [
        pytest.param(
            name,
            variant,
            id=f"{exercise.symbol}-{variant.kind}-{variant.name}",
            marks=[pytest.mark.slow] * (trained and name in LONG and variant.kind != "solution"),
        )
        for name in NAMES
        for exercise in assignment(name).exercises
        if exercise.symbol.startswith("build_") == trained
        for variant in variants(read_source(COURSE, name), exercise, ALTERNATIVES)
    ]


def _problems(name: str, variant: Variant, *seeds: str) -> dict[str, str]:
    source, exercise = read_source(COURSE, name), assignment(name).exercise(variant.symbol)
    findings = {
        seed: prove(source, exercise, variant, seed=seed, data=load("generated"), corpora=available("generated"))
        for seed in seeds
    }
    return {seed: finding.problem for seed, finding in findings.items() if finding.problem}


@pytest.mark.parametrize(("name", "variant"), _cases(trained=False))
def test_the_verdict_is_right_at_five_course_seeds(name: str, variant: Variant):
    assert _problems(name, variant, *SEEDS) == {}


@pytest.mark.parametrize(("name", "variant"), _cases(trained=True))
def test_the_verdict_on_a_trained_model_is_right(name: str, variant: Variant):
    assert _problems(name, variant, SEEDS[0]) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), _cases(trained=True))
def test_the_verdict_on_a_trained_model_is_right_at_four_more_seeds(name: str, variant: Variant):
    assert _problems(name, variant, *SEEDS[1:]) == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_symbol_has_at_least_six_misconceptions_or_three_for_a_builder(name: str):
    for exercise in assignment(name).exercises:
        assert len(exercise.misconceptions) >= (3 if exercise.symbol.startswith("build_") else 6), exercise.symbol


@pytest.mark.parametrize("name", NAMES)
def test_every_symbol_has_odd_but_right_alternatives(name: str):
    for exercise in assignment(name).exercises:
        found = list((ALTERNATIVES / name).glob(f"{exercise.symbol}__*.py"))
        wanted = (
            2
            if exercise.symbol.startswith("build_")
            else 3
            if exercise.formula is None or exercise.symbol[0].isupper()
            else 6
        )
        assert len(found) >= wanted, exercise.symbol
