"""Ready-made forms are found in every spelling that the syntax tree shows."""

import pytest

from autograder.checking.forbidden import find_forbidden


@pytest.mark.parametrize(
    "source",
    [
        "def softmax(x):\n    return keras.ops.softmax(x)",
        "from keras.ops import softmax as s\ndef softmax(x):\n    return s(x)",
        "def softmax(x):\n    return getattr(keras.ops, 'softmax')(x)",
        "def softmax(x):\n    return tf.nn.softmax(x)",
        "import scipy.special.softmax\ndef f(x):\n    return 1",
        "def softmax(x):\n    return vars(ops)['keras.ops.softmax'](x)",
    ],
)
def test_a_ready_made_softmax_is_found(source: str):
    assert "softmax" in (find_forbidden(source, ("softmax",), "softmax") or "")


@pytest.mark.parametrize(
    "source",
    [
        "def softmax(x, axis=-1):\n    return ops.exp(x)",
        "def softmax(x):\n    'A softmax, written out.'\n    return softmax(x) if x is None else x",
        "def softmax(x):\n    '''softmax'''\n    return x",
        "def softmax(x:\n    broken syntax",
    ],
)
def test_the_students_own_softmax_is_not(source: str):
    assert find_forbidden(source, ("softmax",), "softmax") is None


def test_the_line_is_told():
    assert "Line 3" in (find_forbidden("\n\nops.softmax(1)", ("softmax",), "softmax") or "")
