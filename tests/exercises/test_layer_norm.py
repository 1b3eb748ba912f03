"""What is special in 05_layer_norm: the formulas themselves, and who earns what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import FLOAT32, FLOAT64, Probe, Report, compare, judge
from autograder.checking.conventions import _with_floats
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.layer_norm import ASSIGNMENT, LAYER_NORM, LAYER_NORM_GRADIENTS, LAYER_NORM_LAYER
from autograder.exercises.layer_norm import layer_norm as forward
from autograder.exercises.layer_norm import layer_norm_gradients as backward
from autograder.pipeline.proof import edited
from autograder.pipeline.source import read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
SEEDS = range(20)


@pytest.fixture(scope="module")
def solutions() -> dict[str, str]:
    return read_source(COURSE, "05_layer_norm").solutions


def graded(exercise: Any, symbol: object, **others: object) -> Report:
    probe = Probe(ask_here({exercise.symbol: symbol, **others}))
    return judge(exercise, probe, seed="test", student="ada")


def run(exercise: Any, cell: str) -> Report:
    import keras

    namespace: dict[str, Any] = {"keras": keras, "np": np, "ops": keras.ops, "__name__": "cell"}
    exec(cell, namespace)
    return graded(exercise, namespace[exercise.symbol])


def passed(report: Report) -> set[str]:
    return {check.name for check in report.checks if check.passed}


# The formulas, against numbers from elsewhere


def test_the_formula_gives_the_example_worked_by_hand():
    # mean 4, deviations (-5, 1, 1, 3), variance 36 / 4 = 9
    z, gamma, beta = np.array([[-1.0, 5, 5, 7]]), np.array([3.0, 3, 6, 6]), np.array([1.0, 0, 0, -1])
    result = forward.layer_norm(z, gamma, beta, epsilon=0.0)
    np.testing.assert_allclose(result, [[-4, 1, 2, 5]], atol=1e-14)


def test_epsilon_stands_under_the_root():
    # variance 1e-6 + epsilon 1e-6: 0.001 / sqrt(2e-6) = 1 / sqrt(2)
    result = forward.layer_norm(np.array([[0.001, -0.001]]), np.ones(2), np.zeros(2))
    np.testing.assert_allclose(result, [[2**-0.5, -(2**-0.5)]], rtol=1e-12)


def test_the_formula_is_what_keras_computes():
    import keras

    rng = np.random.default_rng(0)
    z, gamma, beta = rng.normal(3, 2, (2, 3, 7)), rng.uniform(0.5, 2, 7), rng.normal(size=7)
    layer = keras.layers.LayerNormalization(epsilon=0.01, dtype="float64")
    layer.build(z.shape)
    layer.set_weights([gamma, beta])
    np.testing.assert_allclose(layer(z), forward.layer_norm(z, gamma, beta, 0.01), rtol=1e-10)


def test_the_gradients_give_the_example_worked_by_hand():
    z, gamma = np.array([[-1.0, 5, 5, 7]]), np.array([3.0, 3, 6, 6])
    upstream = np.array([[1.0, 0, 0, 0]])
    dz, dgamma, dbeta = backward.layer_norm_gradients(z, gamma, upstream, epsilon=0.0)
    np.testing.assert_allclose(dz, [[1 / 18, -1 / 9, -1 / 9, 1 / 6]], atol=1e-14)
    np.testing.assert_allclose(dgamma, [-5 / 3, 0, 0, 0], atol=1e-14)
    np.testing.assert_allclose(dbeta, [1, 0, 0, 0])


@pytest.mark.parametrize("shape", [(5, 4), (2, 3, 5), (2, 3, 4, 5)])
def test_the_gradients_are_the_slopes_of_the_formula(shape: tuple[int, ...]):
    # an epsilon as large as the variance: it must be in the right place on the way back, too
    rng = np.random.default_rng(1)
    z, upstream = rng.normal(2, 1, shape), rng.normal(1, 1, shape)
    gamma, beta = rng.uniform(0.5, 2, shape[-1]), rng.normal(size=shape[-1])

    def slopes(function: Callable[[np.ndarray], float], x: np.ndarray) -> np.ndarray:
        result = np.empty_like(x)
        for index in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[index] = 1e-5
            result[index] = (function(x + step) - function(x - step)) / 2e-5
        return result

    def total(z: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> float:
        return float((upstream * forward.layer_norm(z, gamma, beta, 1.0)).sum())

    dz, dgamma, dbeta = backward.layer_norm_gradients(z, gamma, upstream, 1.0)
    np.testing.assert_allclose(dz, slopes(lambda x: total(x, gamma, beta), z), atol=1e-8)
    np.testing.assert_allclose(dgamma, slopes(lambda x: total(z, x, beta), gamma), atol=1e-8)
    np.testing.assert_allclose(dbeta, slopes(lambda x: total(z, gamma, x), beta), atol=1e-8)


def test_every_vector_of_dz_adds_up_to_zero():
    rng = np.random.default_rng(2)
    dz, _, _ = backward.layer_norm_gradients(*(rng.normal(1, 2, (6, 9)) for _ in range(3)))
    np.testing.assert_allclose(dz.sum(-1), 0, atol=1e-12)


# The inputs: each shows one thing, whatever the seed


@pytest.mark.parametrize("seed", SEEDS)
def test_far_from_zero_two_passes_are_right_and_one_pass_is_not(seed: int):
    case = forward._far_away(np.random.default_rng(seed))
    expected = case.expected(forward.layer_norm)
    two_passes = forward.layer_norm(*case.args, **case.kwargs)
    assert two_passes.dtype == np.float32
    assert compare(two_passes, expected, FLOAT32) is None

    z, gamma, beta = case.args
    mean = z.mean(-1, keepdims=True)
    variance = np.square(z).mean(-1, keepdims=True) - np.square(mean)
    with np.errstate(invalid="ignore"):
        one_pass = gamma * (z - mean) / np.sqrt(variance + 1e-6) + beta
    assert compare(one_pass, expected, forward.FAR) is not None


@pytest.mark.parametrize("seed", SEEDS)
def test_no_epsilon_can_be_seen_on_ordinary_vectors(seed: int):
    case = forward._plain(np.random.default_rng(seed))
    expected = case.expected(forward.layer_norm)
    z, gamma, beta = case.args
    for epsilon in (0.0, 1e-3):
        other = forward.layer_norm(z.astype(np.float64), gamma, beta, epsilon)
        assert compare(other, expected, FLOAT32) is None


@pytest.mark.parametrize("seed", SEEDS)
def test_honest_float32_gradients_keep_within_a_tenth_of_the_tolerance(seed: int):
    rng = np.random.default_rng(seed)
    cases = [backward._gradient(part)(rng) for part in range(3)] + backward._epsilon_flows(rng)
    tight = type(FLOAT32)(rtol=FLOAT32.rtol / 10, atol=FLOAT32.atol / 10)
    for case in cases:
        z, gamma, upstream = case.args
        epsilon = np.float32(case.kwargs.get("epsilon", 1e-6))
        arriving, normalised, root = backward._pieces(z, gamma, upstream, epsilon)
        assert root.dtype == np.float32
        found = (
            (arriving - arriving.mean(-1, keepdims=True) - normalised * (arriving * normalised).mean(-1, keepdims=True))
            / root,
            (upstream * normalised).sum((0, 1)),
            upstream.sum((0, 1)),
        )[case.part]
        assert compare(found, case.expected(backward.layer_norm_gradients), tight) is None


# Who earns what


def _beta_everywhere(z, gamma, beta, epsilon=1e-6):
    return np.zeros_like(z) + beta


def _raises_always(*args: object, **kwargs: object):
    raise ValueError("no")


def _not_implemented(*args: object, **kwargs: object):
    raise NotImplementedError


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z, *_, **__: np.zeros_like(z),
        lambda z, *_, **__: z,
        lambda *_, **__: None,
        _beta_everywhere,
        _raises_always,
        _not_implemented,
    ],
)
def test_a_trivial_layer_norm_earns_nothing(wrong: Callable[..., Any]):
    assert graded(LAYER_NORM, wrong).score == 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda z, gamma, upstream, **_: (0 * z, 0 * gamma, 0 * gamma),
        lambda z, gamma, upstream, **_: (z, gamma, gamma),
        lambda z, gamma, upstream, **_: (upstream, gamma, gamma),
        lambda z, *_, **__: z,
        lambda *_, **__: None,
        _raises_always,
        _not_implemented,
    ],
)
def test_trivial_gradients_earn_nothing(wrong: Callable[..., Any]):
    assert graded(LAYER_NORM_GRADIENTS, wrong).score == 0


CALLS = ["z", "self.beta + 0 * z", "0 * z", "raise_now()"]


@pytest.mark.parametrize("result", CALLS)
def test_a_trivial_layer_earns_nothing(solutions: dict[str, str], result: str):
    solution = solutions["LayerNorm"]
    trivial = solution.replace("return self.gamma * normalised + self.beta", f"return {result}")
    assert trivial != solution
    assert run(LAYER_NORM_LAYER, trivial).score == 0


def test_a_missing_symbol_earns_nothing():
    for exercise in ASSIGNMENT.exercises:
        report = judge(exercise, Probe(ask_here({})), seed="test", student="ada")
        assert report.score == 0


def test_passed_gates_give_no_points():
    report = graded(LAYER_NORM, _beta_everywhere)
    assert "gives beta for a vector of equal numbers" in passed(report)
    assert all(check.earned <= 0 for check in report.checks)


def test_writing_into_the_arguments_costs_a_quarter_point():
    def in_place(z, gamma, beta, epsilon=1e-6):
        z = np.asarray(z)
        floats = z if z.dtype.kind == "f" else z.astype(np.float32)
        mean = floats.mean(-1, keepdims=True)
        result = forward.layer_norm(floats, np.asarray(gamma), np.asarray(beta), epsilon)
        if z.flags.writeable:
            floats -= mean
        return result

    report = graded(LAYER_NORM, in_place)
    assert report.score == LAYER_NORM.points - 0.25
    assert report.misconception == "changes-its-arguments"


def test_right_dgamma_and_dbeta_keep_their_points_beside_a_wrong_dz():
    def without_dz(z, gamma, upstream, epsilon=1e-6):
        z, gamma, upstream = (np.asarray(a, np.float64) for a in (z, gamma, upstream))
        _, dgamma, dbeta = backward.layer_norm_gradients(z, gamma, upstream, epsilon)
        return 0.3 * upstream, dgamma, dbeta

    report = graded(LAYER_NORM_GRADIENTS, without_dz)
    earned = {check.name: check.earned for check in report.checks}
    assert earned["dgamma adds up what arrives at gamma"] == 1
    assert earned["dbeta adds up what arrives at beta"] == 0.5
    assert "every vector of dz adds up to 0" in report.first_failure.message


def test_the_hint_of_a_misconception_reaches_the_student(solutions: dict[str, str]):
    name = "epsilon-outside-the-root"
    report = run(LAYER_NORM, edited(solutions["layer_norm"], LAYER_NORM, name))
    assert report.misconception == name
    assert "under the root" in report.hint
    assert report.score == 2.0  # whoever gets only epsilon wrong keeps the other half


def test_hints_tell_no_closed_form():
    for exercise in ASSIGNMENT.exercises:
        for mistake in exercise.misconceptions:
            assert not any(sign in mistake.hint for sign in (" = ops", "np.", "sqrt(", "keepdims="))


def test_numpy_inside_the_layer_needs_known_sizes_and_is_named(solutions: dict[str, str]):
    name = "needs-known-sizes"
    report = run(LAYER_NORM_LAYER, edited(solutions["LayerNorm"], LAYER_NORM_LAYER, name))
    assert report.misconception == name
    assert "computes the formula with its gamma and beta" in passed(report)


def test_a_layer_that_leaves_the_initializers_out_loses_only_the_gate(solutions: dict[str, str]):
    name = "other-initial-values"
    report = run(LAYER_NORM_LAYER, edited(solutions["LayerNorm"], LAYER_NORM_LAYER, name))
    assert report.score == LAYER_NORM_LAYER.points - 0.5


def test_float64_is_compared_to_eight_digits():
    case = _with_floats(forward._wide(np.random.default_rng(3)), np.float64)
    assert case.tolerance == FLOAT64


# What is forbidden


@pytest.mark.parametrize(
    "line",
    [
        "import jax; dz = jax.grad(loss)(z)",
        "from jax import grad",
        "with tf.GradientTape() as tape: pass",
        "torch.autograd.grad(loss, z)",
        "dz = getattr(jax, 'vjp')(f, z)",
        "slopes = np.gradient(values)",
        "normalised = keras.ops.layer_normalization(z)",
    ],
)
def test_derivatives_that_somebody_else_takes_are_forbidden(line: str):
    assert find_forbidden(line, LAYER_NORM_GRADIENTS.forbidden, LAYER_NORM_GRADIENTS.symbol)


@pytest.mark.parametrize(
    "code",
    [
        "grad = upstream * gamma\njacobian = np.eye(3) - grad",
        "def back(grad, derivative):\n    return grad * derivative",
        "own = layer_norm(z, gamma, beta)",
    ],
)
def test_own_names_and_the_own_layer_norm_are_allowed(code: str):
    assert find_forbidden(code, LAYER_NORM_GRADIENTS.forbidden, LAYER_NORM_GRADIENTS.symbol) is None


def test_nothing_in_solutions_and_alternatives_is_forbidden(solutions: dict[str, str]):
    for exercise in ASSIGNMENT.exercises:
        files = (COURSE / "tests/alternatives/05_layer_norm").glob(f"{exercise.symbol}__*.py")
        for code in [solutions[exercise.symbol], *(file.read_text(encoding="utf-8") for file in files)]:
            assert find_forbidden(code, exercise.forbidden, exercise.symbol) is None
