"""The proof of the hidden checks: every misconception is caught and named, every alternative accepted, at any seed.

`make test-jax` runs it with Keras on JAX, at one seed: XLA compiles anew for every shape.
"""

import os
from dataclasses import replace

import pytest

from autograder.exercises import NAMES, assignment
from autograder.pipeline.corpora import available, load
from autograder.pipeline.mutants import equivalents
from autograder.pipeline.proof import Variant, faults, prove, prove_fault, variants
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from tests.conftest import COURSE

ALTERNATIVES = COURSE / "tests" / "alternatives"
BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")
SEEDS = ("one", "two", "three", "four", "five") if BACKEND == "tensorflow" else ("one",)
WIDE = ("computes in float64 what comes in float64", "follows its dtype policy")
WIDE_MISTAKES = ("computes-in-float32", "ignores-its-dtype-policy")
"""Asked of TensorFlow only: elsewhere some of Keras' own operations, `mean` for one, round float64 to float32."""
WITH_A_LARGEST_LENGTH = ("PositionalEncoding", "LearnedPositionalEmbedding")
IN_A_MODEL = ("serves any batch size and length in a functional model", "its weights learn as the derivative says")
IN_A_MODEL_MISTAKES = ("needs-known-sizes", "length-left-to-the-backend", "length-looked-at-once")
"""Of these layers asked of TensorFlow only: on JAX a length that a model does not know cannot be compared with one."""

NO_MISTAKES_ON_JAX = {
    # NumPy takes JAX' arrays, and nothing has to be differentiated there
    "numpy-only": (
        "split_heads",
        "merge_heads",
        "layer_norm",
        "layer_norm_gradients",
        "evaluate_classifier",
        "generate",
    ),
    # a size that a model does not know is a symbol that one can compute with
    "needs-known-sizes": ("SelfAttention", "MultiHeadAttention", "TransformerEncoderBlock"),
    # JAX divides whole numbers into fractions
    "keeps-integers": ("layer_norm",),
    # float64 alone shows it
    "epsilon-in-the-denominator": ("softmax",),
}


def _marks(variant: Variant, *, trained: bool) -> list[pytest.MarkDecorator]:
    # a model takes half a minute to train: every run trains the solutions, the slow tests the others
    slow = [pytest.mark.slow] * (trained and variant.kind != "solution")
    tied = BACKEND != "tensorflow" and ("tensorflow" in variant.source or variant.name in _unasked(variant.symbol))
    return slow + [pytest.mark.skip(reason=f"about TensorFlow alone, and the backend is {BACKEND}")] * tied


def _unasked(symbol: str) -> tuple[str, ...]:
    """Names of the checks of an exercise, and of its mistakes, that are about TensorFlow alone."""
    bounded = (*IN_A_MODEL, *IN_A_MODEL_MISTAKES) if symbol in WITH_A_LARGEST_LENGTH else ()
    no_mistakes = [name for name, symbols in NO_MISTAKES_ON_JAX.items() if symbol in symbols]
    return (*WIDE, *WIDE_MISTAKES, *bounded, *no_mistakes)


def _cases(*, trained: bool) -> list[object]:
    """Returns every variant of the symbols that are trained, or of the others, as pytest parameters."""
    return [
        pytest.param(
            name,
            variant,
            id=f"{exercise.symbol}-{variant.kind}-{variant.name}",
            marks=_marks(variant, trained=trained),
        )
        for name in NAMES
        for exercise in assignment(name).exercises
        if exercise.symbol.startswith("build_") == trained
        for variant in variants(read_source(COURSE, name), exercise, ALTERNATIVES)
    ]


def _problems(name: str, variant: Variant, *seeds: str) -> dict[str, str]:
    source, exercise = read_source(COURSE, name), assignment(name).exercise(variant.symbol)
    if BACKEND != "tensorflow":
        left = tuple(check for check in exercise.checks if check.name not in _unasked(variant.symbol))
        exercise = replace(exercise, checks=left)
    findings = {
        seed: prove(source, exercise, variant, seed=seed, data=load(Settings()), corpora=available("generated"))
        for seed in seeds
    }
    return {seed: finding.problem for seed, finding in findings.items() if finding.problem}


@pytest.mark.parametrize(("name", "variant"), _cases(trained=False))
def test_the_verdict_is_right(name: str, variant: Variant):
    assert _problems(name, variant, SEEDS[0]) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "variant"), _cases(trained=False))
def test_the_verdict_is_right_at_four_more_seeds(name: str, variant: Variant):
    assert _problems(name, variant, *SEEDS[1:]) == {}


@pytest.mark.parametrize(("name", "variant"), _cases(trained=True))
def test_the_verdict_on_a_trained_model_is_right(name: str, variant: Variant):
    assert _problems(name, variant, SEEDS[0]) == {}


@pytest.mark.slow
@pytest.mark.timeout(1800)  # four trainings, perhaps beside others
@pytest.mark.parametrize(("name", "variant"), _cases(trained=True))
def test_the_verdict_on_a_trained_model_is_right_at_four_more_seeds(name: str, variant: Variant):
    assert _problems(name, variant, *SEEDS[1:]) == {}


@pytest.mark.parametrize("name", NAMES)
def test_every_symbol_has_at_least_eight_misconceptions_or_three_for_a_builder(name: str):
    for exercise in assignment(name).exercises:
        assert len(exercise.misconceptions) >= (3 if exercise.symbol.startswith("build_") else 8), exercise.symbol


@pytest.mark.parametrize("name", NAMES)
def test_every_symbol_has_odd_but_right_alternatives(name: str):
    for exercise in assignment(name).exercises:
        found = list((ALTERNATIVES / name).glob(f"{exercise.symbol}__*.py"))
        is_function = not (exercise.symbol.startswith("build_") or exercise.symbol[0].isupper())
        wanted = 6 if is_function else 3
        assert len(found) >= wanted, exercise.symbol


@pytest.mark.slow
@pytest.mark.timeout(0)  # each fault has a limit of its own, and of a model there are eighty to train
@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        pytest.param(name, exercise.symbol, id=exercise.symbol)
        for name in NAMES
        for exercise in assignment(name).exercises
    ],
)
def test_every_generated_fault_loses_marks_or_is_shown_to_be_none(name: str, symbol: str):
    source, exercise = read_source(COURSE, name), assignment(name).exercise(symbol)
    survivors = {
        fault.name for fault in faults(source, exercise) if prove_fault(source, exercise, fault, SEEDS[0]).problem
    }
    assert survivors == set(equivalents(COURSE / "tests" / "equivalents", name).get(symbol, {}))
