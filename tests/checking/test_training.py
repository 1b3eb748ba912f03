"""How the grader trains: the best epoch wins, and training that did nothing is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checking import Broken, Check, Exercise, Probe, Trial
from autograder.checking.training import Weights, answers, train, train_and_check
from autograder.sandbox.local import ask_here

ROWS = np.random.default_rng(0).integers(3, 60, (200, 12)).astype(np.int32)
LABELS = (ROWS[:, 0] > 30).astype(np.int32)
ANY = Check("holds", lambda trial: None, points=1)

BUILDER = """
import keras

class Trained(keras.Model):
    # what training does to it is for a test to say
    def train_step(self, data):
        x, y = data
        {step}
        return {{"loss": keras.ops.mean(self(x))}}

def build():
    tokens = keras.Input((12,))
    x = keras.layers.Embedding(60, 16)(tokens)
    out = keras.layers.Dense(1, activation="sigmoid")(keras.layers.GlobalAveragePooling1D()(x))
    model = Trained(tokens, out)
    model.compile(loss="binary_crossentropy", optimizer="sgd", run_eagerly=True)
    return model
"""


class Scripted:
    """A model whose losses are given; its only weight counts the epochs."""

    def __init__(self, held_out: list[float]) -> None:
        self.held_out = held_out
        self.epochs = 0

    def weights(self) -> np.ndarray:
        return np.array([float(self.epochs)])

    def set_weights(self, weights: np.ndarray) -> None:
        self.epochs = int(weights[0])

    def train_epoch(self, *_: np.ndarray, **settings: int) -> dict[str, float]:
        assert settings["epoch"] == self.epochs
        self.epochs += 1
        return {"loss": 1.0, "val_loss": self.held_out[self.epochs - 1]}


def trial(cell: str = "", told: list[str] | None = None) -> Trial:
    namespace: dict[str, Any] = {"__name__": "cell"}
    exec(cell, namespace)
    tell = told.append if told is not None else lambda line: None
    return Trial(Exercise("build", (ANY,), ()), Probe(ask_here(namespace)), np.random.default_rng(1), _no_data, tell)


def _no_data(name: str) -> Any:
    raise LookupError(name)


@pytest.mark.parametrize(
    ("held_out", "best"),
    [
        ([0.5, 0.3, 0.4], 2),
        ([0.3, 0.4, 0.5], 1),
        ([0.5, 0.4, 0.3], 3),
        ([float("nan"), 0.4, float("nan")], 2),
        ([0.4, float("nan"), 0.5], 1),
    ],
)
def test_the_weights_of_the_best_epoch_stay(held_out: list[float], best: int):
    model: Any = Scripted(held_out)
    train(trial(), model, ROWS, LABELS, epochs=3)
    assert model.epochs == best


def test_every_epoch_is_told_and_the_time_left_but_after_the_last():
    told: list[str] = []
    model: Any = Scripted([0.5, 0.25])
    train(trial(told=told), model, ROWS, LABELS, epochs=2)
    assert told[0].startswith("epoch 1 of 2, loss 1.000, 0.500 on held-out rows, about ")
    assert told[1] == "epoch 2 of 2, loss 1.000, 0.250 on held-out rows"


def test_one_part_that_nobody_knows_is_asked_about_with_the_weights_from_before():
    asked, parts = trial(), np.array_split(np.arange(9), 3)
    drawn: set[int] = set()
    for _ in range(50):
        model: Any = Scripted([])

        def ask(part: np.ndarray, model: Any = model) -> tuple[int, int]:
            return int(part[0]) // 3, model.epochs

        found, untrained = answers(asked, model, Weights(np.zeros(1), np.full(1, 3.0)), parts, ask)
        assert found == [(part, 0 if part == untrained else 3) for part in range(3)]
        assert model.epochs == 3
        drawn.add(untrained)
    assert drawn == {0, 1, 2}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("pass", "moved none"),
        ("[w.assign(w * float('nan')) for w in self.weights]", "not all weights"),
    ],
)
def test_training_that_did_nothing_or_too_much_is_seen(step: str, sentence: str):
    asked = trial(BUILDER.format(step=step))
    with pytest.raises(Broken, match=sentence):
        train_and_check(asked, asked.probe.make("build"), ROWS, LABELS, epochs=1)


def test_what_moved_is_not_complained_about():
    asked = trial(BUILDER.format(step="[w.assign(w * 0.5) for w in self.weights]"))
    model = asked.probe.make("build")
    before = model.weights()
    weights = train_and_check(asked, model, ROWS, LABELS, epochs=1)
    assert np.array_equal(weights.untrained, before)
    assert np.array_equal(weights.trained, model.weights())
    assert np.allclose(np.abs(model.weights()).sum() / np.abs(before).sum(), 0.5**3, rtol=1e-3)


def test_a_model_too_small_to_have_learned_anything_is_refused():
    asked = trial(BUILDER.format(step="pass").replace("Embedding(60, 16)", "Embedding(60, 1)"))
    with pytest.raises(Broken, match="has 62 parameters; it must have 500 to 5,000,000"):
        train_and_check(asked, asked.probe.make("build"), ROWS, LABELS, epochs=1)


def test_weights_come_back_as_they_went():
    asked = trial(BUILDER.format(step="pass"))
    model = asked.probe.make("build")
    wanted = np.arange(60 * 16 + 17, dtype=np.float32)
    model.set_weights(wanted)
    assert np.array_equal(model.weights(), wanted)
