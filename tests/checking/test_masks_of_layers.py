"""Which mask leaves a layer: the question, and what comes back from layers that keep, drop or change it."""

import keras
import numpy as np
import pytest

from autograder.checking import Probe, StudentError
from autograder.sandbox.local import ask_here

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
MASK = np.array([[True, True, False], [True, False, False]])


class Dropping(keras.layers.Layer):
    def call(self, x):
        return 2.0 * x


class Keeping(Dropping):
    def __init__(self):
        super().__init__()
        self.supports_masking = True


class Changing(Dropping):
    def compute_mask(self, inputs, previous_mask):
        return None if previous_mask is None else keras.ops.logical_not(previous_mask)


class Reading(Keeping):
    def call(self, x, mask=None):
        return keras.ops.where(mask[..., None], x, 0.0)


class Raising(Dropping):
    def call(self, x):
        raise ValueError("no")


def masked(layer):
    return Probe(ask_here({"layer": layer})).make("layer").masked(X, MASK)


def test_a_layer_that_supports_masking_sends_the_mask_on():
    output, mask = masked(Keeping)
    np.testing.assert_array_equal(output, 2 * X)
    np.testing.assert_array_equal(mask, MASK)


@pytest.mark.filterwarnings("ignore:Layer 'dropping'")
def test_behind_a_layer_that_does_not_there_is_none():
    output, mask = masked(Dropping)
    np.testing.assert_array_equal(output, 2 * X)
    assert mask is None


def test_a_mask_that_a_layer_computes_is_the_one_that_arrives():
    np.testing.assert_array_equal(masked(Changing)[1], ~MASK)


def test_the_layer_itself_gets_the_mask():
    np.testing.assert_array_equal(masked(Reading)[0], np.where(MASK[..., None], X, 0))


def test_what_a_layer_raises_is_told():
    with pytest.raises(StudentError, match="no"):
        masked(Raising)


def test_an_answer_of_another_form_is_the_agents_fault():
    answers = {"make": 1, "masked": True}
    probe = Probe(lambda question: {"value": answers[question["op"]]})
    with pytest.raises(StudentError, match="Malformed"):
        probe.make("layer").masked(X, MASK)
