"""What is special in 06_transformer: the formulas themselves, who earns what, and the mask that Keras attaches."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.checking import Broken, Exercise, Probe, Report, Split, judge
from autograder.exercises.transformer import ASSIGNMENT, BUILD_TRANSFORMER, ENCODER_BLOCK, EVALUATE_CLASSIFIER
from autograder.exercises.transformer import build_transformer as builder_page
from autograder.exercises.transformer import encoder_block as block_page
from autograder.exercises.transformer.encoder_block import encoder_block
from autograder.exercises.transformer.evaluate_classifier import evaluate_classifier
from autograder.exercises.transformer.inputs import block, real_tokens
from autograder.pipeline.corpora import available, load
from autograder.pipeline.proof import edited
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
LEARNS = "learns which of two distant words comes first"


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "06_transformer")


@pytest.fixture(scope="module")
def namespace(source: SourceNotebook) -> dict[str, Any]:
    """What the notebook's setup cells define, AddPositions among it, and the solved block."""
    names: dict[str, Any] = {"__name__": "cell"}
    exec(source.setup, names)
    exec(source.solutions["TransformerEncoderBlock"], names)
    return names


def hardly_any(corpus: str) -> Split:
    """Returns a corpus on which what was learned by heart is wrong, for what else a builder is asked."""
    rows = np.random.default_rng(0).integers(0, 100, (80, 12)).astype(np.int32)
    labels = np.arange(80) % 2
    return Split(rows, labels, rows, 1 - labels, 100)


def run(exercise: Exercise, cell: str, namespace: dict[str, Any]) -> Report:
    import keras

    keras.backend.clear_session()  # a layer that returned None under a mask leaves Keras with a mask for every None
    names = dict(namespace)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong code makes libraries warn
        exec(cell, names)
        return judge(exercise, Probe(ask_here(names)), seed="test", student="ada", data=hardly_any)


def graded(function: Callable[..., Any]) -> Report:
    probe = Probe(ask_here({"evaluate_classifier": function}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return judge(EVALUATE_CLASSIFIER, probe, seed="test", student="ada")


def failed(report: Report) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


def earned(report: Report) -> dict[str, float]:
    return {check.name: check.earned for check in report.checks}


# The block's formula, against numbers from elsewhere


def test_the_block_gives_the_numbers_worked_by_hand():
    # one token, attention that gives its last bias; the table in section 2.1
    ones, zeros = np.ones(4), np.zeros(4)
    flat = {
        f"attention_{n}_dense_{k}": np.zeros(s)
        for n in ("query", "key", "value")
        for k, s in (("kernel", (4, 1, 4)), ("bias", (1, 4)))
    }
    out = encoder_block(
        np.array([[[1.0, 3.0, -1.0, -3.0]]]),
        **flat,
        attention_output_dense_kernel=np.zeros((1, 4, 4)),
        attention_output_dense_bias=np.array([2.0, -4.0, -2.0, 4.0]),
        norm1_gamma=ones, norm1_beta=zeros, norm2_gamma=ones, norm2_beta=zeros,
        ffn1_kernel=np.array([[1.0, -1.0], [-1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]), ffn1_bias=np.zeros(2),
        ffn2_kernel=np.array([[0.0, 3.0, 0.0, -3.0], [5.0, 0.0, -5.0, 0.0]]), ffn2_bias=zeros,
    )  # fmt: skip
    np.testing.assert_allclose(out[0, 0], np.array([3, 11, -3, -11]) / 65**0.5, atol=1e-6)


def test_the_formulas_attention_is_that_of_keras_with_a_mask_and_without():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(0)
    case = block(rng, width=4)  # Keras keeps the root of the width in float32; that of 4 is exact
    _, w = case.arguments
    x = case.inputs[0].astype("float64")
    layer = keras.layers.MultiHeadAttention(2, 4, dtype="float64")
    layer.build(x.shape, x.shape)
    for name in ("query", "key", "value", "output"):
        for kind in ("kernel", "bias"):
            getattr(getattr(layer, f"{name}_dense"), kind).assign(w[f"attention_{name}_dense_{kind}"])
    mask = real_tokens(rng, *x.shape[:2])
    for given, allowed in ((None, None), (mask, mask[:, None, :])):
        expected = keras.ops.convert_to_numpy(layer(x, x, attention_mask=allowed))
        np.testing.assert_allclose(block_page._attend(x, w, given), expected, atol=1e-10)


def test_silent_branches_leave_x_normalised_twice():
    rng = np.random.default_rng(1)
    case = block_page._without(block_page._without(block(rng), "ffn2"), "attention.output_dense")
    (x,), w = case.arguments
    once = block_page._norm(x, w, "norm1")
    np.testing.assert_allclose(case.expected(encoder_block), block_page._norm(once, w, "norm2"), atol=1e-12)


def test_padding_is_without_effect_on_real_tokens():
    rng = np.random.default_rng(2)
    case = block_page._one_padded(rng)
    (x,), mask = case.inputs, case.kwargs["mask"]
    other = np.where(mask[..., None], x, 100.0)
    _, w = case.arguments
    w["mask"] = mask
    np.testing.assert_allclose(encoder_block(x, **w)[mask], encoder_block(other, **w)[mask], atol=1e-12)


def test_sizes_of_the_checks_are_pairwise_distinct_and_every_row_is_padded():
    for seed in range(20):
        case = block(rng := np.random.default_rng(seed))
        B, T, D = case.inputs[0].shape
        H, F = case.config["num_heads"], case.config["hidden_dim"]
        assert len({B, T, D, H, D // H, F} | {1}) == 7 - (D // H == H)
        assert not real_tokens(rng, B, T).all(axis=1).any()


def test_dropped_numbers_are_told_from_dropped_weights():
    # what comes out must be one of the sixteen sums that dropping four numbers can make
    rng = np.random.default_rng(3)
    branch, gamma = rng.normal(size=(8, 60, 4)), rng.normal(1.0, 0.3, 4)
    x = rng.normal(size=branch.shape)

    def half(dropped: np.ndarray) -> np.ndarray:
        z = x + dropped
        return gamma * (z - z.mean(-1, keepdims=True)) / z.std(-1, keepdims=True)

    kept = (rng.random(branch.shape) < 0.7).astype(float)
    found = block_page._kept(half(kept * branch / 0.7), half, branch, 0.3)
    assert found is not None
    np.testing.assert_array_equal(found, kept)
    assert block_page._kept(half(kept * branch), half, branch, 0.3) is None  # not divided by 1 - rate
    assert block_page._kept(half(branch * rng.normal(1, 0.3, branch.shape)), half, branch, 0.3) is None


# The metrics, against numbers from elsewhere


def test_the_metrics_are_those_worked_by_hand():
    found = evaluate_classifier(np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.5, 0.2, 0.5, 0.1]))
    assert found == pytest.approx({"accuracy": 0.6, "precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "roc_auc": 0.75})


@pytest.mark.parametrize("digits", [1, 6])
def test_the_metrics_are_those_of_scikit_learn(digits: int):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    labels, scores = rng.integers(0, 2, 200), np.round(rng.random(200), digits)  # one digit: many ties
    predicted = scores >= 0.3
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "precision": metrics.precision_score(labels, predicted),
        "recall": metrics.recall_score(labels, predicted),
        "f1": metrics.f1_score(labels, predicted),
        "roc_auc": metrics.roc_auc_score(labels, scores),
    }
    assert evaluate_classifier(labels, scores, 0.3) == pytest.approx(expected, abs=1e-12)


def test_undefined_metrics_are_zero_and_an_undefined_area_is_nan():
    found = evaluate_classifier(np.zeros(3), np.array([0.1, 0.2, 0.3]))
    assert np.isnan(found.pop("roc_auc"))
    assert found == {"accuracy": 1.0, "precision": 0.0, "recall": 0.0, "f1": 0.0}


# Who earns what


@pytest.mark.parametrize("result", ["x", "0 * x", "None", "raise_now()", "x + ops.mean(x, axis=1, keepdims=True)"])
def test_a_trivial_block_earns_nothing(namespace: dict[str, Any], result: str):
    cell = f"""
class TransformerEncoderBlock(keras.layers.Layer):
    def __init__(self, num_heads, hidden_dim, dropout=0.1, **kwargs):
        super().__init__()
        self.supports_masking = True
    def call(self, x, mask=None, training=False):
        return {result}
"""
    assert run(ENCODER_BLOCK, cell, namespace).score == 0


def test_a_block_with_all_weights_that_returns_its_input_earns_nothing(
    namespace: dict[str, Any], source: SourceNotebook
):
    cell = source.solutions["TransformerEncoderBlock"]
    trivial = cell.replace("return self.norm2(h + self.drop(fed, training=training))", "return x")
    assert trivial != cell
    assert run(ENCODER_BLOCK, trivial, namespace).score == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda labels, probabilities, threshold=0.5: {},
        lambda *_, **__: 0.5,
        lambda *_, **__: dict.fromkeys(("accuracy", "precision", "recall", "f1", "roc_auc"), 0.5),
        lambda *_, **__: dict.fromkeys(("accuracy", "precision", "recall", "f1", "roc_auc"), "good"),
    ],
)
def test_trivial_metrics_earn_nothing(function: Any):
    assert graded(function).score == 0


def test_refusing_everything_earns_nothing():
    def refuse(*_: Any, **__: Any) -> None:
        raise ValueError("no")

    assert graded(refuse).score == 0


@pytest.mark.parametrize("symbol", [exercise.symbol for exercise in ASSIGNMENT.exercises])
def test_the_untouched_stub_earns_nothing(source: SourceNotebook, namespace: dict[str, Any], symbol: str):
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
    report = run(ASSIGNMENT.exercise(symbol), "\n".join(kept), namespace)
    assert report.score == 0
    assert any(check.message == "Not implemented yet." for check in report.checks)


def test_a_missing_symbol_earns_nothing():
    for exercise in ASSIGNMENT.exercises:
        report = judge(exercise, Probe(ask_here({})), seed="test", student="ada", data=hardly_any)
        assert report.score == 0


def test_gates_cost_but_earn_nothing():
    for exercise in ASSIGNMENT.exercises:
        for check in exercise.checks:
            assert not (check.points and check.cost), check.name


def test_whoever_forgets_the_relu_keeps_the_first_half_and_the_mask(source: SourceNotebook, namespace: dict[str, Any]):
    cell = edited(source.solutions["TransformerEncoderBlock"], ENCODER_BLOCK, "no-activation")
    points = earned(run(ENCODER_BLOCK, cell, namespace))
    assert points["adds what attention gives to x, and normalises"] == 1.25
    assert points["adds what the feed-forward network gives to that, and normalises"] == 0
    assert points["real tokens attend to real tokens only"] == 1.5


def test_pre_norm_that_ignores_the_mask_loses_the_mask_too(source: SourceNotebook, namespace: dict[str, Any]):
    cell = edited(source.solutions["TransformerEncoderBlock"], ENCODER_BLOCK, "pre-norm")
    deaf = cell.replace("attention_mask=keys", "attention_mask=None")
    assert earned(run(ENCODER_BLOCK, cell, namespace))["real tokens attend to real tokens only"] == 1.5
    assert earned(run(ENCODER_BLOCK, deaf, namespace))["real tokens attend to real tokens only"] == 0


def test_metrics_are_looked_at_one_by_one():
    def only_the_area(labels: Any, probabilities: Any, threshold: float = 0.5) -> dict[str, float]:
        right = evaluate_classifier(np.asarray(labels), np.asarray(probabilities))
        return {**dict.fromkeys(right, 0.0), "roc_auc": right["roc_auc"]}

    points = earned(graded(only_the_area))
    assert points["roc_auc says how well the probabilities rank"] == 1
    assert points["accuracy, precision, recall and f1 are right at one half"] == 0


def test_a_float_of_numpy_is_a_float_and_an_integer_costs_only_the_gate():
    def found(labels: Any, probabilities: Any, threshold: float = 0.5) -> dict[str, Any]:
        labels, probabilities = np.asarray(labels), np.asarray(probabilities)
        if labels.size != probabilities.size or not labels.size:
            raise ValueError("no")
        right = evaluate_classifier(labels, probabilities, threshold)
        return {name: np.float64(value) for name, value in right.items()}

    assert graded(found).score == 4
    whole = graded(lambda *a, **k: {n: int(v) if v in (0, 1) else str(v) if n == "f1" else v
                                    for n, v in found(*a, **k).items()})  # fmt: skip
    assert "returns a dict of five floats" in failed(whole)


# Hints, and what the notebook says


def test_the_hint_of_a_misconception_reaches_the_student(source: SourceNotebook, namespace: dict[str, Any]):
    cell = edited(source.solutions["TransformerEncoderBlock"], ENCODER_BLOCK, "drops-after-the-sum")
    report = run(ENCODER_BLOCK, cell, namespace)
    assert report.misconception == "drops-after-the-sum"
    assert "section 2.3" in " ".join(report.hint.split())


def test_hints_tell_no_code():
    for exercise in ASSIGNMENT.exercises:
        for mistake in exercise.misconceptions:
            if mistake.name == "no-first-residual":  # speaks of weights that are 0
                continue
            assert not any(sign in mistake.hint for sign in (" = ", "self.", "ops.", "[:, None", "np."))


def test_every_mistake_that_a_check_names_is_one_of_the_exercise():
    # a name without a hint would end the grading
    import re

    for exercise, page in ((ENCODER_BLOCK, block_page), (BUILD_TRANSFORMER, builder_page)):
        text = Path(page.__file__).read_text(encoding="utf-8").partition("Exercise(\n    symbol=")[0]
        named = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', text.partition('"""')[2].partition('"""')[2]))
        assert named
        assert named <= {mistake.name for mistake in exercise.misconceptions}


def test_hints_name_sections_that_the_notebook_has(source: SourceNotebook):
    import re

    text = "\n".join(c.source for c in source.notebook.cells if c.cell_type == "markdown")
    headings = set(re.findall(r"^#+ (\d(?:\.\d)?)", text, re.M))
    for exercise in ASSIGNMENT.exercises:
        for mistake in exercise.misconceptions:
            named = re.findall(r"[Ss]ection (\d\.\d)", mistake.hint)
            assert named, mistake.name
            assert set(named) <= headings, mistake.name


def test_notebook_and_checks_agree_on_the_points(source: SourceNotebook):
    points = {
        cell.metadata.nbgrader.grade_id.removeprefix("test_"): cell.metadata.nbgrader.points
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    }
    assert points == {exercise.symbol: exercise.points for exercise in ASSIGNMENT.exercises} | ASSIGNMENT.written
    assert ASSIGNMENT.points == 22


def test_every_hidden_check_is_announced_in_the_notebook(source: SourceNotebook):
    text = " ".join(c.source for c in source.notebook.cells if c.cell_type == "markdown")
    for exercise in ASSIGNMENT.exercises:
        for check in exercise.checks:
            points = f" ({check.points:g})" if check.points else ""
            assert f"- {check.name}{points}\n" in text, f"{exercise.symbol}: {check.name}"


def test_the_thresholds_stand_in_the_notebook(source: SourceNotebook):
    text = "".join(c.source for c in source.notebook.cells if c.cell_type == "markdown")
    assert "accuracy 0.75 | **0.99**" in text
    assert "accuracy 0.80 | **0.84**" in text


# The builder; what a real training makes of it is proven with the other symbols


ATTENDS = "has an attention layer, and 500 to 5 million parameters"
TELLS = "tells one order of the words from another"


def only(*names: str) -> Exercise:
    """Returns the builder's exercise with these checks, which must be worth something together."""
    by_name = {check.name: check for check in BUILD_TRANSFORMER.checks}
    return replace(BUILD_TRANSFORMER, checks=tuple(by_name[name] for name in (*names, LEARNS)))


def built(
    source: SourceNotebook, namespace: dict[str, Any], *edit: tuple[str, str], exercise: Exercise = BUILD_TRANSFORMER
) -> Report:
    cell = source.solutions["build_transformer"]
    for old, new in edit:
        assert cell.count(old) == 1
        cell = cell.replace(old, new)
    return run(exercise, cell, namespace)


def test_gates_alone_earn_nothing(source: SourceNotebook, namespace: dict[str, Any]):
    report = built(source, namespace)
    assert failed(report) == {LEARNS}
    assert report.score == 0


def test_every_run_has_the_order_corpus_and_only_some_have_reviews():
    assert available("generated") == {"order", "phrases"}
    split = load(Settings())("order")
    assert split.x_train.shape == (8_000, 64)
    skipped = [check.data for check in BUILD_TRANSFORMER.checks if check.data]
    assert skipped == ["imdb"]


def test_an_attention_layer_counts_by_its_name_wherever_it_is_nested(namespace: dict[str, Any]):
    cell = """
class TalkingAttention(keras.layers.Layer):
    def call(self, x):
        return x

class Wrapper(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.inner = [TalkingAttention()]
    def call(self, x):
        return self.inner[0](x)

def build_transformer(vocabulary_size, sequence_length):
    tokens = keras.Input((None,), dtype="int32")
    x = Wrapper()(keras.layers.Embedding(vocabulary_size, 4)(tokens))
    model = keras.Model(tokens, keras.layers.Dense(1, "sigmoid")(x[:, 0]))
    model.compile("adam", "binary_crossentropy")
    return model
"""
    assert ATTENDS not in failed(run(only(ATTENDS), cell, namespace))


def test_too_many_parameters_cost_as_much_as_no_attention(source: SourceNotebook, namespace: dict[str, Any]):
    wide = ("Embedding(vocabulary_size, 32,", "Embedding(100 * vocabulary_size, 128,")
    check = built(source, namespace, wide, exercise=only(ATTENDS)).checks[0]
    assert not check.passed
    assert check.cost == 4
    assert "500 to 5,000,000" in check.message


def test_an_order_that_changes_nothing_is_named(source: SourceNotebook, namespace: dict[str, Any]):
    without = ("    x = AddPositions(sequence_length)(x)  # (B, L, 32)\n", "")
    assert built(source, namespace, without, exercise=only(TELLS)).misconception == "no-positions"


def test_a_model_that_starts_with_the_same_answer_for_all_is_trained_before_it_is_judged(
    source: SourceNotebook, namespace: dict[str, Any]
):
    # a last layer of zeros says 0.5 of everything, whatever follows
    unit = 'keras.layers.Dense(1, activation="sigmoid")'
    zeros = 'keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros")'
    assert TELLS not in failed(built(source, namespace, (unit, zeros), exercise=only(TELLS)))


# The question that was added to the agent for this assignment


def test_the_mask_that_keras_attaches_goes_in_and_comes_out():
    keras = pytest.importorskip("keras")

    class Passing(keras.layers.Layer):
        def __init__(self, hands_on: bool):
            super().__init__()
            self.supports_masking = hands_on

        def call(self, x, mask=None):
            return x if mask is None else x * keras.ops.cast(mask, x.dtype)[:, :, None]

    x, mask = np.ones((2, 3, 4), np.float32), np.array([[True, True, False], [True, False, False]])
    probe = Probe(ask_here({"Passing": Passing}))
    output, carried = probe.make("Passing", True).masked(x, mask)
    np.testing.assert_array_equal(output[..., 0], mask)
    np.testing.assert_array_equal(carried, mask)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns that the mask ends here
        assert probe.make("Passing", False).masked(x, mask)[1] is None


class Trained:
    """A trained classifier that weighs places, over words alone or over a whole row."""

    def __init__(self, *, over_all: bool) -> None:
        self.over_all = over_all

    def predict(self, rows: np.ndarray) -> np.ndarray:
        places = np.arange(rows.shape[1]) + 1.0
        total = (rows * places).sum(axis=1, keepdims=True) / 1e4
        return total / (rows.shape[1] if self.over_all else (rows != 0).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("full", [0.0, 0.9], ids=["no full rows", "most rows full"])
def test_a_model_that_counts_padding_once_it_is_trained_is_named(full: float):
    rng = np.random.default_rng(1)
    rows = rng.integers(3, 90, (400, 20)).astype(np.int32)
    rows[np.arange(20) >= np.where(rng.random(400) < full, 20, rng.integers(8, 20, 400))[:, None]] = 0
    split = Split(rows, np.zeros(400), rows, np.zeros(400), 90)
    asked: Any = SimpleNamespace(rng=rng)
    wrong: Any = Trained(over_all=True)
    with pytest.raises(Broken, match="when more padding follows") as broken:
        builder_page._trained(asked, wrong, split)
    assert broken.value.misconceptions == ("padding-counts",)
    right: Any = Trained(over_all=False)
    builder_page._trained(asked, right, split)
