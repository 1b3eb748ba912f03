"""Answers that are none: on the wire, on the channel, in the archive."""

from __future__ import annotations

import pytest

from tests.hostile.attackers import WRONG, Bench

SEND = """
import gc, os
from autograder.sandbox.line import Answering, HEAD, frame
from autograder.sandbox.wire import pack
answering = next(thing for thing in gc.get_objects() if type(thing) is Answering)
right = answering.reply
def answer_with(reply):
    answering.reply = reply
def send(name, content):
    answering.line.sendall(frame(name, content))
def answer_one_with(act):
    # the whole of the kernel's end: act gets the question's name and content
    def answer_one():
        name, size = HEAD.unpack(answering._exactly(HEAD.size))
        act(name, answering._exactly(size))
        return True
    answering.answer_one = answer_one
"""

ANSWERS = {
    "nothing": "answer_one_with(lambda name, content: None)",
    "no content": "answer_with(lambda question: b'')",
    "garbage": "answer_with(lambda question: b'x' * 99)",
    "what was asked": "answer_with(lambda question: question)",
    "a pickle": """
import pickle
class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/pickled-in-the-grader",)
answer_with(lambda question: pickle.dumps(Evil()))
""",
    "a pickle in an archive": """
import io
def reply(question):
    file = io.BytesIO()
    np.savez(file, tree=np.array([{"value": 1}, print], dtype=object))
    return file.getvalue()
answer_with(reply)
""",
    "a zip bomb": """
import io, zipfile
def reply(question):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.npy", b"0" * 10**8)
    return file.getvalue()
answer_with(reply)
""",
    "a part that is no array": """
import io, json, zipfile
def reply(question):
    file = io.BytesIO()
    np.savez(file, tree=np.frombuffer(json.dumps({"d": {"value": {"a": 0}}}).encode(), np.uint8))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("a0", b"no array")
    return file.getvalue()
answer_with(reply)
""",
    "structured": """
def layer_norm(*args, **kwargs):
    return np.zeros(3, dtype=[('a', 'f4'), ('b', 'O')])
""",
    "half a character": """
def layer_norm(*args, **kwargs):
    raise ValueError("\\ud800 half")
print("\\ud800")
""",
    "an exception's name of 10 MB": """
def layer_norm(*args, **kwargs):
    raise type("X" * 10**7, (Exception,), {})("y" * 10**7)
""",
    "an exception that nobody catches": """
class Odd(BaseException): pass
def layer_norm(*args, **kwargs):
    raise Odd
""",
    "an interrupt": "def layer_norm(*args, **kwargs):\n    raise KeyboardInterrupt\n",
    "nothing of the kind": "answer_with(lambda question: pack([1]))",
    "the same one twice": """
def act(name, content):
    send(name, pack({"value": 0.0})); send(name, pack({"value": 0.0}))
answer_one_with(act)
""",
    "bytes that are no answer": """
def reply(question):
    answering.line.sendall(b"garbage")
    return right(question)
answer_with(reply)
""",
    "more than was announced": """
def act(name, content):
    answering.line.sendall(frame(name, right(content)) + b"x" * 10**6)
answer_one_with(act)
""",
    "less than was announced": """
answer_one_with(lambda name, content: answering.line.sendall(HEAD.pack(name, 10**6) + right(content)))
""",
    "an exabyte announced": "answer_one_with(lambda name, content: answering.line.sendall(HEAD.pack(name, 2**60)))",
    "answers to other questions without end": """
def act(name, content):
    while True: send(os.urandom(16), pack({"value": 0.0}))
answer_one_with(act)
""",
    "an answer to another question": """
answer_one_with(lambda name, content: send(bytes(16), pack({"value": 1.0})))
""",
    "a closed line": "answering.line.close()",
    "a line that is not read": "answer_one_with(lambda name, content: [None for _ in iter(int, 1)])",
    "odd JSON on the output channel": """
kernel, parent = get_ipython().kernel, get_ipython().parent_header
def reply(question):
    for kind, content in (("stream", {"text": ["a"]}), ("execute_result", {"data": [1]}), ("error", {}), ("status", {})):
        kernel.session.send(kernel.iopub_socket, kind, content, parent)
    return right(question)
answer_with(reply)
""",
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_forged_answer_earns_nothing_and_is_no_error(bench: Bench, answer: str) -> None:
    assert bench.score(WRONG + SEND + answer, deadline=4) == 0


VALUES = [
    "float('nan')", "float('inf')", "999", "-1", "None", "True", "'4.0'", "[]", "{}", "10**400", "'\\ud800'",
    "{'value': 1}", "np.zeros((1,) * 30)", "np.zeros(3, 'O')", "np.zeros(3, 'S4')", "np.zeros(3, 'M8[s]')",
    "np.zeros(2, 'c16')", "np.empty(0)", "np.full((2, 3), np.nan)", "np.zeros(3 * 2**23)", "[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]",
    "[np.zeros(1)] * 1000", "'x' * 10**6",
]  # fmt: skip


def test_no_value_of_any_kind_earns_anything(bench: Bench) -> None:
    # one value for each question: whatever a check expects, it meets all of them, one run after the other
    cheat = f"values = [{', '.join(f'lambda: {value}' for value in VALUES)}]\nturn = [START]\n"
    cheat += "def layer_norm(*args, **kwargs):\n    turn[0] += 1\n    return values[turn[0] % len(values)]()\n"
    for start in range(0, len(VALUES), 6):
        assert bench.score(cheat.replace("START", str(start))) == 0


AGENTS = [
    "{'value': 'a text'}", "{'value': None}", "{'value': float('inf')}", "{'value': {'parameters': 'x'}}", "{'value': [1]}",
    "{'value': [{'path': 1, 'shape': 'x', 'trainable': []}]}", "{'value': {'gamma': 'x', 'beta': [1]}}",
    "{'error': 'x'}", "{'error': {}}", "{'error': {'kind': 'Missing', 'detail': ''}}", "{'error': {'kind': 1, 'detail': [2]}}",
    "{}", "{'score': 999}",
]  # fmt: skip


def test_no_answer_of_another_form_earns_anything(bench: Bench) -> None:
    for start in range(0, len(AGENTS), 5):
        cheat = f"""
import autograder.sandbox.agent as agent
answers, turn = [{", ".join(AGENTS)}], [{start}]
def answer(self, question):
    turn[0] += 1
    return answers[turn[0] % len(answers)]
agent.Agent.answer = answer
"""
        reports = bench.grade({"layer_norm": WRONG + cheat, "LayerNorm": "LayerNorm = 1"}).reports
        assert [report.score for report in reports.values()] == [0, 0]


def test_an_answer_that_was_sent_early_earns_nothing(bench: Bench) -> None:
    early = """
for name in (bytes(16), b"x" * 16, *(os.urandom(16) for _ in range(40))):
    send(name, pack({"value": 0.0}))
"""
    assert bench.score(WRONG + SEND + early) == 0


def test_a_late_answer_counts_for_no_other_question(bench: Bench) -> None:
    late = """
kept = []
def act(name, content):
    for old in kept:
        send(old, pack({"value": 0.0}))
    kept.append(name)
    send(name, right(content))
answer_one_with(act)
"""
    solution = bench.solution("layer_norm")
    report = bench.grade(solution + SEND + late).reports["layer_norm"]
    assert report.score == report.max_score
