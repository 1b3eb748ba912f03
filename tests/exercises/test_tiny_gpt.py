"""What is special in 07_tiny_gpt: the formulas against numbers from elsewhere, the sorting task, and who earns what."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checking import Broken, Check, Exercise, Instance, Probe, Report, generator, judge, sorting
from autograder.checking.forbidden import find_forbidden
from autograder.exercises.tiny_gpt import ASSIGNMENT, BUILD_GPT, CAUSAL_SELF_ATTENTION, GENERATE
from autograder.exercises.tiny_gpt.causal_self_attention import causal_self_attention
from autograder.exercises.tiny_gpt.generate import generate
from autograder.exercises.tiny_gpt.known_model import KnownModel, known_model
from autograder.pipeline.proof import edited
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here

COURSE = Path(__file__).parents[2]
SORTS = "sorts letters that it has not seen"


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, "07_tiny_gpt")


@pytest.fixture
def hardly_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else a builder is asked does not need a model that has learned anything."""
    monkeypatch.setattr(sorting, "ROWS", 128)
    monkeypatch.setattr(sorting, "EPOCHS", 1)
    monkeypatch.setattr(sorting, "UNSEEN", 20)


def run(exercise: Exercise, cell: str) -> Report:
    import keras

    namespace: dict[str, Any] = {"keras": keras, "np": np, "ops": keras.ops, "__name__": "cell"}
    exec(cell, namespace)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a softmax over a single token is meant
        return judge(exercise, Probe(ask_here(namespace)), seed="test", student="ada")


def small(source: SourceNotebook, mistake: str = "") -> str:
    """Returns a builder of one block, solved or with a mistake: what is asked here does not need two."""
    cell = source.solutions["build_gpt"]
    if mistake:
        cell = edited(cell, BUILD_GPT, mistake)
    assert cell.count("range(2)") == 1
    return cell.replace("range(2)", "range(1)")


def only(exercise: Exercise, check: str) -> Exercise:
    """Returns the exercise with no check but the named one, and the one that gives points."""
    by_name = {it.name: it for it in exercise.checks}
    return replace(exercise, checks=(by_name[check], Check("points", lambda trial: None, points=1)))


def asked(exercise: Exercise, symbol: object) -> Report:
    return judge(exercise, Probe(ask_here({exercise.symbol: symbol})), seed="test", student="ada")


def failed(report: Report) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


def matrices(D: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=(D, D)) for name in ("w_q", "w_k", "w_v", "w_o")}


# The formulas, against numbers from elsewhere


@pytest.mark.parametrize("heads", [1, 2])
def test_without_queries_a_layer_gives_running_averages(heads: int):
    x = np.array([[[1.0, 2], [3, 4], [5, 0]]])
    weights = {"w_q": np.zeros((2, 2)), "w_k": np.eye(2), "w_v": np.eye(2), "w_o": np.eye(2)}
    output = causal_self_attention(x, **weights, num_heads=heads, embed_dim=2)
    np.testing.assert_allclose(output, [[[1, 2], [2, 3], [3, 2]]], rtol=1e-12)


def test_the_layer_is_that_of_keras_with_a_causal_mask():
    import keras

    # three heads of width four: what Keras keeps as (D, H, d) is (D, D) here, head after head
    x, weights = np.random.default_rng(0).normal(size=(2, 5, 12)), matrices(12)
    layer = keras.layers.MultiHeadAttention(3, 4, use_bias=False, dtype="float64")
    layer.build(x.shape, x.shape)
    parts = [weights[name].reshape(12, 3, 4) for name in ("w_q", "w_k", "w_v")]
    layer.set_weights([*parts, weights["w_o"].reshape(3, 4, 12)])
    expected = keras.ops.convert_to_numpy(layer(x, x, use_causal_mask=True))
    found = causal_self_attention(x, **weights, num_heads=3, embed_dim=12)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_a_later_token_changes_no_earlier_output():
    x, weights = np.random.default_rng(0).normal(size=(1, 6, 4)), matrices(4)
    other = x.copy()
    other[:, 4:] += 100.0
    before, after = (causal_self_attention(it, **weights, num_heads=2, embed_dim=4) for it in (x, other))
    assert np.array_equal(before[:, :4], after[:, :4])
    assert not np.isclose(before[:, 4:], after[:, 4:]).any()


class FirstPlusThis:
    """The model of the notebook's example: the next token is the first fed plus the one at the position, mod 10."""

    context = 4

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        assert tokens.shape[1] == self.context
        return np.eye(10)[(tokens[:, :1] + tokens) % 10]


def test_the_text_is_the_one_worked_by_hand():
    model: Any = FirstPlusThis()
    assert generate(model, np.array([[2, 5]]), 4).tolist() == [[2, 5, 7, 9, 1, 6]]
    assert generate(model, np.array([[9, 9, 2, 5, 7, 9]]), 2).tolist() == [[9, 9, 2, 5, 7, 9, 1, 6]]


@pytest.mark.parametrize("causal", [True, False])
def test_the_known_model_is_the_same_in_numpy_and_in_keras(causal: bool):
    model = known_model(np.random.default_rng(2), 6, 9, causal=causal, dropout=0.5)
    tokens = np.random.default_rng(3).integers(0, 9, (4, 6)).astype(np.int32)
    beside = model.beside(Probe(ask_here({})))
    np.testing.assert_allclose(beside(tokens), model(tokens), atol=1e-4)
    assert beside.describe()["input_shape"] == [None, 6]


def test_the_known_model_refuses_other_lengths():
    model = known_model(np.random.default_rng(2), 6, 9)
    with pytest.raises(Exception, match="incompatible"):
        model.beside(Probe(ask_here({})))(np.zeros((2, 5), np.int32))


def test_an_instance_that_is_passed_on_is_the_object_itself():
    seen: list[Any] = []
    probe = Probe(ask_here({"keep": lambda model, prompt: seen.append(model)}))
    known_model(np.random.default_rng(2), 6, 9)
    model = KnownModel(np.ones((3, 2)), np.ones((4, 4)), np.ones((2, 3))).beside(probe)
    probe.call("keep", model, np.zeros((1, 2)))
    assert not probe.modifies("keep", model, np.zeros((1, 2)))
    assert [type(it).__name__ for it in seen] == ["Sequential", "Sequential"]
    assert seen[0] is seen[1]


# The sorting task


def test_targets_are_the_inputs_shifted_by_one_from_the_last_unsorted_letter_on():
    letters, ordered = np.array([[3, 0, 3, 1, 2, 0]]), np.array([[2, 0, 0, 3, 3, 1]])
    x, y = sorting.shifted(letters, ordered)
    assert x.tolist() == [[3, 0, 3, 1, 2, 0, 2, 0, 0, 3, 3]]
    assert y.tolist() == [[-1, -1, -1, -1, -1, 2, 0, 0, 3, 3, 1]]


def test_every_grading_has_an_order_of_its_own_which_the_rows_show():
    orders = set()
    for seed in ("one", "two", "three"):
        task = sorting.sorting(generator(seed))
        after = np.zeros((8, 8), bool)  # whether a token stands somewhere right after another
        for row in np.concatenate([task.x_train[:, 6:], task.y_train[:, -1:]], axis=1):
            after[row[:-1], row[1:]] = True
        np.fill_diagonal(after, False)
        order = np.argsort(-after.sum(axis=1))
        assert (np.triu(after[np.ix_(order, order)], 1) == np.triu(np.ones((8, 8), bool), 1)).all()
        assert not np.tril(after[np.ix_(order, order)]).any()
        orders.add(tuple(order))
    assert len(orders) == 3


def test_what_is_to_be_sorted_was_not_trained_on():
    task = sorting.sorting(generator("unseen"))
    known = {row.tobytes() for row in task.x_train[:, :6].astype(np.int64)}
    assert len(task.letters) == 1_500
    assert not any(row.tobytes() in known for row in task.letters.astype(np.int64))
    assert (np.sort(task.letters) == np.sort(task.ordered)).all()


class Oracle:
    """Logits of a model that has learned to sort; what it knows of later positions is of no use to it."""

    def __init__(self, task: sorting.Sorting, right: int) -> None:
        self.rows = {tuple(row): answer for row, answer in zip(task.letters.tolist(), task.ordered, strict=True)}
        self.right = right

    def predict(self, rows: np.ndarray) -> np.ndarray:
        logits = np.zeros((len(rows), 11, 8), np.float32)
        for i, row in enumerate(rows):
            answer = self.rows[tuple(row[:6].tolist())].copy()
            if i >= self.right:
                answer[-1] = (answer[-1] + 1) % 8
            logits[i, np.arange(5, 11), answer] = 1.0
        return logits


def test_a_row_counts_only_if_all_six_letters_are_right():
    task = sorting.sorting(generator("oracle"))
    model: Any = Oracle(task, right=400)
    assert (sorting.decoded(model, task.letters) == task.ordered).all(axis=1).sum() == 400


class Sorter:
    """A model that sorts this share of the rows since it was trained, and that one with its weights from before."""

    def __init__(self, share: float, untrained: float = 0.0) -> None:
        self.shares, self.weights = (untrained, share), np.zeros(3)

    def __call__(self, question: Any) -> dict[str, Any]:
        if question["op"] == "train_epoch":
            self.weights = np.ones(3)
        if question["op"] == "set_weights":
            self.weights = question["weights"]
        answers = {
            "seed": None,
            "make": 1,
            "build": None,
            "describe": {"parameters": 1_000, "compiled": True},
            "train_epoch": {"loss": 1.0, "val_loss": 1.0},
            "weights": self.weights,
            "set_weights": None,
        }
        return {"value": answers[question["op"]]}


@pytest.fixture
def points(monkeypatch: pytest.MonkeyPatch) -> Any:
    def points_of(sorter: Sorter) -> float:
        def answered(model: Instance, letters: np.ndarray) -> np.ndarray:
            (first,) = np.flatnonzero((tasks[0].letters == letters[0]).all(axis=1))[:1]
            right = tasks[0].ordered[first : first + len(letters)].copy()
            right[round(sorter.shares[int(sorter.weights[0])] * len(right)) :, 0] = -5
            return right

        tasks: list[sorting.Sorting] = []
        real = sorting.sorting
        monkeypatch.setattr(sorting, "sorting", lambda rng: tasks.append(real(rng)) or tasks[0])
        monkeypatch.setattr(sorting, "decoded", answered)
        check = sorting.sorts_letters("sorts", points=7, floor=0.5, full=0.99, before=lambda trial, model: None)
        return judge(Exercise("build_gpt", (check,), ()), Probe(sorter), seed="test", student="ada").score

    return points_of


@pytest.mark.parametrize(
    ("share", "earned"),
    [(0.0, 0.0), (0.5, 0.0), (0.746, 7 * 0.246 / 0.49), (0.98, 7 * 0.48 / 0.49), (0.99, 7.0), (1.0, 7.0)],
)
def test_points_rise_linearly_with_the_rows_sorted(points: Any, share: float, earned: float):
    assert points(Sorter(share)) == pytest.approx(earned, abs=1e-3)


@pytest.mark.parametrize("share", [0.8, 1.0])
def test_who_sorts_with_the_weights_from_before_training_earns_nothing(points: Any, share: float):
    assert points(Sorter(share, untrained=0.3)) == 0


@pytest.mark.parametrize("shape", [(3, 11), (3, 8), (3, 11, 9), (3, 11, 8, 1)])
def test_logits_of_another_shape_are_refused(shape: tuple[int, ...]):
    class Odd:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return np.zeros(shape)

    model: Any = Odd()
    with pytest.raises(Broken, match="shape"):
        sorting.logits_of(model, np.zeros((3, 11), np.int32), 8)


# Who earns nothing


def stub(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def refusing(*_: Any, **__: Any) -> Any:
    raise ValueError("no")


def prompt_alone(model: Any, prompt: Any, steps: int) -> Any:
    return prompt


def zeros_appended(model: Any, prompt: Any, steps: int) -> Any:
    return np.pad(np.asarray(prompt), ((0, 0), (0, steps)))


def last_token_repeated(model: Any, prompt: Any, steps: int) -> Any:
    return np.pad(np.asarray(prompt), ((0, 0), (0, steps)), mode="edge")


@pytest.mark.parametrize("function", [stub, refusing, prompt_alone, zeros_appended, last_token_repeated])
def test_a_trivial_generate_earns_nothing(function: Any):
    assert asked(GENERATE, function).score == 0


OUT = "return ops.matmul(merged, self.w_o)"


@pytest.mark.parametrize("instead", ["return x", "return ops.zeros_like(x)", "raise NotImplementedError"])
def test_a_trivial_layer_with_the_right_weights_earns_nothing(source: SourceNotebook, instead: str):
    cell = source.solutions["CausalSelfAttention"]
    assert cell.count(OUT) == 1
    assert run(CAUSAL_SELF_ATTENTION, cell.replace(OUT, instead)).score == 0


def test_gates_alone_earn_nothing(source: SourceNotebook, hardly_trained: None):
    report = run(BUILD_GPT, small(source))
    assert failed(report) == {SORTS}
    assert report.score == 0


@pytest.mark.parametrize("builder", [stub, refusing, lambda V, T: None])
def test_no_model_earns_nothing(builder: Any):
    assert asked(BUILD_GPT, builder).score == 0


# Gates cost points and give none


def test_eighteen_points_for_numbers_and_behaviour():
    assert ASSIGNMENT.points == 18
    for exercise in ASSIGNMENT.exercises:
        assert all(check.cost == 0 or check.points == 0 for check in exercise.checks)
        assert 0 < sum(check.cost for check in exercise.checks) < exercise.points


def test_a_bias_costs_the_gate_on_weights_and_nothing_else(source: SourceNotebook):
    report = run(
        CAUSAL_SELF_ATTENTION, edited(source.solutions["CausalSelfAttention"], CAUSAL_SELF_ATTENTION, "has-biases")
    )
    assert failed(report) == {"has the weights w_q, w_k, w_v and w_o, each (D, D), and no other"}
    assert report.score == report.max_score - 1


def test_another_padding_costs_the_check_on_padding_only(source: SourceNotebook):
    report = run(GENERATE, edited(source.solutions["generate"], GENERATE, "pads-with-another-number"))
    assert failed(report) == {"fills the context with 0 on the right"}


def test_notebook_and_checks_agree_on_the_points(source: SourceNotebook):
    points = {
        cell.metadata.nbgrader.grade_id.removeprefix("test_"): cell.metadata.nbgrader.points
        for cell in source.notebook.cells
        if cell.metadata.get("nbgrader", {}).get("points")
    }
    assert points == {exercise.symbol: exercise.points for exercise in ASSIGNMENT.exercises}


def test_every_hidden_check_is_announced_in_the_notebook(source: SourceNotebook):
    text = " ".join(c.source for c in source.notebook.cells if c.cell_type == "markdown")
    for exercise in ASSIGNMENT.exercises:
        for check in exercise.checks:
            assert f"- {check.name}\n" in text, f"{exercise.symbol}: {check.name}"


def test_the_notebook_tells_the_numbers_of_the_training(source: SourceNotebook):
    (text,) = (c.source for c in source.notebook.cells if c.id == "build-task")
    assert f"build_gpt({sorting.SYMBOLS}, {sorting.CONTEXT})" in text
    assert f"{sorting.ROWS:,} rows" in text
    assert f"{sorting.UNSEEN:,} letter rows" in text
    assert "five epochs" in text
    assert sorting.EPOCHS == 5


# What a student reads


def test_a_leak_that_is_small_is_named(source: SourceNotebook):
    cell = edited(source.solutions["CausalSelfAttention"], CAUSAL_SELF_ATTENTION, "blocked-by-ten-only")
    report = run(CAUSAL_SELF_ATTENTION, cell)
    assert report.misconception == "blocked-by-ten-only"
    assert report.hint == CAUSAL_SELF_ATTENTION.misconception("blocked-by-ten-only").hint


@pytest.mark.parametrize("constant", ["-1e6", "-1e9", "-1e30", '-float("inf")'])
def test_every_constant_that_blocks_is_accepted(source: SourceNotebook, constant: str):
    cell = source.solutions["CausalSelfAttention"].replace("-1e9", constant)
    asked_for = only(CAUSAL_SELF_ATTENTION, "a later token never changes an earlier output")
    assert failed(run(asked_for, cell)) == set()


@pytest.mark.parametrize(
    ("mistake", "check"),
    [
        ("not-causal", "looks back and never ahead"),
        ("tokens-do-not-meet", "looks back and never ahead"),
        ("last-position-only", "gives logits for every position"),
        ("refuses-minus-one", "learns nothing from targets of -1"),
        ("learns-from-minus-one", "learns nothing from targets of -1"),
        ("nothing-over-nothing", "learns nothing from targets of -1"),
        ("probabilities-for-logits", "gives logits for every position"),
    ],
)
def test_a_mistake_in_the_model_is_named_before_it_is_trained(source: SourceNotebook, mistake: str, check: str):
    report = run(only(BUILD_GPT, check), small(source, mistake))
    assert failed(report) == {check}
    assert report.misconception == mistake
    assert report.hint == BUILD_GPT.misconception(mistake).hint


def test_a_model_that_looks_ahead_is_not_trained(source: SourceNotebook, monkeypatch: pytest.MonkeyPatch):
    trained: list[int] = []
    real = Instance.train_epoch

    def train_epoch(self: Instance, x: np.ndarray, *rest: np.ndarray, **settings: int) -> dict[str, float]:
        trained.append(len(x))
        return real(self, x, *rest, **settings)

    monkeypatch.setattr(Instance, "train_epoch", train_epoch)
    report = run(only(BUILD_GPT, SORTS), small(source, "not-causal"))
    assert failed(report) == {SORTS}
    assert trained == []


# Ready-made forms


@pytest.mark.parametrize(
    "code",
    [
        "layer = keras.layers.MultiHeadAttention(2, 4)",
        "layer = keras.layers.Attention()",
        "from jax.nn import dot_product_attention",
        "heads = getattr(ops, 'dot_product_attention')(q, k, v)",
    ],
)
def test_ready_made_attention_is_found_in_the_layer_and_allowed_in_the_builder(code: str):
    assert find_forbidden(code, CAUSAL_SELF_ATTENTION.forbidden, "CausalSelfAttention")
    assert find_forbidden(code, BUILD_GPT.forbidden, "build_gpt") is None


def test_names_of_ones_own_are_allowed():
    code = "class CausalSelfAttention:\n    def call(self, x):\n        Attention = x\n        return Attention"
    assert find_forbidden(code, CAUSAL_SELF_ATTENTION.forbidden, "CausalSelfAttention") is None


def test_neither_solutions_nor_alternatives_count_as_ready_made(source: SourceNotebook):
    alternatives = COURSE / "tests" / "alternatives" / source.name
    for exercise in ASSIGNMENT.exercises:
        cells = [path.read_text(encoding="utf-8") for path in alternatives.glob(f"{exercise.symbol}__*.py")]
        assert len(cells) >= 3
        for cell in (source.solutions[exercise.symbol], *cells):
            assert find_forbidden(cell, exercise.forbidden, exercise.symbol) is None
