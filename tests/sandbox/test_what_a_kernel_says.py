"""Messages that no honest kernel would send: the grader drops them and keeps its time and its memory."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Ended, Session

LINE = """
import gc
from autograder.sandbox.line import Answering, HEAD, frame
answering = next(thing for thing in gc.get_objects() if type(thing) is Answering)
right = answering.reply
"""
"""What finds the kernel's end of the line of questions."""

QUESTION = {"op": "call", "symbol": "answer", "args": [], "kwargs": {}, "tensors": False}


def memory() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) // 1024


def test_a_flood_of_output_ends_in_time_and_is_cut(interpreter: WarmInterpreter) -> None:
    before = memory()
    with Session(interpreter) as session:
        started = time.monotonic()
        with pytest.raises(Ended) as ended:
            session.run("import sys\nwhile True:\n    print('x' * 100_000)\n    sys.stdout.flush()", 3)
        assert ended.value.status == "timeout"
        assert time.monotonic() - started < 15
    assert memory() - before < 700


def test_a_huge_message_is_not_taken(interpreter: WarmInterpreter) -> None:
    before = memory()
    with Session(interpreter) as session:
        output = session.run("print('x' * 300_000_000)", 30)
        assert len(output.text) <= output.limit
        assert memory() - before < 200
        session.run("answer = lambda: 'y' * 300_000_000", 20)
        # the agent says so; whoever replaces the agent ends the kernel
        assert session.ask(QUESTION, 20)["error"]["kind"] == "MemoryError"
        session.run(LINE + "answering.reply = lambda question: b'y' * 300_000_000", 20)
        with pytest.raises(Ended, match="300000000 bytes"):
            session.ask(QUESTION, 5)
    assert memory() - before < 700


@pytest.mark.parametrize(
    "sent",
    [
        "[b'garbage']",
        "[b'<IDS|MSG>']",
        "[b'<IDS|MSG>', b'no signature', b'{}', b'{}', b'{}', b'{}']",
        "signed(b'{}', b'{}', b'{}', b'{}')",
        "signed(b'[]', b'7', b'null', b'[]')",
        "signed(b'{\"msg_type\": \"stream\"}', PARENT, b'{}', b'[]')",
        "signed(b'{\"msg_type\": 7, \"msg_id\": \"\"}', PARENT, b'{}', b'{}')",
        'signed(b\'{"msg_type": "execute_result", "msg_id": ""}\', PARENT, b\'{}\', b\'{"data": 7}\')',
        'signed(b\'{"msg_type": "status", "msg_id": ""}\', PARENT, b\'{}\', b\'{"execution_state": []}\')',
        "signed(b'[' * 100_000, PARENT, b'{}', b'{}')",
        "signed(b'\\xff', PARENT, b'{}', b'{}')",
        "signed(b'{}', PARENT, b'{}', b'NaN')",
    ],
)
def test_messages_that_are_none_are_dropped(interpreter: WarmInterpreter, sent: str) -> None:
    with Session(interpreter) as session:
        output = session.run(
            f"""
import json
kernel = get_ipython().kernel
PARENT = json.dumps(kernel.get_parent()["header"], default=str).encode()
def signed(*parts):
    return [b'<IDS|MSG>', kernel.session.sign(list(parts)), *parts]
for _ in range(3):
    kernel.iopub_socket.send_multipart([b'topic', *{sent}])
print("still")
def answer():
    return 3
""",
            30,
        )
        assert output.error is None, output.error
        assert "still" in output.text
        assert session.ask(QUESTION, 20) == {"value": 3}


def test_a_second_answer_is_not_taken_for_the_next_question(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        session.run(
            f"""
{LINE}
def answer_one():
    name, size = HEAD.unpack(answering._exactly(HEAD.size))
    answering.line.sendall(2 * frame(name, right(answering._exactly(size))))
    return True
answering.answer_one = answer_one
count = 0
def answer():
    global count
    count += 1
    return count
""",
            20,
        )
        assert [session.ask(QUESTION, 20)["value"] for _ in range(3)] == [1, 2, 3]


def test_an_answer_that_never_comes_is_a_timeout(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        session.run(LINE + "answering.answer_one = lambda: bool(answering.line.recv(10**6))", 20)
        with pytest.raises(Ended) as ended:
            session.ask(QUESTION, 2)
        assert ended.value.status == "timeout"
