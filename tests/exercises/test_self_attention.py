"""What is special in 03_self_attention: the formulas against numbers from elsewhere, and who earns what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import Exercise, Probe, Report, judge
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.self_attention import (
    ASSIGNMENT,
    ATTENTION,
    CAUSAL_MASK,
    PADDING_MASK,
    SELF_ATTENTION,
    SOFTMAX,
)
from autograder.exercises.self_attention.causal_mask import causal_mask
from autograder.exercises.self_attention.padding_mask import padding_mask
from autograder.exercises.self_attention.scaled_dot_product_attention import scaled_dot_product_attention
from autograder.exercises.self_attention.self_attention import self_attention
from autograder.exercises.self_attention.softmax import softmax
from autograder.pipeline.proof import edited
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
FUNCTIONS = (SOFTMAX, ATTENTION, PADDING_MASK, CAUSAL_MASK)


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "03_self_attention")


def graded(exercise: Exercise, symbol: object, seed: str = "test") -> Report:
    return judge(exercise, Probe(ask_here({exercise.symbol: symbol})), seed=seed, student="ada")


def graded_cell(source: SourceNotebook, exercise: Exercise, cell: str) -> Report:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source.setup, namespace)
    for symbol, solution in source.solutions.items():
        exec(cell if symbol == exercise.symbol else solution, namespace)
    return graded(exercise, namespace[exercise.symbol])


def failed(report: Report) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# The formulas, worked by hand and against Keras


def test_softmax_of_logarithms_is_their_share():
    shares = softmax(np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 3.0]]))
    np.testing.assert_allclose(shares, [[1 / 8, 2 / 8, 5 / 8], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-12)


def test_softmax_is_that_of_keras_along_every_axis():
    from keras import ops

    x = random(3, 4, 5)
    for axis in (0, 1, 2, -1, -2, -3):
        expected = ops.convert_to_numpy(ops.softmax(x, axis=axis))
        np.testing.assert_allclose(softmax(x, axis), expected, rtol=1e-10)


def test_softmax_of_numbers_near_ten_thousand_depends_on_differences_only():
    x = np.array([0.0, 1.0, 2.0])
    for shift in (-1e4, 1e4):
        np.testing.assert_allclose(softmax(x + shift), softmax(x), rtol=1e-10)


def test_attention_gives_the_example_of_the_notebook():
    q = np.array([[1.0, 0, 1, 0], [0, 2, 0, 2]])
    k = np.array([[1.0, 0, 1, 0], [0, 1, 0, 1], [-1, 0, -1, 0]])
    v = np.array([[1.0, 0], [0, 2], [4, 4]])
    output, weights = scaled_dot_product_attention(q, k, v)
    # scores 1, 0, -1 and 0, 2, 0
    e = np.e
    first, second = np.array([e, 1, 1 / e]) / (e + 1 + 1 / e), np.array([1, e**2, 1]) / (2 + e**2)
    np.testing.assert_allclose(weights, [first, second], rtol=1e-12)
    np.testing.assert_allclose(output, [[1.0253, 0.8495], [0.5325, 2.0]], atol=1e-4)


def test_a_blocked_key_gives_its_share_to_the_others_and_no_key_gives_zeros():
    q, k, v = random(2, 4), random(3, 4, seed=1), random(3, 5, seed=2)
    mask = np.array([[True, True, False], [False, False, False]])
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    _, of_two = scaled_dot_product_attention(q, k[:2], v[:2])
    np.testing.assert_allclose(weights[0], [*of_two[0], 0.0], rtol=1e-12)
    assert not weights[1].any()
    assert not output[1].any()


def test_attention_is_that_of_keras_with_the_masks_of_both():
    import keras

    # the layer applies a causal mask by its own argument, and padding through the values' mask
    q, v, k = random(2, 4, 8), random(2, 6, 8, seed=1), random(2, 6, 8, seed=2)
    real = np.arange(6) < np.array([[4], [6]])
    layer = keras.layers.Attention(use_scale=False)
    sharp = q / np.sqrt(8)  # that layer does not divide by the root of d_k
    expected, weights = layer(
        [sharp.astype("float32"), v.astype("float32"), k.astype("float32")],
        mask=[None, real],
        return_attention_scores=True,
        use_causal_mask=True,
    )
    mask = real[:, None, :] & np.tri(4, 6, dtype=bool)
    found = scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)
    np.testing.assert_allclose(found[1], weights, atol=1e-5)


def test_masks_are_those_of_the_notebook():
    tokens = np.array([[7, 3, 9, 0, 0], [4, 2, 8, 5, 0]])
    assert padding_mask(tokens).astype(int).tolist() == [[[1, 1, 1, 0, 0]], [[1, 1, 1, 1, 0]]]
    assert causal_mask(3).astype(int).tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_a_layer_without_queries_averages_its_values():
    x = np.array([[[1.0, 2], [3, 4], [5, 0]]])
    w_v = np.array([[1.0, 0, 1], [0, 1, 1]])
    zeros = np.zeros((2, 4))
    output = self_attention(x, w_q=zeros, w_k=np.ones((2, 4)), w_v=w_v, key_dim=4, value_dim=3)
    np.testing.assert_allclose(output, np.broadcast_to([3.0, 2, 5], (1, 3, 3)), rtol=1e-12)


# Who earns nothing


def stub(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def refusing(*_: Any, **__: Any) -> Any:
    raise ValueError("no")


def echoing(*arguments: Any, **_: Any) -> Any:
    return arguments[0]


def nothing(*_: Any, **__: Any) -> Any:
    return None


def flat_softmax(x: Any, axis: int = -1) -> Any:
    return np.ones(np.shape(x)) / np.shape(x)[axis]


def zero_softmax(x: Any, axis: int = -1) -> Any:
    return np.zeros(np.shape(x))


def largest_takes_all(x: Any, axis: int = -1) -> Any:
    x = np.asarray(x)
    return (x == x.max(axis=axis, keepdims=True)).astype(float)


def zero_attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    lead = np.shape(q)[:-1]
    return np.zeros((*lead, np.shape(v)[-1])), np.zeros((*lead, np.shape(k)[-2]))


def flat_attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    weights = np.ones((*np.shape(q)[:-1], np.shape(k)[-2])) / np.shape(k)[-2]
    return weights @ np.asarray(v), weights


def allow_all_tokens(tokens: Any, pad_id: int = 0) -> Any:
    return np.ones((len(tokens), 1, np.shape(tokens)[1]), bool)


def block_all_tokens(tokens: Any, pad_id: int = 0) -> Any:
    return ~allow_all_tokens(tokens)


def allow_all_pairs(length: int) -> Any:
    return np.ones((length, length), bool)


def own_position_only(length: int) -> Any:
    return np.eye(length, dtype=bool)


TRIVIAL = [(exercise, function) for exercise in FUNCTIONS for function in (stub, refusing, echoing, nothing)] + [
    (SOFTMAX, flat_softmax),
    (SOFTMAX, zero_softmax),
    (SOFTMAX, largest_takes_all),
    (ATTENTION, zero_attention),
    (ATTENTION, flat_attention),
    (PADDING_MASK, allow_all_tokens),
    (PADDING_MASK, block_all_tokens),
    (CAUSAL_MASK, allow_all_pairs),
    (CAUSAL_MASK, own_position_only),
]


@pytest.mark.parametrize(
    ("exercise", "function"), TRIVIAL, ids=lambda it: getattr(it, "symbol", getattr(it, "__name__", ""))
)
def test_a_trivial_function_earns_nothing(exercise: Exercise, function: Any):
    assert graded(exercise, function).score == 0.0


LAYER = "output, _ = scaled_dot_product_attention(q, k, v, mask)  # (B, T, d_v)"


@pytest.mark.parametrize(
    "instead",
    ["return x", "output = ops.zeros_like(v)", "raise NotImplementedError", "raise ValueError('no')"],
)
def test_a_trivial_layer_with_the_right_weights_earns_nothing(source: SourceNotebook, instead: str):
    cell = source.solutions["SelfAttention"]
    assert cell.count(LAYER) == 1
    assert graded_cell(source, SELF_ATTENTION, cell.replace(LAYER, instead)).score == 0.0


# Gates cost points and give none


@pytest.mark.parametrize("exercise", ASSIGNMENT.exercises, ids=lambda it: it.symbol)
def test_points_are_for_numbers_only(exercise: Exercise):
    assert 2 <= exercise.points <= 6
    assert all(check.cost == 0 or check.points == 0 for check in exercise.checks)
    gates = sum(check.cost for check in exercise.checks)
    assert 0 < gates < exercise.points


def test_a_softmax_that_changes_its_argument_loses_that_gate_only():
    def in_place(x: Any, axis: int = -1) -> Any:
        x -= x.max(axis=axis, keepdims=True)
        powers = np.exp(x)
        return powers / powers.sum(axis=axis, keepdims=True)

    report = judge(SOFTMAX, Probe(ask_here({"softmax": in_place})), seed="test", student="ada")
    assert "leaves its arguments as they were" in failed(report)
    assert report.misconception == "changes-its-arguments"
    assert 0 < report.score < report.max_score


def test_a_bias_costs_the_gate_on_weights_and_nothing_else(source: SourceNotebook):
    cell = edited(source.solutions["SelfAttention"], SELF_ATTENTION, "has-biases")
    report = graded_cell(source, SELF_ATTENTION, cell)
    assert failed(report) == ["has the weights w_q, w_k and w_v in their shapes, and no other"]
    assert report.score == report.max_score - 1


# What a student reads


def test_the_hint_of_a_misconception_is_shown(source: SourceNotebook):
    cell = edited(source.solutions[ATTENTION.symbol], ATTENTION, "softmax-over-queries")
    report = graded_cell(source, ATTENTION, cell)
    assert report.misconception == "softmax-over-queries"
    assert report.hint == ATTENTION.misconception("softmax-over-queries").hint
    assert report.first_failure is not None
    assert "weights" not in report.first_failure.name


def test_a_result_that_no_misconception_explains_is_told_which_rule_it_breaks():
    def leaky(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        return output, weights * 1.01

    report = graded(ATTENTION, leaky)
    assert report.misconception is None
    assert report.first_failure is not None
    assert "every row of the weights sums to 1" in report.first_failure.message


@pytest.mark.parametrize("constant", [-1e5, -1e9, -1e30, -np.inf])
def test_every_constant_that_blocks_is_accepted(constant: float):
    def attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
        q, k, v = (np.asarray(array) for array in (q, k, v))
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        allowed = np.ones(1, bool) if mask is None else np.asarray(mask)
        with np.errstate(invalid="ignore"):
            weights = np.where(allowed, softmax(np.where(allowed, scores, constant)), 0)
        return weights @ v, weights

    assert failed(graded(ATTENTION, attention)) == []


@pytest.mark.parametrize("constant", [-10.0, -100.0, -1e3, -1e4])
def test_a_constant_that_does_not_block_loses_marks(constant: float):
    def attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
        q, k, v = (np.asarray(array) for array in (q, k, v))
        scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
        if mask is None:
            weights = softmax(scores)
        else:
            weights = softmax(np.where(mask, scores, constant))
            weights = np.where(np.any(mask, axis=-1, keepdims=True), weights, 0)
        return weights @ v, weights

    assert "blocked keys count nothing for scores near ±1e4" in failed(graded(ATTENTION, attention))


# Ready-made forms


@pytest.mark.parametrize(
    ("exercise", "code"),
    [
        (SOFTMAX, "def softmax(x, axis=-1):\n    return ops.softmax(x, axis)"),
        (SOFTMAX, "def softmax(x, axis=-1):\n    return ops.exp(tf.nn.log_softmax(x, axis))"),
        (SOFTMAX, "softmax = keras.layers.Activation('softmax')"),
        (ATTENTION, "layer = keras.layers.Attention()"),
        (ATTENTION, "from jax.nn import dot_product_attention"),
        (SELF_ATTENTION, "inner = keras.layers.MultiHeadAttention(1, 4)"),
    ],
)
def test_a_ready_made_form_is_found(exercise: Exercise, code: str):
    assert find_forbidden(code, exercise.forbidden, exercise.symbol) is not None


def test_neither_solutions_nor_alternatives_count_as_ready_made(source: SourceNotebook):
    alternatives = Path(__file__).parents[1] / "alternatives" / source.name
    for exercise in ASSIGNMENT.exercises:
        cells = [path.read_text(encoding="utf-8") for path in alternatives.glob(f"{exercise.symbol}__*.py")]
        assert len(cells) >= 3
        for cell in (source.solutions[exercise.symbol], *cells):
            assert find_forbidden(cell, exercise.forbidden, exercise.symbol) is None
