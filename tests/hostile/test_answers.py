"""Answers that are none: on the wire, on the channel, in the archive."""

from __future__ import annotations

import pytest

from tests.hostile.attackers import WRONG, Bench

SEND = """
kernel = get_ipython().kernel
from autograder.sandbox.wire import pack
def answer_with(send):
    kernel.shell_handlers["question"] = send
"""

ANSWERS = {
    "nothing": "answer_with(lambda stream, ident, parent: None)",
    "no content": 'answer_with(lambda s, i, p: kernel.session.send(s, "answer", {}, p, ident=i))',
    "many contents": 'answer_with(lambda s, i, p: kernel.session.send(s, "answer", {}, p, ident=i, buffers=[b"x"] * 9))',
    "a pickle": """
import pickle, os
class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/pickled-in-the-grader",)
answer_with(lambda s, i, p: kernel.session.send(s, "answer", {}, p, ident=i, buffers=[pickle.dumps(Evil())]))
""",
    "a pickle in an archive": """
import io
def send(s, i, p):
    file = io.BytesIO()
    np.savez(file, tree=np.array([{"value": 1}, print], dtype=object))
    kernel.session.send(s, "answer", {}, p, ident=i, buffers=[file.getvalue()])
answer_with(send)
""",
    "a zip bomb": """
import io, zipfile
def send(s, i, p):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.npy", b"0" * 10**8)
    kernel.session.send(s, "answer", {}, p, ident=i, buffers=[file.getvalue()])
answer_with(send)
""",
    "a part that is no array": """
import io, json, zipfile
def send(s, i, p):
    file = io.BytesIO()
    np.savez(file, tree=np.frombuffer(json.dumps({"d": {"value": {"a": 0}}}).encode(), np.uint8))
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("a0", b"no array")
    kernel.session.send(s, "answer", {}, p, ident=i, buffers=[file.getvalue()])
answer_with(send)
""",
    "structured": "answer_value = np.zeros(3, dtype=[('a', 'f4'), ('b', 'O')])",
    "half a character": """
def layer_norm(*args, **kwargs):
    raise ValueError("\\ud800 half")
print("\\ud800")
""",
    "an exception's name of 10 MB": """
def layer_norm(*args, **kwargs):
    raise type("X" * 10**7, (Exception,), {})("y" * 10**7)
""",
    "nothing of the kind": 'answer_with(lambda s, i, p: kernel.session.send(s, "answer", {}, p, ident=i, buffers=[pack([1])]))',
    "the same one twice": """
right = kernel.shell_handlers["question"]
def send(s, i, p):
    message = kernel.session.msg("answer", {}, parent=p)
    parts = kernel.session.serialize(message, ident=i) + [pack({"value": 0.0})]
    s.send_multipart(parts); s.send_multipart(parts)
answer_with(send)
""",
    "bytes that are no message": """
right = kernel.shell_handlers["question"]
def send(s, i, p):
    s.send_multipart([*i, b"garbage", b"<IDS|MSG>", b"no signature", b"{", b"", b"[]", b"{}"])
    s.send_multipart([*i, b"garbage"])
    right(s, i, p)
answer_with(send)
""",
    "an answer to another question": """
def send(s, i, p):
    other = {**p, "header": {**p["header"], "msg_id": "another"}}
    kernel.session.send(s, "answer", {}, other, ident=i, buffers=[pack({"value": 1.0})])
answer_with(send)
""",
    "odd JSON on the output channel": """
right = kernel.shell_handlers["question"]
def send(s, i, p):
    for kind, content in (("stream", {"text": ["a"]}), ("execute_result", {"data": [1]}), ("error", {}), ("status", {})):
        kernel.session.send(kernel.iopub_socket, kind, content, p)
    right(s, i, p)
answer_with(send)
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
kernel, parent = get_ipython().kernel, get_ipython().parent_header
start, _, number = parent["header"]["msg_id"].rpartition("_")
for ahead in range(1, 40):
    other = {**parent, "header": {**parent["header"], "msg_id": f"{start}_{int(number) + ahead}"}}
    kernel.session.send(kernel.shell_streams[0] if hasattr(kernel, "shell_streams") else kernel.shell_stream, "answer",
                        {}, other, ident=kernel._parent_ident["shell"], buffers=[pack({"value": 0.0})])
"""
    assert bench.score(WRONG + SEND + early) == 0


def test_a_late_answer_counts_for_no_other_question(bench: Bench) -> None:
    late = """
import threading
right, kept = kernel.shell_handlers["question"], []
def send(s, i, p):
    for old in kept:
        kernel.session.send(s, "answer", {}, old, ident=i, buffers=[pack({"value": 0.0})])
    kept.append(p)
    right(s, i, p)
answer_with(send)
"""
    solution = bench.solution("layer_norm")
    report = bench.grade(solution + SEND + late).reports["layer_norm"]
    assert report.score == report.max_score
