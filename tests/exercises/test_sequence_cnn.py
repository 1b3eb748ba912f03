"""What is special in 01_sequence_cnn: the formulas themselves, and who earns what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import Exercise, Probe, Report, Split, judge
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.sequence_cnn import ASSIGNMENT, BUILD_SEQUENCE_CNN, CONV1D, RESIDUAL_BLOCK, SQUEEZE_EXCITE
from autograder.exercises.sequence_cnn.conv1d import conv1d
from autograder.exercises.sequence_cnn.receptive_field import receptive_field
from autograder.exercises.sequence_cnn.residual_block import residual_block
from autograder.exercises.sequence_cnn.separable_conv1d import separable_conv1d
from autograder.exercises.sequence_cnn.squeeze_excite import squeeze_excite
from autograder.pipeline.proof import edited
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
FUNCTIONS = ("conv1d", "receptive_field")
LAYERS = ("SeparableConv1D", "SqueezeExpand", "SqueezeExcite", "ResidualBlock")


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "01_sequence_cnn")


def row(*numbers: float) -> np.ndarray:
    """Returns numbers as one sequence with one channel, (1, L, 1)."""
    return np.array(numbers, np.float64).reshape(1, -1, 1)


def run(exercise: Exercise, cell: str) -> Report:
    import keras

    namespace: dict[str, Any] = {"keras": keras, "np": np, "ops": keras.ops, "__name__": "cell"}
    exec(cell, namespace)
    return judge(exercise, Probe(ask_here(namespace)), seed="test", student="ada", data=hardly_any)


def hardly_any(corpus: str) -> Split:
    """Returns a corpus on which what was learned by heart is wrong, for what else a builder is asked."""
    rows = np.random.default_rng(0).integers(0, 100, (80, 12)).astype(np.int32)
    labels = np.arange(80) % 2
    return Split(rows, labels, rows, 1 - labels, 100)


def failed(report: Report) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


# The formulas, against numbers from elsewhere


@pytest.mark.parametrize(
    ("how", "by_hand"),
    [
        ({}, [-7, -14, -28]),
        ({"stride": 2}, [-7, -28]),
        ({"dilation": 2}, [-31]),
        ({"padding": "causal"}, [-2, -4, -7, -14, -28]),
        ({"padding": "same"}, [-4, -7, -14, -28, 8]),
        # seven zeros, three of them on the left: the windows read the steps -3, 1, 5 and 0, 4, 8
        ({"padding": "same", "stride": 3, "dilation": 4}, [0, 1]),
        # eight zeros on the left: the windows read the steps -8, -4, 0 and -5, -1, 3
        ({"padding": "causal", "stride": 3, "dilation": 4}, [-2, -16]),
    ],
)
def test_the_convolution_gives_the_numbers_worked_by_hand(how: dict[str, Any], by_hand: list[int]):
    found = conv1d(row(1, 2, 4, 8, 16), row(1, 0, -2).reshape(3, 1, 1), **how)
    assert found[0, :, 0].tolist() == by_hand


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (5, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("length", [13, 14, 15])
def test_the_convolution_is_that_of_keras_where_keras_has_one(
    padding: str, width: int, stride: int, dilation: int, length: int
):
    # Keras is a sound oracle unless stride and dilation are both above 1, which it refuses
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=(2, length, 3)), rng.normal(size=(width, 3, 4)), np.arange(4.0)
    layer = keras.layers.Conv1D(4, width, strides=stride, dilation_rate=dilation, padding=padding, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    found = conv1d(x, kernel, bias, stride=stride, dilation=dilation, padding=padding)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(layer(x)), atol=1e-10)


@pytest.mark.parametrize("padding", ["same", "causal"])
def test_stride_and_dilation_together_are_the_sum_of_the_definition(padding: str):
    rng = np.random.default_rng(1)
    for L, W, stride, dilation in [(13, 3, 2, 3), (14, 4, 3, 2), (9, 4, 4, 3), (5, 3, 2, 4)]:
        x, kernel = rng.normal(size=(1, L, 1)), rng.normal(size=(W, 1, 1))
        steps = -(-L // stride)
        left = (W - 1) * dilation
        if padding == "same":
            left = max((steps - 1) * stride + left + 1 - L, 0) // 2
        expected = [
            sum(
                x[0, t * stride + w * dilation - left, 0] * kernel[w, 0, 0]
                for w in range(W)
                if 0 <= t * stride + w * dilation - left < L
            )
            for t in range(steps)
        ]
        found = conv1d(x, kernel, stride=stride, dilation=dilation, padding=padding)
        np.testing.assert_allclose(found[0, :, 0], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("layers", "span"),
    [
        ([], 1),
        ([(3, 1, 1)], 3),
        ([(3, 1, 1), (3, 1, 1)], 5),
        ([(3, 2, 1), (3, 1, 1)], 7),
        # WaveNet's stack of dilations 1, 2, 4, 8 with filters of width 2 sees 16 steps
        ([(2, 1, 1), (2, 1, 2), (2, 1, 4), (2, 1, 8)], 16),
    ],
)
def test_the_receptive_field_is_the_number_worked_by_hand(layers: list[tuple[int, int, int]], span: int):
    assert receptive_field(layers) == span


def test_the_receptive_field_is_what_a_bump_in_the_input_moves():
    layers = [(3, 2, 1), (2, 1, 3), (3, 2, 2)]
    x = np.eye(64)[:, :, None]  # sequence i has its bump at step i
    for k, stride, dilation in layers:
        x = conv1d(x, np.ones((k, 1, 1)), stride=stride, dilation=dilation)
    moved = np.flatnonzero(x[:, 0, 0])
    assert moved[-1] - moved[0] + 1 == receptive_field(layers)


@pytest.mark.parametrize("width", [2, 3])
def test_the_separable_convolution_is_that_of_keras(width: int):
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(2)
    x, depthwise = rng.normal(size=(2, 9, 3)), rng.normal(size=(width, 3))
    pointwise, bias = rng.normal(size=(3, 4)), rng.normal(size=4)
    layer = keras.layers.SeparableConv1D(4, width, padding="same", dtype="float64")
    layer.build(x.shape)
    layer.set_weights([depthwise[:, :, None], pointwise[None], bias])
    found = separable_conv1d(x, depthwise=depthwise, pointwise=pointwise, bias=bias)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(layer(x)), atol=1e-10)


def test_gates_are_a_half_when_all_weights_are_zero():
    x = row(1, 2, 6)
    zeros = {"w1": np.zeros((1, 1)), "b1": np.zeros(1), "w2": np.zeros((1, 1)), "b2": np.zeros(1)}
    np.testing.assert_allclose(squeeze_excite(x, **zeros), x / 2)


def test_a_residual_block_of_zeros_is_a_relu():
    x = row(-1, 2, 5)
    kernels = {"conv1_kernel": np.zeros((3, 1, 1)), "conv2_kernel": np.zeros((3, 1, 1))}
    biases = {"conv1_bias": np.zeros(1), "conv2_bias": np.zeros(1)}
    np.testing.assert_allclose(residual_block(x, **kernels, **biases), np.maximum(x, 0), atol=1e-15)


# Who earns what


def _zeros_of_the_right_shape(x: Any, kernel: Any, *_: Any, **how: Any) -> np.ndarray:
    return np.zeros_like(conv1d(np.asarray(x), np.asarray(kernel), **how), np.float32)


def _always_refuses(*_: Any, **__: Any) -> None:
    raise ValueError("no")


@pytest.mark.parametrize("symbol", FUNCTIONS)
@pytest.mark.parametrize("function", [lambda x, *_, **__: x, lambda *_, **__: 1, _always_refuses])
def test_a_trivial_function_earns_nothing(symbol: str, function: Any):
    report = judge(ASSIGNMENT.exercise(symbol), Probe(ask_here({symbol: function})), seed="test", student="ada")
    assert report.score == 0


def test_zeros_of_the_right_shape_earn_nothing():
    probe = Probe(ask_here({"conv1d": _zeros_of_the_right_shape}))
    assert judge(CONV1D, probe, seed="test", student="ada").score == 0


@pytest.mark.parametrize("symbol", LAYERS)
def test_a_layer_that_returns_its_input_earns_nothing(symbol: str):
    cell = f"""
class {symbol}(keras.layers.Layer):
    def __init__(self, *args, **kwargs):
        super().__init__()
    def call(self, x):
        return x
"""
    assert run(ASSIGNMENT.exercise(symbol), cell).score == 0


@pytest.mark.parametrize("symbol", [exercise.symbol for exercise in ASSIGNMENT.exercises])
def test_the_untouched_stub_earns_nothing(source: SourceNotebook, symbol: str):
    cell = next(
        cell.source for cell in source.notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == symbol
    )
    kept: list[str] = []
    inside = False
    for line in cell.splitlines():
        if "### BEGIN SOLUTION" in line:
            inside = True
            kept.append(line.replace("### BEGIN SOLUTION", "raise NotImplementedError()"))
        if not inside:
            kept.append(line)
        inside = inside and "### END SOLUTION" not in line
    report = run(ASSIGNMENT.exercise(symbol), "\n".join(kept))
    assert report.score == 0
    assert any(check.message == "Not implemented yet." for check in report.checks)


def test_gates_cost_but_earn_nothing():
    for exercise in ASSIGNMENT.exercises:
        for check in exercise.checks:
            assert not (check.points and check.cost), check.name


def test_notebook_and_checks_agree_on_the_points(source: SourceNotebook):
    points = {
        cell.metadata.nbgrader.grade_id.removeprefix("test_"): cell.metadata.nbgrader.points
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    }
    assert points == {exercise.symbol: exercise.points for exercise in ASSIGNMENT.exercises}


def test_every_hidden_check_is_announced_in_the_notebook(source: SourceNotebook):
    text = " ".join(c.source for c in source.notebook.cells if c.cell_type == "markdown")
    text = " ".join(text.replace("\n>", " ").split())
    for exercise in ASSIGNMENT.exercises:
        for check in exercise.checks:
            assert check.name in text, f"{exercise.symbol}: {check.name}"


# Hints


def test_a_flipped_kernel_is_named_and_its_hint_shown(source: SourceNotebook):
    cell = edited(source.solutions["conv1d"], CONV1D, "kernel-flipped")
    report = run(CONV1D, cell)
    assert report.misconception == "kernel-flipped"
    assert "reverse order" in report.hint


def test_padding_a_stride_as_if_it_were_1_costs_that_check_only(source: SourceNotebook):
    cell = edited(source.solutions["conv1d"], CONV1D, "same-ignores-stride")
    assert failed(run(CONV1D, cell)) == {'pads "same" when the stride is above 1'}


def test_gates_along_the_batch_are_named_although_most_shapes_refuse_them(source: SourceNotebook):
    cell = edited(source.solutions["SqueezeExcite"], SQUEEZE_EXCITE, "gates-along-the-batch")
    assert run(SQUEEZE_EXCITE, cell).misconception == "gates-along-the-batch"


def test_a_missing_projection_is_named_although_it_raises(source: SourceNotebook):
    cell = edited(source.solutions["ResidualBlock"], RESIDUAL_BLOCK, "no-projection")
    assert run(RESIDUAL_BLOCK, cell).misconception == "no-projection"


# What may and may not be used


@pytest.mark.parametrize(
    "code",
    [
        "conv1d = tf.nn.conv1d",
        "def conv1d(x, kernel): return ops.conv(x, kernel)",
        "def conv1d(x, kernel): return np.convolve(x, kernel)",
        "def conv1d(x, kernel): return keras.layers.Conv1D(3, 2)(x)",
        "def conv1d(x, kernel): return getattr(ops, 'conv')(x, kernel)",
        "from keras.ops import *\nconv = conv",
    ],
)
def test_a_ready_made_convolution_is_found(code: str):
    assert find_forbidden(code, CONV1D.forbidden, "conv1d")


@pytest.mark.parametrize(
    "code",
    [
        "def conv1d(x, kernel):\n    conv = 0\n    return conv + x",
        "def conv1d(x, kernel): return conv1d(x, kernel[::-1])",
    ],
)
def test_names_of_ones_own_are_allowed(code: str):
    assert find_forbidden(code, CONV1D.forbidden, "conv1d") is None


def test_solutions_use_nothing_forbidden(source: SourceNotebook):
    for exercise in ASSIGNMENT.exercises:
        cell = source.solutions[exercise.symbol]
        assert find_forbidden(cell, exercise.forbidden, exercise.symbol) is None


# The builder; what a real training makes of it is proven with the other symbols

LEARNS = "learns what phrases say"


def built(source: SourceNotebook, *edit: tuple[str, str]) -> Report:
    cell = source.solutions["build_sequence_cnn"]
    for old, new in edit:
        assert cell.count(old) == 1
        cell = cell.replace(old, new)
    return run(BUILD_SEQUENCE_CNN, cell)


def test_gates_alone_earn_nothing(source: SourceNotebook):
    report = built(source)
    assert failed(report) == {LEARNS}
    assert report.score == 0


def test_real_reviews_are_skipped_where_a_run_has_none(source: SourceNotebook):
    skipped = {check.name for check in built(source).checks if check.skipped}
    assert skipped == {"learns from real reviews"}


def test_recurrence_inside_a_wrapper_is_seen(source: SourceNotebook):
    old = 'keras.layers.Conv1D(64, 3, padding="same", activation="relu")'
    new = "keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True))"
    assert built(source, (old, new)).misconception == "recurrence-used"


def test_a_convolution_of_ones_own_counts_by_its_kernel_size(source: SourceNotebook):
    # SeparableConv1D of this notebook keeps its width as one number, Keras' layers as a tuple
    old = 'keras.layers.Conv1D(64, 3, padding="same", activation="relu")'
    cell = source.solutions["SeparableConv1D"] + "\n\n" + source.solutions["build_sequence_cnn"]
    report = run(BUILD_SEQUENCE_CNN, cell.replace(old, "SeparableConv1D(16, 3)"))
    assert failed(report) == {LEARNS}
