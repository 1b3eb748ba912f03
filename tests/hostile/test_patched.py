"""What can be patched inside is patched: the answer stays wrong, since it is judged elsewhere."""

from __future__ import annotations

import pytest

from tests.hostile.attackers import WRONG, Bench

PATCHES = {
    "comparisons": """
import numpy.testing
np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
""",
    "builtins": """
import builtins
builtins.isinstance = lambda *a: True
builtins.abs = lambda x: 0
builtins.all = builtins.any = lambda x: True
""",
    "time-and-random": """
import random, time
time.time = time.monotonic = lambda: 0.0
random.random = lambda: 0.5
np.random.default_rng = np.random.seed = lambda *a: None
""",
    "keras": """
keras.Model.evaluate = lambda *a, **k: [0.0, 1.0]
keras.callbacks.History.__getattr__ = lambda self, name: {"val_accuracy": [1.0]}
keras.ops.convert_to_numpy = lambda x: np.ones(np.shape(x))
""",
    "files": """
import json, zipfile
np.save = np.savez = np.load = lambda *a, **k: None
json.dumps = lambda *a, **k: '{"d": {"value": true}}'
zipfile.ZipFile.writestr = lambda *a, **k: None
""",
    "the agent's answers": """
import autograder.sandbox.agent as agent
agent.Agent.answer = lambda self, question: {"value": True}
""",
    "the agent's operations": """
import autograder.sandbox.agent as agent
for name in [name for name in vars(agent.Agent) if name.startswith("_op_")]:
    setattr(agent.Agent, name, lambda self, question: question["args"][0])
""",
    "do_execute": """
async def do_execute(code, *a, **k):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
get_ipython().kernel.do_execute = do_execute
""",
    "input transformers": """
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
get_ipython().input_transformer_manager.line_transforms.append(lambda lines: ["pass\\n"])
""",
    "syntax tree transformers": """
import ast
class Empty(ast.NodeTransformer):
    def visit_Module(self, node):
        node.body = []
        return node
get_ipython().ast_transformers.append(Empty())
""",
    "the hooks of IPython": """
from IPython.display import display
shell = get_ipython()
shell.events.register("pre_run_cell", lambda info: display(999))
shell.events.register("post_run_cell", lambda result: display(999))
shell.run_cell = shell.run_cell_async = lambda *a, **k: None
""",
    "every exception is swallowed": """
import sys
sys.excepthook = lambda *a: None
get_ipython().showtraceback = lambda *a, **k: None
""",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_a_patched_world_earns_nothing(bench: Bench, patch: str) -> None:
    assert bench.score(WRONG + patch) == 0


PRETENDERS = {
    "equal to anything": "class It:\n    __eq__ = lambda self, other: True\n    __ne__ = lambda self, other: False",
    "an array of its own": """
class It:
    shape, dtype, ndim = (3,), np.dtype("float32"), 1
    def __array__(self, *a, **k):
        return np.full((2, 3, 4), np.nan)
    def __array_ufunc__(self, *a, **k):
        return True
    __eq__ = __le__ = __lt__ = lambda self, other: True
""",
    "an array's child": """
def It():
    class Child(np.ndarray):
        def __eq__(self, other): return True
        def __sub__(self, other): return 0
        def __array_function__(self, *a, **k): return True
        def astype(self, *a, **k): return self
    return np.zeros((2, 3)).view(Child)
""",
    "a number's child": "class It(float):\n    __eq__ = lambda self, other: True\n    __sub__ = lambda *a: 0.0",
    "a text's child": "class It(str):\n    __eq__ = lambda self, other: True",
    "a mapping's child": "class It(dict):\n    __eq__ = lambda self, other: True\n    items = lambda self: [(1, self)]",
    "without end": "def It():\n    one = []\n    one.append(one)\n    return one",
}


@pytest.mark.parametrize("pretender", PRETENDERS.values(), ids=PRETENDERS)
def test_an_object_that_pretends_earns_nothing(bench: Bench, pretender: str) -> None:
    assert bench.score(f"{pretender}\ndef layer_norm(*args, **kwargs):\n    return It()\n") == 0


def test_later_answers_of_the_same_student_are_judged_on_their_own(bench: Bench) -> None:
    answered = {"layer_norm": WRONG, "layer_norm_gradients": bench.solution("layer_norm_gradients")}
    reports = bench.grade(answered).reports
    assert reports["layer_norm"].score == 0
    assert reports["layer_norm_gradients"].score == reports["layer_norm_gradients"].max_score


@pytest.mark.parametrize("name", ["Missing", "Malformed", "NotImplementedError"])
def test_an_exception_named_like_one_of_the_graders_passes_no_gate(bench: Bench, name: str) -> None:
    cheat = f"""
class {name}(Exception):
    pass
right = layer_norm
def layer_norm(z, *args, **kwargs):
    if np.asarray(z).dtype == np.float64:
        raise {name}()
    return right(z, *args, **kwargs)
"""
    report = bench.grade(bench.solution("layer_norm") + "\n" + cheat).reports["layer_norm"]
    assert report.score < report.max_score
    assert [check for check in report.checks if not check.passed]
