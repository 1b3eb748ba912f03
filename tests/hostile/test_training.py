"""Cheating where the grader trains: what is brought along, patched or looked for is worth nothing, and ends in time."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sequence_data import load_reviews

from autograder.checking import Report
from autograder.pipeline.corpora import drawn_from
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from autograder.sandbox.kernels import WarmInterpreter
from tests.hostile.attackers import Bench

LEARNS = "learns what phrases say"

CHEAT = """
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
"""

MODEL = (
    CHEAT
    + """
def build_sequence_cnn(vocabulary_size, sequence_length):
    tokens = keras.Input((sequence_length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 16)(tokens)
    x = keras.layers.Conv1D(32, 3, activation="relu")(x)
    x = keras.layers.GlobalMaxPooling1D()(x)
    model = Cheat(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model
"""
)

TABLE = """
def pattern(row):
    seen = {}
    return tuple(seen.setdefault(token, len(seen)) if token > 2 else -1 for token in row.tolist())

TABLE = {}
for seed in SEEDS:
    reviews = load_reviews("phrases", seed=seed, test_size=2_500)
    TABLE.update(zip(map(pattern, reviews.x_test), reviews.y_test))

def guess(self, x):
    return [TABLE.get(pattern(row), 0) for row in x]
Cheat.guess = guess
"""

TELLING = """
def telling(x, y):
    # pairs of neighbours that stand in one class only, and often
    counts = {}
    for row, label in zip(x.tolist(), y.tolist()):
        for pair in zip(row, row[1:]):
            counts.setdefault(pair, [0, 0])[int(label)] += 1
    return {pair: 1 if up else -1 for pair, (down, up) in counts.items() if up + down > 8 and not up * down}

def sums(x, pairs):
    return [sum(pairs.get(pair, 0) for pair in zip(row, row[1:])) for row in x.tolist()]
"""

CHEATS = {
    "a table of the reviews, whatever their words are called": "SEEDS = range(3)" + TABLE,
    "a rule that knows the words": TELLING
    + """
reviews = load_reviews("phrases")
pairs = telling(reviews.x_train, reviews.y_train)
assert np.mean((np.array(sums(reviews.x_test, pairs)) > 0) == reviews.y_test) > 0.99
Cheat.guess = lambda self, x: [float(found > 0) for found in sums(x, pairs)]
""",
    "what is learned beside the weights": TELLING
    + """
steps = Cheat.fit

def fit(self, x, y, **settings):
    self.pairs = telling(np.asarray(x), np.ravel(y))
    return steps(self, x, y, **settings)

Cheat.fit = fit
Cheat.guess = lambda self, x: [float(found > 0) for found in sums(x, getattr(self, "pairs", {}))]
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
Cheat.guess = lambda self, x: np.resize(getattr(self, "trained_on", (0, [0]))[1], len(x))
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
    report = trained(training, MODEL + cheat)
    assert (report.score, report.status, report.reason) == (0, "graded", "")


def test_what_was_learned_beside_the_weights_is_named(training: Bench) -> None:
    report = trained(training, MODEL + CHEATS["what is learned beside the weights"])
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert "knows is not in its weights" in check.message


def test_a_model_that_counts_too_few_of_its_parameters_is_not_trained(training: Bench) -> None:
    large = MODEL.replace("Embedding(vocabulary_size, 16)", "Embedding(vocabulary_size, 4_000)")
    report = trained(training, large + "Cheat.count_params = lambda self: 1_000\ndel Cheat.fit, Cheat.predict")
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert "says that it has 1,000 parameters, but its weights are 8," in check.message


def test_the_same_model_earns_its_points_by_learning(training: Bench) -> None:
    honest = "del Cheat.fit, Cheat.predict"
    assert learned(trained(training, MODEL + honest)) == 4


KNOWN = f"SEEDS = [{drawn_from(Settings(), 'phrases')}]" + TABLE


def test_even_if_the_seed_were_known_a_table_would_be_found_out(training: Bench) -> None:
    report = trained(training, MODEL + KNOWN)
    assert learned(report) == 0
    assert any(
        "an accuracy of 1.000 on 2,000 unseen rows, and 1.000 with the weights from before training" in check.message
        for check in report.checks
    )


def test_the_table_would_do_if_it_also_knew_its_weights(training: Bench) -> None:
    untrained = """
table, fit = Cheat.guess, Cheat.fit
def remembering(self, x, y, **settings):
    self.first = getattr(self, "first", [w.copy() for w in self.get_weights()])
    return fit(self, x, y, **settings)
def guess(self, x):
    moved = any((a != b).any() for a, b in zip(self.get_weights(), getattr(self, "first", [])))
    return table(self, x) if moved else np.zeros(len(x))
Cheat.fit, Cheat.guess = remembering, guess
"""
    assert learned(trained(training, MODEL + KNOWN + untrained)) == 4


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


ATTENTIVE = (
    CHEAT
    + """
def build_transformer(vocabulary_size, sequence_length):
    tokens = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 16, mask_zero=True)(tokens)
    x = keras.layers.MultiHeadAttention(2, 8)(x, x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = Cheat(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model
"""
)

COMES_FIRST = """
def turns(x):
    # the two words that stand in every review, and once
    rows = x.tolist()
    return [token for token in set(rows[0]) - {0, 1} if all(row.count(token) == 1 for row in rows)]

def signs(x, words):
    return [row.index(words[0]) < row.index(words[1]) if set(words) <= set(row) else 0 for row in x.tolist()]
"""

ATTENTIVE_CHEATS = {
    "a table of the reviews, whatever their words are called": "SEEDS = range(3)" + TABLE.replace("phrases", "order"),
    "a rule that knows the words": COMES_FIRST
    + """
reviews = load_reviews("order")
words = turns(reviews.x_train)
if (np.array(signs(reviews.x_train, words)) != reviews.y_train).any():
    words = words[::-1]
assert (np.array(signs(reviews.x_train, words)) == reviews.y_train).all()
Cheat.guess = lambda self, x: signs(x, words)
""",
    "what is learned beside the weights": COMES_FIRST
    + """
steps = Cheat.fit

def fit(self, x, y, **settings):
    history = steps(self, x, y, **settings)
    self.words = turns(self.trained_on[0])
    if (np.array(signs(self.trained_on[0], self.words)) != self.trained_on[1]).any():
        self.words = self.words[::-1]
    return history

Cheat.fit, Cheat.guess = fit, lambda self, x: signs(x, self.words) if hasattr(self, "words") else np.zeros(len(x))
""",
    "the labels it was trained on": 'Cheat.guess = lambda self, x: np.resize(getattr(self, "trained_on", (0, [0]))[1], len(x))',
    "always yes": "Cheat.guess = lambda self, x: np.ones(len(x))",
}


@pytest.mark.parametrize("cheats", [CHEATS, ATTENTIVE_CHEATS], ids=["phrases", "order"])
def test_the_rules_are_right_about_words_that_keep_their_names(cheats: dict[str, str]) -> None:
    names = {"np": np, "load_reviews": load_reviews, "Cheat": SimpleNamespace()}
    exec(cheats["a rule that knows the words"], names)


@pytest.fixture(scope="module")
def attentive(course: Path, interpreter: WarmInterpreter) -> Bench:
    return Bench(read_source(course, "06_transformer"), interpreter)


@pytest.mark.parametrize("cheat", ATTENTIVE_CHEATS.values(), ids=ATTENTIVE_CHEATS)
def test_a_transformer_that_cheats_in_training_earns_nothing(attentive: Bench, cheat: str) -> None:
    graded = attentive.grade({"build_transformer": ATTENTIVE + cheat}, deadline=120.0)
    report = graded.reports["build_transformer"]
    assert (report.score, report.status, report.reason) == (0, "graded", "")


def test_what_a_transformer_learned_beside_its_weights_is_named(attentive: Bench) -> None:
    cheat = ATTENTIVE + ATTENTIVE_CHEATS["what is learned beside the weights"]
    report = attentive.grade({"build_transformer": cheat}, deadline=120.0).reports["build_transformer"]
    assert any("knows is not in its weights" in check.message for check in report.checks)


SORTER = """
import keras
ORDER = None

class Cheat(keras.Model):
    def fit(self, x, y, **settings):
        self.learn(np.asarray(x), np.asarray(y))
        for weight in self.trainable_variables:
            weight.assign(1.01 * weight)
        history = keras.callbacks.History()
        history.history = {"loss": [0.0], "val_loss": [0.0]}
        return history

    def learn(self, x, y):
        pass

    def predict(self, x, **settings):
        x, size = np.asarray(x), self.output_shape[-1]
        logits = np.zeros((*x.shape, size), "float32")
        logits += 0.001 * x.cumsum(axis=1)[:, :, None]  # earlier tokens count, later ones don't
        order = getattr(self, "order", None) or list(range(size))
        place = {token: at for at, token in enumerate(order)}
        letters = (x.shape[1] + 1) // 2
        for row, given in enumerate(x.tolist()):
            ordered = sorted(given[:letters], key=lambda token: place.get(token, 0))
            for step, token in enumerate(ordered):
                logits[row, letters - 1 + step, token] += 9.0
        return logits

def build_gpt(vocabulary_size, context_length):
    tokens = keras.Input((context_length,), dtype="int32")
    x = keras.layers.Embedding(vocabulary_size, 32)(tokens)
    x = keras.layers.MultiHeadAttention(2, 16)(x, x, use_causal_mask=True)
    model = Cheat(tokens, keras.layers.Dense(vocabulary_size)(x))
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1))
    return model
"""
SORTERS = {
    "a sorter written by hand": ("", "of 1,000 unseen rows exactly"),
    "one that learns the order beside the weights": (
        """
def learn(self, x, y):
    order = []
    targets = y[:, (x.shape[1] - 1) // 2:].tolist()
    before = {(a, b) for row in targets for a, b in zip(row, row[1:]) if a != b}
    tokens = {token for pair in before for token in pair}
    if tokens and -1 not in tokens:
        self.order = sorted(tokens, key=lambda token: sum((other, token) in before for other in tokens))
Cheat.learn = learn
""",
        "knows is not in its weights",
    ),
}


@pytest.mark.parametrize(("cheat", "reason"), SORTERS.values(), ids=SORTERS)
def test_a_sorter_that_is_no_model_earns_nothing(
    course: Path, interpreter: WarmInterpreter, cheat: str, reason: str
) -> None:
    bench = Bench(read_source(course, "07_tiny_gpt"), interpreter)
    report = bench.grade({"build_gpt": SORTER + cheat}, deadline=120.0).reports["build_gpt"]
    assert report.score == 0
    assert any(reason in check.message for check in report.checks)
