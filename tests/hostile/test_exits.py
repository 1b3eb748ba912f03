"""Ends of every kind: the exercise is lost, the next one is graded, nothing stays."""

from __future__ import annotations

import os

import pytest

from tests.hostile.attackers import WRONG, Bench
from tests.sandbox.conftest import processes_with, until

NEXT = "layer_norm_gradients"

ENDS = {
    "os._exit": ("import os; os._exit(0)", "crashed"),
    "sys.exit": ("import sys; sys.exit(0)", "graded"),
    "quit": ("quit()", None),
    "SIGKILL to itself": ("import os; os.kill(os.getpid(), 9)", "out-of-memory"),
    "SIGSEGV": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "SIGKILL to all": ("import os\ntry: os.kill(-1, 9)\nfinally: os.kill(os.getpid(), 9)", "out-of-memory"),
    "SIGINT ignored": ("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", "timeout"),
    "alarms": ("import signal; signal.signal(signal.SIGALRM, lambda *a: 1/0); signal.setitimer(0, .01, .01)", None),
    "atexit": ("import atexit, os, time; atexit.register(time.sleep, 600); os.kill(os.getpid(), 15)", None),
    "descriptors closed": ("import os; os.closerange(0, 1000)", None),
    "the loop stopped": ("import asyncio; asyncio.get_event_loop().stop()", None),
    "the kernel shut down": ("get_ipython().kernel.do_shutdown(False); get_ipython().ask_exit()", None),
    "stopped": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", "timeout"),
    "a thread's exit later": ("import os, threading; threading.Timer(.05, os._exit, (3,)).start()", None),
}


@pytest.mark.parametrize(("end", "status"), ENDS.values(), ids=ENDS)
def test_an_end_costs_its_own_exercise_only(bench: Bench, end: str, status: str | None) -> None:
    # the attack stands in the first answer; the second one is solved
    answered = {"layer_norm": f"{WRONG}\n{end}\n", NEXT: bench.solution(NEXT)}
    reports = bench.grade(answered, deadline=4, cell_seconds=3).reports
    assert reports["layer_norm"].score == 0
    if status is not None:
        assert reports["layer_norm"].status == status
        assert reports[NEXT].score == reports[NEXT].max_score


@pytest.mark.parametrize("end", ["import os; os._exit(0)", "while True: pass", "import os; os.kill(0, 6)"])
def test_an_end_during_the_checks_costs_its_own_exercise_only(bench: Bench, end: str) -> None:
    cheat = f"def layer_norm(*args, **kwargs):\n    {end}\n"
    reports = bench.grade({"layer_norm": cheat, NEXT: bench.solution(NEXT)}, deadline=3).reports
    assert reports["layer_norm"].score == 0
    assert reports["layer_norm"].status in ("crashed", "timeout")
    assert reports[NEXT].score == reports[NEXT].max_score


def test_an_end_at_every_replay_ends_too(bench: Bench) -> None:
    # works at first, and in every new kernel, where it is replayed, it takes the kernel down later
    later = "\nimport os, threading; threading.Timer(.4, os._exit, (3,)).start()\n"
    graded = bench.grade({"layer_norm": WRONG + later, NEXT: WRONG + later, "LayerNorm": WRONG + later}, deadline=3)
    assert [report.score for report in graded.reports.values()] == [0, 0, 0]
    assert graded.seconds < 60


def test_a_thread_that_acts_in_a_later_cell_changes_no_verdict_for_the_better(bench: Bench) -> None:
    thread = """
import threading, time
def act():
    while True:
        for name in ("layer_norm_gradients", "LayerNorm"):
            get_ipython().user_ns.setdefault(name, lambda *a, **k: 1.0)
        time.sleep(.001)
threading.Thread(target=act, daemon=True).start()
"""
    reports = bench.grade({"layer_norm": WRONG + thread, NEXT: "pass", "LayerNorm": "pass"}, deadline=5).reports
    assert [report.score for report in reports.values()] == [0, 0, 0]


def test_daemons_and_double_forks_do_not_stay(bench: Bench) -> None:
    marker = f"97531.{os.getpid()}"
    daemon = f"""
import os, signal
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "{marker}"])
        os._exit(0)
"""
    assert bench.score(WRONG + daemon) == 0
    assert until(lambda: not processes_with(marker))
