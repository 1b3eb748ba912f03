"""Layers as arguments, and layers of Keras' own beside the student's code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checking import Instance, Probe, StudentError
from autograder.sandbox.local import ask_here

CELL = """
import keras

class Scale(keras.layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(shape=(input_shape[-1],), name="factor")
    def call(self, x):
        return x * self.factor

class Sum(keras.layers.Layer):
    def build(self, *shapes, **named):
        self.factor = self.add_weight(shape=(3,), name="factor")
    def call(self, x, y):
        return x * self.factor + y

def kinds(*things, **named):
    return {name: type(thing).__name__ for name, thing in [*enumerate(things), *named.items()]}

def copy_factor(source, target):
    target.factor.assign(source.factor)
    return target

def units(layer):
    return layer.units

def apply(layer, x):
    return layer(x)
"""
READY_MADE = ("Dense", "MultiHeadAttention", "dot_product_attention")


@pytest.fixture
def probe() -> Probe:
    namespace: dict[str, Any] = {}
    exec(CELL, namespace)
    ask = ask_here(namespace)
    return Probe(lambda question: ask({**question, "forbidden": READY_MADE}))


def scaling(probe: Probe, factor: float) -> Instance:
    layer = probe.make("Scale")
    layer(np.ones((2, 3), np.float32))
    layer.assign({"factor": np.full(3, factor, np.float32)})
    return layer


def test_an_instance_reaches_a_function_as_the_layer_itself(probe: Probe):
    layer = scaling(probe, 2.0)
    assert probe.call("kinds", layer, np.ones(2), 7, layer=layer) == {
        "0": "Scale",
        "1": "ndarray",
        "2": "int",
        "layer": "Scale",
    }


def test_a_function_works_on_the_very_layers_that_it_is_given(probe: Probe):
    source, target = scaling(probe, 5.0), scaling(probe, 1.0)
    probe.do("copy_factor", source, target)
    np.testing.assert_array_equal(target.read("factor")["factor"], [5, 5, 5])


def test_what_is_done_may_return_what_cannot_be_sent(probe: Probe):
    source, target = scaling(probe, 5.0), scaling(probe, 1.0)
    with pytest.raises(StudentError, match="TypeError"):
        probe.call("copy_factor", source, target)
    probe.do("copy_factor", source, target)


def test_an_instance_travels_as_its_number():
    asked: list[Any] = []

    def ask(question: Any) -> dict[str, Any]:
        asked.append(question)
        return {"value": 7 if question["op"] == "keras" else None}

    probe = Probe(ask)
    layer = probe.keras("Dense", units=4)
    probe.call("units", layer, other=layer)
    assert asked[0] == {"op": "keras", "class_name": "Dense", "config": {"units": 4}}
    assert asked[1]["args"] == [{"instance": 7}]
    assert asked[1]["kwargs"] == {"other": {"instance": 7}}


def test_other_dicts_stay_dicts(probe: Probe):
    assert probe.call("kinds", {"instance": 1, "more": 2}, {}) == {"0": "dict", "1": "dict"}


def test_a_layer_of_keras_is_made_run_and_read(probe: Probe):
    layer = probe.keras("Dense", units=2, use_bias=False)
    layer(np.ones((1, 3), np.float32))
    kernel = np.arange(6, dtype=np.float32).reshape(3, 2)
    layer.assign({"kernel": kernel})
    np.testing.assert_allclose(layer(np.ones((1, 3), np.float32)), [[6, 9]])
    assert probe.call("units", layer) == 2


@pytest.mark.parametrize("name", ["Nothing", "__builtins__", "keras"])
def test_a_name_that_is_no_layer_is_an_error_of_the_question(probe: Probe, name: str):
    with pytest.raises(StudentError):
        probe.keras(name)


def test_no_number_is_no_layer():
    probe = Probe(lambda question: {"value": "seven"})
    with pytest.raises(StudentError, match="Malformed"):
        probe.keras("Dense", units=1)


def test_a_ready_made_layer_of_the_graders_own_is_not_refused(probe: Probe):
    x = np.ones((2, 4, 6), np.float32)
    layer = probe.keras("MultiHeadAttention", num_heads=2, key_dim=3, use_bias=False)
    assert np.shape(layer(x, x, x)) == (2, 4, 6)
    assert layer.read("query_dense.kernel")["query_dense.kernel"].shape == (6, 2, 3)


def test_the_students_code_may_not_call_it_for_all_that(probe: Probe):
    layer = probe.keras("Dense", units=2)
    x = np.ones((1, 3), np.float32)
    layer(x)
    with pytest.raises(StudentError, match="Forbidden: Dense"):
        probe.call("apply", layer, x)


def test_a_class_in_the_place_of_keras_own_gains_nothing(probe: Probe, monkeypatch: pytest.MonkeyPatch):
    # code that takes the place of Keras' layer runs while the grader's own layer is made: its calls are refused
    import keras

    dense = keras.layers.Dense

    def pretended(**config: Any) -> Any:
        return dense(**config)

    monkeypatch.setattr(keras.layers, "Flatten", pretended)
    with pytest.raises(StudentError, match="Forbidden: Dense"):
        probe.keras("Flatten", units=2)


def test_layers_of_keras_are_forgotten_with_the_others(probe: Probe):
    layer = probe.keras("Dense", units=2)
    probe.ask("forget")
    with pytest.raises(StudentError):
        layer(np.ones((1, 3), np.float32))


def test_gradients_of_a_layer_with_several_inputs(probe: Probe):
    layer = probe.make("Sum")
    x, y = np.full((2, 4, 3), 2.0, np.float32), np.ones((2, 4, 3), np.float32)
    layer(x, y)
    found = layer.gradients((x, y), np.ones((2, 4, 3), np.float32), "factor")
    # every one of the eight vectors adds its 2
    np.testing.assert_allclose(found["factor"], [16, 16, 16], rtol=1e-5)
