"""What is special in 02_positional_encoding: the formulas against numbers from elsewhere, and who earns what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import Exercise, Probe, Report, generator, judge
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.positional_encoding import (
    ASSIGNMENT,
    LEARNED_POSITIONAL_EMBEDDING,
    POSITIONAL_ENCODING,
    POSITIONAL_ENCODING_LAYER,
    SHIFT_MATRIX,
)
from autograder.exercises.positional_encoding.inputs import ENCODING, sizes
from autograder.exercises.positional_encoding.learned_positional_embedding import learned
from autograder.exercises.positional_encoding.positional_encoding import positional_encoding
from autograder.exercises.positional_encoding.positional_encoding_layer import encoded
from autograder.exercises.positional_encoding.shift_matrix import shift_matrix
from autograder.pipeline.proof import edited
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
FUNCTIONS = (POSITIONAL_ENCODING, SHIFT_MATRIX)
LAYERS = (POSITIONAL_ENCODING_LAYER, LEARNED_POSITIONAL_EMBEDDING)

pytestmark = pytest.mark.filterwarnings("ignore:Layer '.*' .of type .* was passed an input with a mask")


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "02_positional_encoding")


def graded(exercise: Exercise, symbol: object) -> Report:
    return judge(exercise, Probe(ask_here({exercise.symbol: symbol})), seed="test", student="ada")


def graded_cell(source: SourceNotebook, exercise: Exercise, cell: str, **instead: str) -> Report:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source.setup, namespace)
    for symbol, solution in source.solutions.items():
        exec(cell if symbol == exercise.symbol else instead.get(symbol, solution), namespace)
    return judge(exercise, Probe(ask_here(namespace)), seed="test", student="ada")


def with_mistake(source: SourceNotebook, exercise: Exercise, name: str) -> Report:
    return graded_cell(source, exercise, edited(source.solutions[exercise.symbol], exercise, name))


def replaced(source: SourceNotebook, exercise: Exercise, *edits: tuple[str, str]) -> str:
    cell = source.solutions[exercise.symbol]
    for old, new in edits:
        assert cell.count(old) == 1, old
        cell = cell.replace(old, new)
    return cell


def failed(report: Report) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


# The formulas, worked by hand and against Keras


def test_the_table_is_the_one_worked_by_hand_in_the_notebook():
    by_hand = [[0, 1, 0, 1], [0.841, 0.540, 0.010, 1.0], [0.909, -0.416, 0.020, 1.0], [0.141, -0.990, 0.030, 1.0]]
    np.testing.assert_allclose(positional_encoding(4, 4), by_hand, atol=6e-4)


def test_entry_by_entry_the_table_is_the_papers_formula():
    table = positional_encoding(9, 14)
    for p in range(9):
        for i in range(7):
            angle = p / 10000 ** (2 * i / 14)
            np.testing.assert_allclose(table[p, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], rtol=1e-12)


def test_dot_products_depend_on_the_distance_alone():
    table = positional_encoding(60, 16)
    products = table @ table.T
    for distance in (0, 1, 7, 30):
        np.testing.assert_allclose(np.diagonal(products, distance), products[0, distance], rtol=1e-10)
    assert products[0, 0] == 8


@pytest.mark.parametrize("offset", [0, 1, 3, -1, -17, 1000])
def test_one_matrix_moves_every_position(offset: int):
    table = positional_encoding(1200, 10)
    matrix = shift_matrix(offset, 10)
    p = np.arange(max(0, -offset), 1200 - max(0, offset))
    np.testing.assert_allclose(table[p] @ matrix.T, table[p + offset], atol=1e-9)


def test_the_matrix_is_a_rotation_and_shifts_add_up():
    np.testing.assert_allclose(shift_matrix(5, 8) @ shift_matrix(5, 8).T, np.eye(8), atol=1e-12)
    np.testing.assert_allclose(shift_matrix(5, 8) @ shift_matrix(-8, 8), shift_matrix(-3, 8), atol=1e-12)
    np.testing.assert_allclose(shift_matrix(1, 2), [[0.5403, 0.8415], [-0.8415, 0.5403]], atol=1e-4)


def test_the_layers_give_the_numbers_worked_by_hand():
    x = np.array([[[10.0, 10], [20, 20]]])
    np.testing.assert_allclose(encoded(x, max_length=8), [[[10, 11], [20.841, 20.540]]], atol=6e-4)
    positions = np.array([[1.0, 2], [3, 4], [5, 6]])
    np.testing.assert_array_equal(learned(x, positions=positions, max_length=3), [[[11, 12], [23, 24]]])


def test_a_learned_row_is_what_an_embedding_of_keras_gives():
    import keras

    embedding = keras.layers.Embedding(7, 4)
    rows = keras.ops.convert_to_numpy(embedding(np.arange(5)))
    x = np.random.default_rng(0).normal(size=(2, 5, 4))
    positions = keras.ops.convert_to_numpy(embedding.embeddings)
    np.testing.assert_allclose(learned(x, positions=positions, max_length=7), x + rows, rtol=1e-6)


def test_float32_angles_stay_within_the_tolerance_below_position_2048():
    # as careless as it gets: angles, rates and sines all in float32
    p = np.arange(2048, dtype=np.float32)[:, None]
    for depth in (2, 12, 64, 512):
        rates = np.exp(np.arange(0, depth, 2, dtype=np.float32) * np.float32(-np.log(10000.0) / depth))
        angle = p * rates
        careless = np.stack([np.sin(angle), np.cos(angle)], -1).reshape(2048, depth)
        assert np.abs(careless - positional_encoding(2048, depth)).max() < ENCODING.atol / 2


def test_hidden_sizes_fit_no_other_axis():
    for seed in range(200):
        B, T, D = sizes(generator(str(seed)))
        assert len({1, B, T, D}) == 4
        assert D % 2 == 0
        assert B < T


# Who earns nothing


def stub(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def refusing(*_: Any, **__: Any) -> Any:
    raise ValueError("no")


def nothing(*_: Any, **__: Any) -> Any:
    return None


def the_depth(_: int, depth: int) -> Any:
    return depth


def zeros(length: int, depth: int) -> Any:
    return np.zeros((length, depth), "float32")


def position_zero_everywhere(length: int, depth: int) -> Any:
    return np.tile(np.float32([0, 1]), (length, depth // 2))


def random_table(length: int, depth: int) -> Any:
    return np.random.default_rng(0).normal(size=(length, depth)).astype("float32")


def identity(_: int, depth: int) -> Any:
    return np.eye(depth, dtype="float32")


def no_turn(_: int, depth: int) -> Any:
    return np.zeros((depth, depth), "float32")


TRIVIAL = [(exercise, function) for exercise in FUNCTIONS for function in (stub, refusing, nothing, the_depth)] + [
    (POSITIONAL_ENCODING, zeros),
    (POSITIONAL_ENCODING, position_zero_everywhere),
    (POSITIONAL_ENCODING, random_table),
    (SHIFT_MATRIX, identity),
    (SHIFT_MATRIX, no_turn),
]


@pytest.mark.parametrize(
    ("exercise", "function"), TRIVIAL, ids=lambda it: getattr(it, "symbol", getattr(it, "__name__", ""))
)
def test_a_trivial_function_earns_nothing(exercise: Exercise, function: Any):
    assert graded(exercise, function).score == 0.0


RETURN = "return x + table[: ops.shape(x)[1]]"


@pytest.mark.parametrize("exercise", LAYERS, ids=lambda it: it.symbol)
@pytest.mark.parametrize(
    "instead", ["return x", "return ops.zeros_like(x)", "raise NotImplementedError", "raise ValueError('no')"]
)
def test_a_layer_that_adds_nothing_earns_nothing_however_well_it_passes_masks(
    source: SourceNotebook, exercise: Exercise, instead: str
):
    assert graded_cell(source, exercise, replaced(source, exercise, (RETURN, instead))).score == 0.0


@pytest.mark.parametrize("exercise", ASSIGNMENT.exercises, ids=lambda it: it.symbol)
def test_the_untouched_stub_earns_nothing(source: SourceNotebook, exercise: Exercise):
    cell = next(
        cell.source
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("grade_id") == exercise.symbol
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
    report = graded_cell(source, exercise, "\n".join(kept))
    assert report.score == 0
    assert report.misconception is None
    assert any(check.message == "Not implemented yet." for check in report.checks)


# Gates cost points and give none


@pytest.mark.parametrize("exercise", ASSIGNMENT.exercises, ids=lambda it: it.symbol)
def test_points_are_for_numbers_and_behaviour_only(exercise: Exercise):
    assert 4 <= exercise.points <= 6
    assert all(check.cost == 0 or check.points == 0 for check in exercise.checks)
    gates = sum(check.cost for check in exercise.checks)
    assert 0 < gates < exercise.points


@pytest.mark.parametrize(
    ("exercise", "name", "gate", "cost"),
    [
        (POSITIONAL_ENCODING, "float64-table", "returns float32", 0.5),
        (POSITIONAL_ENCODING, "odd-depth-accepted", "refuses an odd depth", 0.5),
        (POSITIONAL_ENCODING, "no-length-accepted", "refuses a length below 1", 0.5),
        (SHIFT_MATRIX, "odd-depth-accepted", "refuses an odd depth", 0.5),
        (POSITIONAL_ENCODING_LAYER, "trainable-table", "has no trainable weight", 0.5),
        (POSITIONAL_ENCODING_LAYER, "any-length-accepted", "refuses sequences longer than max_length", 0.5),
        (POSITIONAL_ENCODING_LAYER, "mask-dropped", "passes a mask on to the next layer", 1),
        (LEARNED_POSITIONAL_EMBEDDING, "length-looked-at-once", "refuses sequences longer than max_length", 0.5),
        (LEARNED_POSITIONAL_EMBEDDING, "mask-dropped", "passes a mask on to the next layer", 0.5),
    ],
    ids=lambda it: getattr(it, "symbol", str(it)),
)
def test_a_single_fault_costs_its_own_check_and_no_other(
    source: SourceNotebook, exercise: Exercise, name: str, gate: str, cost: float
):
    report = with_mistake(source, exercise, name)
    assert failed(report) == [gate]
    assert report.misconception == name
    assert report.score == report.max_score - cost


# What a student reads


def test_the_hint_of_a_misconception_is_shown(source: SourceNotebook):
    report = with_mistake(source, POSITIONAL_ENCODING, "halves-instead-of-pairs")
    assert report.misconception == "halves-instead-of-pairs"
    assert "first half of the columns" in report.hint
    # with a single pair, halves and pairs are the same
    assert "turns a single pair by one radian a position" not in failed(report)


def test_a_result_that_no_misconception_explains_is_told_which_rule_it_breaks():
    def loud(length: int, depth: int) -> Any:
        if length < 1 or depth % 2:
            raise ValueError
        return (1.1 * positional_encoding(length, depth)).astype("float32")

    report = graded(POSITIONAL_ENCODING, loud)
    assert report.misconception is None
    assert report.first_failure is not None
    assert "the squares of a pair add up to 1" in report.first_failure.message


def test_a_matrix_with_numbers_beside_its_blocks_is_told_that_it_does_not_shift():
    report = graded(SHIFT_MATRIX, lambda offset, depth: shift_matrix(offset, depth) + 0.2)
    assert report.first_failure is not None
    assert "M · PE[p] is PE[p + offset]" in report.first_failure.message


def test_a_layer_that_adds_a_wrong_table_of_ones_own_is_told_to_repair_the_function(source: SourceNotebook):
    from_one = edited(source.solutions["positional_encoding"], POSITIONAL_ENCODING, "positions-from-one")
    report = graded_cell(
        source, POSITIONAL_ENCODING_LAYER, source.solutions["PositionalEncoding"], positional_encoding=from_one
    )
    assert report.misconception == "wrong-table-added"
    assert "Repair the function" in report.hint


def test_a_dropped_mask_is_told_as_what_the_next_layer_gets(source: SourceNotebook):
    report = with_mistake(source, LEARNED_POSITIONAL_EMBEDDING, "mask-dropped")
    assert report.first_failure is not None
    assert "gets none" in report.first_failure.message


@pytest.mark.parametrize("exercise", LAYERS, ids=lambda it: it.symbol)
def test_a_mask_may_be_passed_on_by_compute_mask_as_well(source: SourceNotebook, exercise: Exercise):
    cell = replaced(
        source,
        exercise,
        ("self.supports_masking = True", "pass"),
        (
            "    def call(self, x):",
            "    def compute_mask(self, x, mask):\n        return mask\n\n    def call(self, x):",
        ),
    )
    assert failed(graded_cell(source, exercise, cell)) == []


def test_another_mask_than_the_one_that_came_is_no_mask_passed_on(source: SourceNotebook):
    everything = "    def compute_mask(self, x, mask):\n        return ops.ones_like(x[..., 0], bool)\n\n"
    cell = replaced(
        source, POSITIONAL_ENCODING_LAYER, ("    def call(self, x):", everything + "    def call(self, x):")
    )
    assert failed(graded_cell(source, POSITIONAL_ENCODING_LAYER, cell)) == ["passes a mask on to the next layer"]


@pytest.mark.parametrize("exercise", LAYERS, ids=lambda it: it.symbol)
def test_a_value_error_may_come_from_build_as_long_as_call_raises_it_too(source: SourceNotebook, exercise: Exercise):
    early = (
        "    def build(self, input_shape):",
        "    def build(self, input_shape):\n"
        "        if (input_shape[1] or 0) > self.max_length:\n"
        "            raise ValueError('too long')",
    )
    assert failed(graded_cell(source, exercise, replaced(source, exercise, early))) == []


def test_hints_give_no_code_away():
    for exercise in ASSIGNMENT.exercises:
        for mistake in exercise.misconceptions:
            assert not any(sign in mistake.hint for sign in (" = ", "np.", "ops.", "sin(", "cos(")), mistake.name


# Ready-made forms


@pytest.mark.parametrize(
    ("exercise", "code"),
    [
        (POSITIONAL_ENCODING, "table = keras_hub.layers.SinePositionEncoding()(x)"),
        (POSITIONAL_ENCODING, "from keras_hub.layers import SinePositionEncoding as S"),
        (SHIFT_MATRIX, "layer = getattr(keras_hub.layers, 'RotaryEmbedding')()"),
        (POSITIONAL_ENCODING_LAYER, "inner = keras_hub.layers.SinePositionEncoding()"),
        (LEARNED_POSITIONAL_EMBEDDING, "inner = keras_hub.layers.PositionEmbedding(9)"),
        (LEARNED_POSITIONAL_EMBEDDING, "from keras_hub.layers import TokenAndPositionEmbedding"),
    ],
)
def test_a_ready_made_form_is_found(exercise: Exercise, code: str):
    assert find_forbidden(code, exercise.forbidden, exercise.symbol) is not None


@pytest.mark.parametrize(
    ("exercise", "code"),
    [
        (POSITIONAL_ENCODING_LAYER, "self.table = positional_encoding(self.max_length, D)"),
        (POSITIONAL_ENCODING, "def sine_position_encoding(p):\n    return np.sin(p)"),
        (LEARNED_POSITIONAL_EMBEDDING, "self.lookup = keras.layers.Embedding(self.max_length, D)"),
    ],
)
def test_names_of_ones_own_and_plain_embeddings_are_allowed(exercise: Exercise, code: str):
    assert find_forbidden(code, exercise.forbidden, exercise.symbol) is None


def test_neither_solutions_nor_alternatives_count_as_ready_made(source: SourceNotebook):
    alternatives = COURSE / "tests" / "alternatives" / source.name
    for exercise in ASSIGNMENT.exercises:
        cells = [path.read_text(encoding="utf-8") for path in alternatives.glob(f"{exercise.symbol}__*.py")]
        assert len(cells) >= 4
        for cell in (source.solutions[exercise.symbol], *cells):
            assert find_forbidden(cell, exercise.forbidden, exercise.symbol) is None


# The notebook


def test_notebook_and_checks_agree_on_the_points(source: SourceNotebook):
    points = {
        cell.metadata.nbgrader.grade_id.removeprefix("test_"): cell.metadata.nbgrader.points
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    }
    assert points == {exercise.symbol: exercise.points for exercise in ASSIGNMENT.exercises}


def test_every_hidden_check_is_announced_beside_its_exercise(source: SourceNotebook):
    lists = [
        cell.source.split("What the hidden checks look at</summary>")[1]
        for cell in source.notebook.cells
        if cell.cell_type == "markdown" and "What the hidden checks look at</summary>" in cell.source
    ]
    assert len(lists) == len(ASSIGNMENT.exercises)
    for exercise, listed in zip(ASSIGNMENT.exercises, lists, strict=True):
        names = [line.removeprefix("- ") for line in listed.splitlines() if line.startswith("- ")]
        assert names == [check.name for check in exercise.checks]


def test_sections_that_hints_send_to_are_in_the_notebook(source: SourceNotebook):
    text = "\n".join(cell.source for cell in source.notebook.cells if cell.cell_type == "markdown")
    for exercise in ASSIGNMENT.exercises:
        for mistake in exercise.misconceptions:
            for section in re.findall(r"[Ss]ection (\d(?:\.\d)?)", mistake.hint):
                assert re.search(rf"^##+ {re.escape(section)} ", text, re.MULTILINE), (mistake.name, section)
