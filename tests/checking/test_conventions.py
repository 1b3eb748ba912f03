"""What every function and layer promises: a broken promise costs its gate and is named; odd answers break nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checking import (
    Check,
    Exercise,
    FunctionCase,
    Generator,
    LayerCase,
    Probe,
    Report,
    agrees,
    conventions,
    follows_policy,
    judge,
    other_sizes,
)
from autograder.sandbox.local import ask_here


def third(x: Any) -> Any:
    return x / 3


def floats(rng: Generator) -> FunctionCase:
    return FunctionCase((rng.normal(2, 1, (3, 4)).astype(np.float32),))


def integers(rng: Generator) -> FunctionCase:
    return FunctionCase((3 * rng.integers(0, 9, (3, 4)) + 1,))


def exercise(*gates: Check, formula: Any = third) -> Exercise:
    mistakes = (
        conventions.changes_its_arguments("section 1"),
        conventions.computes_in_float32("section 1"),
        conventions.keeps_integers("section 1"),
        conventions.numpy_only("section 1"),
    )
    return Exercise("third", (agrees("is a third", floats, points=1), *gates), mistakes, formula)


PROMISES = exercise(
    conventions.leaves_arguments_alone(floats, cost=0.1),
    conventions.keeps_float64(floats, cost=0.1),
    conventions.takes_whole_numbers(integers, cost=0.1, hint=""),
    conventions.takes_tensors(floats, cost=0.1),
)


def graded(subject: Exercise, symbol: object) -> Report:
    return judge(subject, Probe(ask_here({"third": symbol})), seed="test", student="ada")


def in_place(x: Any) -> Any:
    x = np.asarray(x)
    if x.dtype.kind == "i":
        return x / 3
    if x.flags.writeable:
        x /= 3
        return x
    return x / 3


@pytest.mark.parametrize(
    ("function", "mistake"),
    [
        (in_place, "changes-its-arguments"),
        (lambda x: np.asarray(x).astype(np.float32) / 3, "computes-in-float32"),
        (lambda x: np.asarray(x) // 3 if np.asarray(x).dtype.kind == "i" else x / 3, "keeps-integers"),
        (lambda x: x.copy() / 3, "numpy-only"),
    ],
)
def test_a_broken_promise_costs_its_gate_and_is_named(function: Any, mistake: str):
    report = graded(PROMISES, function)
    assert report.misconception == mistake
    assert report.score == pytest.approx(0.9)


def test_a_wrong_formula_is_no_broken_promise():
    assert graded(PROMISES, lambda x: np.asarray(x, np.float32) / 4).misconception is None


def test_who_keeps_all_promises_loses_nothing():
    assert graded(PROMISES, third).score == 1


def layer(rng: Generator) -> LayerCase:
    return LayerCase({}, {}, (rng.normal(size=(3, 4, 5)).astype(np.float32),))


@pytest.mark.parametrize("answer", [None, (1.0, [2.0, 3.0]), "text", {}])
def test_a_layer_that_returns_no_array_fails_the_policy_and_not_the_grader(answer: Any):
    import keras

    class Odd(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            return answer

    report = graded(exercise(follows_policy(layer, "float64", "mixed_float16", cost=0.1)), Odd)
    assert not report.checks[1].passed


def test_other_sizes_are_other_sequences_of_the_same_steps():
    first, second = (case.inputs[0] for case in other_sizes(layer)(np.random.default_rng(0)))
    assert first.shape[-1] == second.shape[-1]
    assert len({*first.shape, *second.shape}) == 5
    steps = {tuple(step) for step in first.reshape(-1, 5)}
    assert all(tuple(step) in steps for step in second.reshape(-1, 5))
