"""In a real kernel: a layer of Keras' own beside the student's code, and layers as arguments."""

from __future__ import annotations

import numpy as np

from autograder.checking import Probe
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session

CELL = """
import keras

def first_kernel(layer):
    return layer.get_weights()[0]

def attend(layer, x):
    return layer(x, x)
"""


def test_a_ready_made_layer_is_the_graders_to_make_and_not_the_students_to_call(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        assert session.run(CELL, 60).error is None
        forbidden = ["MultiHeadAttention", "dot_product_attention"]
        probe = Probe(lambda question: session.ask({**question, "forbidden": forbidden}, 60))
        x = np.ones((2, 4, 6), np.float32)
        layer = probe.keras("MultiHeadAttention", num_heads=2, key_dim=3, use_bias=False)
        assert np.shape(layer(x, x, x)) == (2, 4, 6)
        assert np.shape(probe.call("first_kernel", layer)) == (6, 2, 3)
        answer = session.ask(
            {
                "op": "call",
                "symbol": "attend",
                "args": [{"instance": layer.number}, x],
                "kwargs": {},
                "tensors": False,
                "forbidden": forbidden,
            },
            60,
        )
        assert answer["error"]["kind"] == "Forbidden"
