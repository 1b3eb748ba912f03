"""What is special in 04_multi_head_attention: the formulas against numbers from elsewhere, and who earns what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import Exercise, Probe, Report, judge
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.multi_head_attention import (
    ASSIGNMENT,
    COPY_KERAS_WEIGHTS,
    MERGE_HEADS,
    MULTI_HEAD_ATTENTION,
    SPLIT_HEADS,
)
from autograder.exercises.multi_head_attention.copy_keras_weights import copied
from autograder.exercises.multi_head_attention.merge_heads import merge_heads
from autograder.exercises.multi_head_attention.multi_head_attention import multi_head_attention
from autograder.exercises.multi_head_attention.split_heads import split_heads
from autograder.pipeline.proof import edited
from autograder.pipeline.source import SourceNotebook, grade_id, is_solution, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
LAYER = "MultiHeadAttention"
COPY = "copy_keras_weights"
NOT_EVEN = "refuses a D that num_heads does not divide"


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "04_multi_head_attention")


def graded(exercise: Exercise, symbol: object) -> Report:
    return judge(exercise, Probe(ask_here({exercise.symbol: symbol})), seed="test", student="ada")


def graded_cells(source: SourceNotebook, exercise: Exercise, **cells: str) -> Report:
    """Judges an exercise in the solved notebook, with other cells in the place of some."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(source.setup, namespace)
    for symbol, solution in source.solutions.items():
        exec(cells.get(symbol, solution), namespace)
    return judge(exercise, Probe(ask_here(namespace)), seed="test", student="ada")


def failed(report: Report) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


# The formulas, worked by hand and against Keras


def test_heads_are_the_blocks_of_columns_of_the_notebook():
    x = np.array([[[0, 1, 2, 3, 4, 5], [10, 11, 12, 13, 14, 15]]])
    heads = split_heads(x, 3)
    assert heads.tolist() == [[[[0, 1], [10, 11]], [[2, 3], [12, 13]], [[4, 5], [14, 15]]]]


def test_merged_heads_are_those_of_the_notebook():
    h, t, c = np.meshgrid(range(2), range(3), range(2), indexing="ij")
    merged = merge_heads((100 * h + 10 * t + c)[None])
    assert merged.tolist() == [[[0, 1, 100, 101], [10, 11, 110, 111], [20, 21, 120, 121]]]


@pytest.mark.parametrize("heads", [1, 2, 3, 4, 6, 12])
def test_a_merge_undoes_a_split(heads: int):
    x = random(2, 5, 12)
    np.testing.assert_array_equal(merge_heads(split_heads(x, heads)), x)


def by_hand(w_o: np.ndarray) -> np.ndarray:
    unit = np.eye(4)
    keys, values = [[7, -3, np.sqrt(2) * np.log(3), 0], [2, 5, 0, 0]], [[1, 2, 3, 4], [5, 6, 7, 8]]
    query, key, value = (np.array([rows], float) for rows in ([[0, 0, 1, 0]], keys, values))
    output = multi_head_attention(query, key, value, w_q=unit, w_k=unit, w_v=unit, w_o=w_o, num_heads=2, embed_dim=4)
    return output[0, 0]


def test_the_layer_gives_the_example_of_the_notebook():
    # head 0 finds both keys equal, head 1 the first three times as good
    np.testing.assert_allclose(by_hand(np.eye(4)), [3, 4, 4, 5], rtol=1e-12)
    mixing = np.array([[1, 0, 0, 0], [0, 1, 0, -1], [1, 0, 1, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(by_hand(mixing), [7, 4, 4, 1], rtol=1e-12)


@pytest.mark.parametrize("heads", [1, 2, 3, 6])
def test_the_layer_is_that_of_keras_with_copied_weights(heads: int):
    import keras

    D = 6
    query, key, value = random(2, 4, D), random(2, 5, D, seed=1), random(2, 5, D, seed=2)
    mask = random(2, 4, 5, seed=3) > -0.5
    mask[:, :, 0] = True
    theirs = keras.layers.MultiHeadAttention(heads, D // heads, use_bias=False, dtype="float64")
    expected = theirs(query, value, key, attention_mask=mask)
    kernels = dict(zip(("query", "key", "value", "output"), theirs.get_weights(), strict=True))
    weights: dict[str, Any] = copied({}, **kernels)
    found = multi_head_attention(query, key, value, **weights, num_heads=heads, embed_dim=D, mask=mask)
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=1e-6)


def test_a_query_without_keys_gets_zeros():
    x, unit = random(2, 3, 4), np.eye(4)
    mask = np.ones((2, 3, 3), bool)
    mask[1, 2] = False
    weights: dict[str, Any] = dict.fromkeys(("w_q", "w_k", "w_v", "w_o"), unit)
    output = multi_head_attention(x, x, x, **weights, num_heads=2, embed_dim=4, mask=mask)
    assert not output[1, 2].any()
    assert output[1, 1].any()


def test_copied_weights_are_those_of_the_notebook():
    i, h, c = np.meshgrid(range(4), range(2), range(2), indexing="ij")
    kernel = 100 * i + 10 * h + c
    h, c, j = np.meshgrid(range(2), range(2), range(4), indexing="ij")
    weights = copied({}, query=kernel, key=kernel + 1000, value=kernel + 2000, output=100 * h + 10 * c + j)
    assert weights["w_q"][1].tolist() == [100, 101, 110, 111]
    assert weights["w_o"][:, 0].tolist() == [0, 10, 100, 110]
    assert weights["w_v"][3, 3] == 2311


# Who earns nothing


def stub(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def refusing(*_: Any, **__: Any) -> Any:
    raise ValueError("no")


def echoing(*arguments: Any, **_: Any) -> Any:
    return arguments[0]


def nothing(*_: Any, **__: Any) -> Any:
    return None


def zero_heads(x: Any, num_heads: int) -> Any:
    return np.zeros_like(split_heads(np.asarray(x), num_heads))


def one_more_axis(x: Any, num_heads: int) -> Any:
    return np.asarray(x)[:, None]


def zeros_merged(x: Any) -> Any:
    return np.zeros_like(merge_heads(np.asarray(x)))


def first_head(x: Any) -> Any:
    return np.asarray(x)[:, 0]


TRIVIAL = [
    (exercise, function) for exercise in (SPLIT_HEADS, MERGE_HEADS) for function in (stub, refusing, echoing, nothing)
] + [
    (SPLIT_HEADS, zero_heads),
    (SPLIT_HEADS, one_more_axis),
    (MERGE_HEADS, zeros_merged),
    (MERGE_HEADS, first_head),
]


@pytest.mark.parametrize(
    ("exercise", "function"), TRIVIAL, ids=lambda it: getattr(it, "symbol", getattr(it, "__name__", ""))
)
def test_a_trivial_function_earns_nothing(exercise: Exercise, function: Any):
    assert graded(exercise, function).score == 0.0


RETURN = "return ops.matmul(merge_heads(heads), self.w_o)  # (B, T, D)"


@pytest.mark.parametrize(
    "instead",
    ["return query", "return ops.zeros_like(query)", "raise NotImplementedError", "raise ValueError('no')"],
)
def test_a_trivial_layer_with_the_right_weights_earns_nothing(source: SourceNotebook, instead: str):
    cell = source.solutions[LAYER]
    assert cell.count(RETURN) == 1
    assert graded_cells(source, MULTI_HEAD_ATTENTION, **{LAYER: cell.replace(RETURN, instead)}).score == 0.0


COPIES = {
    "not written": "raise NotImplementedError",
    "empty": "pass",
    "ones": "[w.assign(ops.ones_like(w)) for w in layer.weights]",
    "first kernel everywhere": "[w.assign(keras_layer.get_weights()[3].reshape(w.shape)) for w in layer.weights[:3]]",
    "an attribute": "layer.inner = keras_layer",
}


@pytest.mark.parametrize("line", COPIES.values(), ids=COPIES)
def test_a_copy_of_nothing_earns_nothing(source: SourceNotebook, line: str):
    cell = f"def {COPY}(layer, keras_layer):\n    {line}\n"
    assert graded_cells(source, COPY_KERAS_WEIGHTS, **{COPY: cell}).score == 0.0


def test_the_untouched_stubs_earn_nothing(source: SourceNotebook):
    for cell in source.notebook.cells:
        if is_solution(cell):
            kept, inside = [], False
            for line in cell.source.splitlines():
                inside = inside or "### BEGIN SOLUTION" in line
                if "### BEGIN SOLUTION" in line:
                    kept.append(line.replace("### BEGIN SOLUTION", "raise NotImplementedError()"))
                elif not inside:
                    kept.append(line)
                inside = inside and "### END SOLUTION" not in line
            symbol = str(grade_id(cell))
            report = graded_cells(source, ASSIGNMENT.exercise(symbol), **{symbol: "\n".join(kept)})
            assert report.score == 0
            assert any(check.message == "Not implemented yet." for check in report.checks), symbol


# Gates cost points and give none


@pytest.mark.parametrize("exercise", ASSIGNMENT.exercises, ids=lambda it: it.symbol)
def test_points_are_for_numbers_only(exercise: Exercise):
    assert all(check.cost == 0 or check.points == 0 for check in exercise.checks)
    assert 0 < sum(check.cost for check in exercise.checks) < exercise.points


def test_the_assignment_is_worth_twenty_points():
    assert ASSIGNMENT.points == 20


def test_uneven_heads_cost_that_gate_only_even_where_a_library_refuses_them():
    def by_library(x: Any, num_heads: int) -> Any:
        import keras

        B, T, D = x.shape
        # TensorFlow refuses the reshape with an exception of its own, which is no ValueError
        return keras.ops.transpose(keras.ops.reshape(x, (B, T, num_heads, D // num_heads)), (0, 2, 1, 3))

    report = graded(SPLIT_HEADS, by_library)
    assert failed(report) == [NOT_EVEN]
    assert report.misconception == "uneven-heads-not-refused"
    assert report.score == report.max_score - 0.5


def test_a_split_that_changes_the_shape_of_its_argument_loses_that_gate_only(source: SourceNotebook):
    cell = edited(source.solutions["split_heads"], SPLIT_HEADS, "changes-its-arguments")
    report = graded_cells(source, SPLIT_HEADS, split_heads=cell)
    assert failed(report) == ["leaves its arguments as they were"]
    assert 0 < report.score < report.max_score


def test_a_bias_costs_the_gate_on_weights_and_nothing_else(source: SourceNotebook):
    cell = edited(source.solutions[LAYER], MULTI_HEAD_ATTENTION, "has-biases")
    report = graded_cells(source, MULTI_HEAD_ATTENTION, **{LAYER: cell})
    assert failed(report) == ["has the weights w_q, w_k, w_v and w_o, each (D, D), and no other"]
    assert report.score == report.max_score - 1


def test_a_mask_laid_on_the_heads_is_named_although_most_shapes_refuse_it(source: SourceNotebook):
    cell = edited(source.solutions[LAYER], MULTI_HEAD_ATTENTION, "mask-meets-the-heads")
    report = graded_cells(source, MULTI_HEAD_ATTENTION, **{LAYER: cell})
    assert report.misconception == "mask-meets-the-heads"
    # without a mask nothing is wrong
    assert "computes the formula with its w_q, w_k, w_v and w_o" not in failed(report)


def test_a_loop_that_repeats_the_first_head_is_named(source: SourceNotebook):
    cell = edited(source.solutions[LAYER], MULTI_HEAD_ATTENTION, "first-head-repeated")
    assert graded_cells(source, MULTI_HEAD_ATTENTION, **{LAYER: cell}).misconception == "first-head-repeated"


# One error is punished once

BROKEN_LAYERS = {
    "not written": "class MultiHeadAttention(keras.layers.Layer):\n"
    "    def __init__(self, num_heads, embed_dim, **kwargs):\n        super().__init__(**kwargs)\n"
    "    def build(self, *shapes):\n        raise NotImplementedError\n",
    "not there": "MultiHeadAttention = None",
    "other names": "class MultiHeadAttention(FourMatrices):\n"
    "    def build(self, query_shape, key_shape, value_shape):\n"
    "        self.kernels = [self.add_weight((self.embed_dim,) * 2) for _ in range(4)]\n",
    "other shapes": "class MultiHeadAttention(FourMatrices):\n"
    "    def build(self, query_shape, key_shape, value_shape):\n"
    "        D, H = self.embed_dim, self.num_heads\n"
    "        self.w_q, self.w_k, self.w_v = (self.add_weight((D, H, D // H)) for _ in range(3))\n"
    "        self.w_o = self.add_weight((H, D // H, D))\n",
    "wrong numbers": "class MultiHeadAttention(FourMatrices):\n"
    "    def call(self, query, key, value, mask=None):\n        return query @ self.w_o\n",
}


@pytest.mark.parametrize("layer", BROKEN_LAYERS.values(), ids=BROKEN_LAYERS)
def test_a_broken_layer_does_not_cost_the_copy(source: SourceNotebook, layer: str):
    report = graded_cells(source, COPY_KERAS_WEIGHTS, **{LAYER: layer})
    assert failed(report) == []


def test_a_layer_that_does_without_broken_functions_gets_everything(source: SourceNotebook):
    alternative = COURSE / "tests" / "alternatives" / source.name / f"{LAYER}__sum_over_a_loop_of_heads.py"
    broken = {name: f"def {name}(*_):\n    raise NotImplementedError\n" for name in ("split_heads", "merge_heads")}
    cells = {LAYER: alternative.read_text(encoding="utf-8"), **broken}
    assert failed(graded_cells(source, MULTI_HEAD_ATTENTION, **cells)) == []


def test_what_a_copy_returns_is_not_looked_at(source: SourceNotebook):
    # a layer can't be sent to the grader, and needn't be
    cell = source.solutions[COPY] + "\n    return layer, keras_layer"
    assert failed(graded_cells(source, COPY_KERAS_WEIGHTS, **{COPY: cell})) == []


def test_a_right_copy_that_ruins_the_other_layer_loses_that_gate_only(source: SourceNotebook):
    cell = source.solutions[COPY] + "\n    keras_layer.set_weights([0 * w for w in keras_layer.get_weights()])"
    report = graded_cells(source, COPY_KERAS_WEIGHTS, **{COPY: cell})
    assert failed(report) == ["leaves Keras' layer as it was"]
    assert report.score == report.max_score - 0.5


# What a student reads


def test_the_hint_of_a_misconception_is_shown(source: SourceNotebook):
    cell = edited(source.solutions["split_heads"], SPLIT_HEADS, "reshaped-straight-to-heads")
    report = graded_cells(source, SPLIT_HEADS, split_heads=cell)
    assert report.misconception == "reshaped-straight-to-heads"
    assert report.hint == SPLIT_HEADS.misconception("reshaped-straight-to-heads").hint
    assert "counts numbers off" in report.hint


def test_a_result_that_no_misconception_explains_is_told_which_rule_it_breaks():
    report = graded(MERGE_HEADS, lambda x: 1.01 * merge_heads(np.asarray(x)))
    assert report.misconception is None
    assert report.first_failure is not None
    assert "a merge only moves numbers" in report.first_failure.message


def test_every_section_that_a_hint_names_is_there(source: SourceNotebook):
    text = "\n".join(cell.source for cell in source.notebook.cells if cell.cell_type == "markdown")
    headings = set(re.findall(r"^#{2,3} (\d(?:\.\d)?) ", text, re.M)) | set(re.findall(r"^## (\d) ·", text, re.M))
    for exercise in ASSIGNMENT.exercises:
        for misconception in exercise.misconceptions:
            for section in re.findall(r"[Ss]ections? (\d(?:\.\d)?)", misconception.hint):
                assert section in headings, misconception.name


def test_notebook_and_checks_agree_on_the_points(source: SourceNotebook):
    points = {
        cell.metadata.nbgrader.grade_id.removeprefix("test_"): cell.metadata.nbgrader.points
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    }
    assert points == {exercise.symbol: exercise.points for exercise in ASSIGNMENT.exercises}


def test_every_hidden_check_is_announced_in_the_notebook(source: SourceNotebook):
    lists = [
        {line.removeprefix("- ") for line in cell.source.partition("What the hidden checks look at")[2].splitlines()}
        for cell in source.notebook.cells
        if cell.cell_type == "markdown" and "hidden checks look at</summary>" in cell.source
    ]
    assert len(lists) == len(ASSIGNMENT.exercises)
    for exercise, announced in zip(ASSIGNMENT.exercises, lists, strict=True):
        assert {check.name for check in exercise.checks} == {line for line in announced if line[:1].islower()}


# Ready-made forms


@pytest.mark.parametrize(
    "code",
    [
        "inner = keras.layers.MultiHeadAttention(2, 4)",
        "from keras.layers import MultiHeadAttention as Inner",
        "inner = keras.layers.GroupQueryAttention(4, 2, 2)",
        "heads = ops.dot_product_attention(q, k, v)",
        "heads = getattr(ops, 'dot_product_attention')(q, k, v)",
        "from jax.nn import dot_product_attention",
        "inner = tf.keras.layers.Attention()",
    ],
)
def test_a_ready_made_form_is_found(code: str):
    assert find_forbidden(code, MULTI_HEAD_ATTENTION.forbidden, LAYER) is not None


@pytest.mark.parametrize(
    "code",
    [
        "class MultiHeadAttention(keras.layers.Layer):\n    def __init__(self):\n"
        "        super(MultiHeadAttention, self).__init__()",
        "weights = ops.softmax(scores)",
        "def attention(q, k, v):\n    return scaled_dot_product_attention(q, k, v)[0]",
    ],
)
def test_names_of_ones_own_are_allowed(code: str):
    assert find_forbidden(code, MULTI_HEAD_ATTENTION.forbidden, LAYER) is None


def test_a_copy_may_name_the_layer_that_it_copies_from():
    code = "def copy(layer, other):\n    assert isinstance(other, keras.layers.MultiHeadAttention)"
    assert find_forbidden(code, COPY_KERAS_WEIGHTS.forbidden, COPY) is None


def test_neither_solutions_nor_alternatives_count_as_ready_made(source: SourceNotebook):
    alternatives = Path(__file__).parents[1] / "alternatives" / source.name
    for exercise in ASSIGNMENT.exercises:
        cells = [path.read_text(encoding="utf-8") for path in alternatives.glob(f"{exercise.symbol}__*.py")]
        assert len(cells) >= 5
        for cell in (source.solutions[exercise.symbol], *cells):
            assert find_forbidden(cell, exercise.forbidden, exercise.symbol) is None
