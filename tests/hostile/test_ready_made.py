"""The ready-made layer in the place of one's own: by the syntax tree, by the guards, and what passes both."""

from __future__ import annotations

import pytest

from autograder.checking.forbidden import find_forbidden
from autograder.exercises import NAMES, assignment
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session
from tests.hostile.attackers import Bench

HEAD = """
class LayerNorm(keras.layers.Layer):
    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon
    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
    def build(self, shape):
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")
"""
CALL = "    def call(self, z):\n        return FOUND(z, self.gamma, self.beta, axis=-1, epsilon=self.epsilon)\n"
HIDDEN = '"layer_" + "normalization"'

REACHES = {
    "attribute": "ops.layer_normalization",
    "getattr": f"getattr(ops, {HIDDEN})",
    "getattr at once": "getattr(ops, 'layer_normalization')",
    "vars": f"vars(ops)[{HIDDEN}]",
    "__dict__": f"ops.__dict__[{HIDDEN}]",
    "eval": '(lambda *a, **k: eval("ops.layer_" + "normalization")(*a, **k))',
    "eval of a call": '(lambda z, g, b, axis, epsilon: eval("ops.layer_" + "normalization(z, g, b, axis, epsilon)"))',
    "importlib": f"getattr(__import__('importlib').import_module('keras.src.ops.nn'), {HIDDEN})",
    "sys.modules": f"vars(__import__('sys').modules['keras.src.ops.nn'])[{HIDDEN}]",
    "operator": f"__import__('operator').attrgetter({HIDDEN})(ops)",
    "a partial": f"__import__('functools').partial(getattr(ops, {HIDDEN}))",
    "bytes": "getattr(ops, bytes([108,97,121,101,114,95,110,111,114,109,97,108,105,122,97,116,105,111,110]).decode())",
}


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
@pytest.mark.parametrize("when", ["at call", "before"])
def test_a_ready_made_function_is_refused(bench: Bench, reach: str, when: str) -> None:
    if when == "before":
        answer = f"kept = {reach}\n" + HEAD + CALL.replace("FOUND", "kept")
    else:
        answer = HEAD + CALL.replace("FOUND", f"({reach})")
    report = bench.grade({"LayerNorm": answer}, deadline=20).reports["LayerNorm"]
    assert report.status == "forbidden", report
    assert report.score == 0
    assert "ready-made" in report.reason


LAYERS = {
    "made in build": """
    def call(self, z):
        if not hasattr(self, "_own"):
            self._own = [getattr(keras.layers, "Layer" + "Normalization")(epsilon=self.epsilon)]
        return self._own[0](z) * self.gamma + self.beta
""",
    "swallowed": f"""
    def call(self, z):
        try:
            return getattr(ops, {HIDDEN})(z, self.gamma, self.beta, axis=-1, epsilon=self.epsilon)
        except Exception:
            return z
""",
    "tensorflow": """
    def call(self, z):
        import tensorflow as tf
        mean, variance = tf.nn.moments(z, [-1], keepdims=True)
        return getattr(tf.nn, "batch_" + "normalization")(z, mean, variance, self.beta, self.gamma, self.epsilon)
""",
    "in a thread": f"""
    def call(self, z):
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(1) as pool:
            work = lambda: getattr(ops, {HIDDEN})(z, self.gamma, self.beta, axis=-1, epsilon=self.epsilon)
            return pool.submit(work).result()
""",
}


@pytest.mark.parametrize("call", LAYERS.values(), ids=LAYERS)
def test_a_ready_made_layer_is_refused(bench: Bench, call: str) -> None:
    report = bench.grade({"LayerNorm": HEAD + call}, deadline=20).reports["LayerNorm"]
    assert report.status == "forbidden", report
    assert report.score == 0


def test_a_layer_made_before_the_checks_is_refused_when_it_is_called(bench: Bench) -> None:
    made = 'kept = getattr(keras.layers, "Layer" + "Normalization")(epsilon=1e-6)\n'
    call = "    def call(self, z):\n        return kept(z) * self.gamma + self.beta\n"
    report = bench.grade({"LayerNorm": made + HEAD + call}, deadline=20).reports["LayerNorm"]
    assert report.status == "forbidden"


def test_a_helper_in_another_cell_is_refused(bench: Bench) -> None:
    # the exercise of the helper's cell may use automatic differentiation, the one that calls it may not
    helper = """
def helper(z, gamma, upstream, epsilon):
    import tensorflow as tf
    z, gamma = tf.Variable(z), tf.Variable(gamma)
    beta = tf.Variable(tf.zeros_like(gamma))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(upstream * layer_norm(z, gamma, beta, epsilon))
    return tape.gradient(loss, [z, gamma, beta])
"""
    answered = {
        "layer_norm": bench.solution("layer_norm") + helper,
        "layer_norm_gradients": "def layer_norm_gradients(z, gamma, upstream, epsilon=1e-6):\n"
        "    return tuple(helper(z, gamma, upstream, epsilon))\n",
    }
    reports = bench.grade(answered, deadline=20).reports
    assert reports["layer_norm"].score == reports["layer_norm"].max_score
    assert reports["layer_norm_gradients"].status == "forbidden"


MAGIC = {
    "a line": "%matplotlib inline\n",
    "a shell": "!true\n",
    "a help": "print?\n",
    "an assignment": "x = !true\n",
    "a cell": "%%time\n",
}


@pytest.mark.parametrize("magic", MAGIC.values(), ids=MAGIC)
def test_a_line_for_ipython_hides_nothing(magic: str) -> None:
    assert find_forbidden(f"{magic}def f(x):\n    return ops.softmax(x)", ("softmax",), "f")
    assert find_forbidden(f"{magic}def softmax(x):\n    return ops.exp(x)", ("softmax",), "softmax") is None


def test_what_stands_in_a_line_for_ipython_is_seen() -> None:
    assert find_forbidden("%time y = ops.softmax(x)", ("softmax",), "f")
    assert find_forbidden("x = 1" + " + 1" * 100_000 + "\ny = ops.softmax(x)", ("softmax",), "f")


# Known limits: docs/security.md lists them. A test for each shows that they are still there.
PASSING = {
    "through a library's own call": """
    def call(self, z):
        found = getattr(ops, "layer_" + "normalization")
        return keras.layers.Lambda(found, arguments=dict(
            gamma=ops.convert_to_tensor(self.gamma), beta=ops.convert_to_tensor(self.beta), axis=-1, epsilon=self.epsilon
        ))(z)
""",
    "a copy of the code": """
    def call(self, z):
        return COPY(z, self.gamma, self.beta, axis=-1, epsilon=self.epsilon)
""",
}
COPY = """
import types
_found = getattr(ops, "layer_" + "normalization")
COPY = types.FunctionType(_found.__code__, _found.__globals__, "mine", _found.__defaults__)
"""


@pytest.mark.parametrize("call", PASSING.values(), ids=PASSING)
def test_known_limit_a_ready_made_function_in_disguise_passes(bench: Bench, call: str) -> None:
    report = bench.grade({"LayerNorm": COPY + HEAD + call}, deadline=20).reports["LayerNorm"]
    assert report.status == "graded"
    assert report.score > 0


def test_libraries_go_on_using_what_is_refused(interpreter: WarmInterpreter) -> None:
    source = """
import keras, numpy as np, tensorflow as tf
def trained():
    model = keras.Sequential([keras.Input((6, 4)), keras.layers.Conv1D(3, 2, activation="softmax"),
                              keras.layers.MultiHeadAttention.__base__() if False else keras.layers.Flatten(),
                              keras.layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.ones((8, 6, 4)), np.zeros(8), verbose=0)
    x = np.ones((2, 3, 4), "float32")
    keras.layers.MultiHeadAttention(2, 2)(x, x)
    return model.predict(np.ones((2, 6, 4)), verbose=0)
def caught():
    return getattr(keras.ops, "soft" + "max")(np.ones((2, 3)))
"""
    every = sorted(
        {name for course in NAMES for exercise in assignment(course).exercises for name in exercise.forbidden}
    )
    names = [name for name in every if name not in ("Conv1D", "MultiHeadAttention", "Dense", "Flatten")]
    with Session(interpreter) as session:
        assert session.run(source, 20).error is None
        question = {"op": "call", "symbol": "trained", "args": [], "kwargs": {}, "tensors": False, "forbidden": names}
        assert "value" in session.ask(question, 60)
        answer = session.ask({**question, "symbol": "caught", "forbidden": ["softmax"]}, 60)
        assert answer["error"] == {"kind": "Forbidden", "detail": "softmax"}
        # and afterwards everything is as it was
        assert "value" in session.ask({**question, "symbol": "caught", "forbidden": []}, 60)
        assert "value" in session.ask({**question, "symbol": "trained", "forbidden": []}, 60)
