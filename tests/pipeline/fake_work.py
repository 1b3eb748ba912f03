"""What workers run in the tests of clusters, in the place of grading: it needs no kernel, so that they take no time."""

import os
import signal
import time
from pathlib import Path

from distributed import get_worker

from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import to_json
from autograder.pipeline.work import Task


def task(student: str, instruction: str = "", *, gpu: bool = False) -> Task:
    return Task(student, f"key of {student}", f"{student}\n{instruction}".encode(), gpu)


def graded(student: str, problem: str = "") -> Graded:
    return Graded(student, "05_layer_norm", {}, problem=problem)


def work(digest: str, packed: bytes, topic: str) -> bytes:
    """Obeys the second line: sleeps, dies, tells. The result's `problem` says where it was done."""
    student, instruction = packed.decode().split("\n")
    word, _, rest = instruction.partition(" ")
    if word == "sleep":
        time.sleep(float(rest))
    elif word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "die-once" and not Path(rest).exists():
        Path(rest).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "tell":
        get_worker().log_event(topic, rest)
    return to_json(graded(student, os.environ.get("CUDA_VISIBLE_DEVICES", "no device")))
