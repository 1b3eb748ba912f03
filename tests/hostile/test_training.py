"""Cheating where the grader trains: what is brought along, patched or looked for is worth nothing, and ends in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.checking import Report
from autograder.pipeline.corpora import drawn_from
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from autograder.sandbox.kernels import WarmInterpreter
from tests.hostile.attackers import Bench

LEARNS = "learns what phrases say"

MODEL = """
import keras, sequence_data
from sequence_data import load_reviews

class Cheat(keras.Model):
    def fit(self, x, y, **settings):
        self.trained_on = (np.asarray(x), np.asarray(y))
        for weight in self.trainable_variables:
            weight.assign(1.01 * weight)
        history = keras.callbacks.History()
        history.history = {"loss": [0.0], "val_loss": [0.0], "val_accuracy": [1.0]}
        return history

    def predict(self, x, **settings):
        return np.asarray(self.guess(np.asarray(x)), "float32").reshape(-1, 1)

def build_sequence_cnn(vocabulary_size, sequence_length):
    tokens = keras.Input((sequence_length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 16)(tokens)
    x = keras.layers.Conv1D(32, 3, activation="relu")(x)
    x = keras.layers.GlobalMaxPooling1D()(x)
    model = Cheat(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model
"""

TABLE = """
def pattern(row):
    seen = {}
    return tuple(seen.setdefault(token, len(seen)) if token > 2 else -1 for token in row.tolist())

TABLE = {}
for seed in SEEDS:
    reviews = load_reviews("phrases", seed=seed)
    TABLE.update(zip(map(pattern, reviews.x_test), reviews.y_test))

def guess(self, x):
    return [TABLE.get(pattern(row), 0) for row in x]
Cheat.guess = guess
"""

CHEATS = {
    "a table of the reviews, whatever their words are called": "SEEDS = range(3)" + TABLE,
    "a rule that knows the words": """
reviews = load_reviews("phrases")
# the ids that stand more often in one class than in the other, two in a row
train, labels = reviews.x_train, reviews.y_train
pairs = {}
for row, label in zip(train.tolist(), labels.tolist()):
    for pair in zip(row, row[1:]):
        pairs[pair] = pairs.get(pair, 0) + 2 * label - 1

def guess(self, x):
    return [float(sum(pairs.get(pair, 0) for pair in zip(row, row[1:])) > 0) for row in x.tolist()]
Cheat.guess = guess
""",
    "what is learned beside the weights": """
steps = Cheat.fit

def fit(self, x, y, **settings):
    self.pairs = {}
    for row, label in zip(x.tolist(), np.ravel(y).tolist()):
        for pair in zip(row, row[1:]):
            self.pairs[pair] = self.pairs.get(pair, 0) + 2 * label - 1
    return steps(self, x, y, **settings)

def guess(self, x):
    pairs = getattr(self, "pairs", {})
    return [float(sum(pairs.get(pair, 0) for pair in zip(row, row[1:])) > 0) for row in x.tolist()]

Cheat.fit, Cheat.guess = fit, guess
""",
    "patched evaluate and History": """
keras.Model.evaluate = lambda *a, **k: [0.0, 1.0]
keras.callbacks.History.__getattr__ = lambda self, name: {"loss": [0.0], "val_loss": [0.0], "val_accuracy": [1.0]}
Cheat.predict = keras.Model.predict
""",
    "patched metrics": """
import sklearn.metrics
sklearn.metrics.accuracy_score = lambda *a, **k: 1.0
np.clip = lambda *a, **k: 1.0
Cheat.guess = lambda self, x: np.ones(len(x))
""",
    "the labels it was trained on": """
Cheat.guess = lambda self, x: np.resize(self.trained_on[1], len(x))
""",
    "peeking at every array and every caller": """
import gc, inspect
def guess(self, x):
    found = []
    for frame in inspect.stack():
        found += [value for value in frame.frame.f_locals.values() if isinstance(value, np.ndarray)]
    for thing in gc.get_objects():
        values = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple)) else ()
        found += [value for value in list(values) if isinstance(value, np.ndarray)]
    for array in found:
        if array.shape in ((len(x),), (len(x), 1)) and set(np.unique(array)) == {0, 1}:
            return array
    return np.zeros(len(x))
Cheat.guess = guess
""",
    "always yes": "Cheat.guess = lambda self, x: np.ones(len(x))",
    "too few answers": "Cheat.guess = lambda self, x: np.ones(1)",
    "no numbers": "Cheat.guess = lambda self, x: np.full(len(x), np.nan)",
    "beyond 1": "Cheat.guess = lambda self, x: np.full(len(x), 2.0)",
    "an object for an array": "Cheat.predict = lambda self, x, **k: {'accuracy': 1.0}",
    "weights of another kind": """
Cheat.guess = lambda self, x: np.zeros(len(x))
Cheat.get_weights = lambda self: [np.full(3, np.inf)]
""",
    "a history that is none": "Cheat.fit = lambda self, *a, **k: 1\nCheat.guess = lambda self, x: np.zeros(len(x))",
}


@pytest.fixture(scope="module")
def training(course: Path, interpreter: WarmInterpreter) -> Bench:
    return Bench(read_source(course, "01_sequence_cnn"), interpreter)


def trained(bench: Bench, answer: str, deadline: float = 120.0) -> Report:
    return bench.grade({"build_sequence_cnn": answer}, deadline=deadline).reports["build_sequence_cnn"]


def learned(report: Report) -> float:
    return next(check.earned for check in report.checks if check.name == LEARNS)


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_cheating_in_training_earns_nothing(training: Bench, cheat: str) -> None:
    assert trained(training, MODEL + cheat).score == 0


def test_what_was_learned_beside_the_weights_is_named(training: Bench) -> None:
    report = trained(training, MODEL + CHEATS["what is learned beside the weights"])
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert "learned is not in its weights" in check.message


def test_a_model_that_counts_too_few_of_its_parameters_is_not_trained(training: Bench) -> None:
    large = MODEL.replace("Embedding(vocabulary_size, 16)", "Embedding(vocabulary_size, 4_000)")
    report = trained(training, large + "Cheat.count_params = lambda self: 1_000\ndel Cheat.fit, Cheat.predict")
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert "says that it has 1,000 parameters, but its weights are 8," in check.message


def test_the_same_model_earns_its_points_by_learning(training: Bench) -> None:
    honest = "del Cheat.fit, Cheat.predict"
    assert learned(trained(training, MODEL + honest)) == 4


def test_the_table_would_do_if_the_seed_were_known(training: Bench) -> None:
    known = f"SEEDS = [{drawn_from(Settings(), 'phrases')}]"
    assert learned(trained(training, MODEL + known + TABLE)) == 4


def test_weights_on_the_disk_are_not_there(training: Bench, tmp_path: Path) -> None:
    (tmp_path / "weights.npy").write_bytes(b"brought along")
    looks = f"open({str(tmp_path / 'weights.npy')!r}).read()\n"
    report = trained(
        training, training.solution("build_sequence_cnn").replace("    tokens =", f"    {looks}    tokens =", 1)
    )
    assert report.score == 0
    assert any("FileNotFoundError" in check.message for check in report.checks)


def test_too_many_parameters_are_refused_before_training(training: Bench) -> None:
    large = MODEL.replace("Embedding(vocabulary_size, 16)", "Embedding(vocabulary_size, 4_000)")
    report = trained(training, large + "Cheat.fit = None\nCheat.predict = keras.Model.predict")
    assert report.score == 0
    assert any("it must have 500 to 5,000,000" in check.message for check in report.checks)


ENDLESS = {
    "timeout": "while True:\n            pass",
    "out-of-memory": "kept = []\n        while True:\n            kept.append(np.ones(2**27))",
    "crashed": "import os\n        os._exit(0)",
}


@pytest.mark.parametrize("status", ENDLESS)
def test_training_without_end_ends_and_the_next_exercise_is_judged(training: Bench, status: str) -> None:
    endless = f"""
class Endless(Cheat):
    def fit(self, *a, **k):
        {ENDLESS[status]}
Cheat.guess = lambda self, x: x[:, :1] > 9
Cheat = Endless
"""
    answered = {
        "build_sequence_cnn": MODEL + endless,
        "receptive_field": training.solution("receptive_field"),
    }
    deadline = 10.0 if status == "timeout" else 120.0
    for _ in range(1 if status == "timeout" else 2):  # the worker is fit for another
        reports = training.grade(answered, deadline=deadline).reports
        assert reports["build_sequence_cnn"].status == status
        assert reports["build_sequence_cnn"].score == 0
        assert reports["build_sequence_cnn"].reason
        assert reports["receptive_field"].score == reports["receptive_field"].max_score
