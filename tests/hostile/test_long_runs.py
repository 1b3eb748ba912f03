"""Long runs: nothing piles up, and what is killed from outside costs nobody a mark."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.settings import read_settings
from autograder.sandbox import kernels
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session
from tests.hostile.attackers import NAME, WRONG, Bench, handed_in, put
from tests.hostile.test_class import course_copy, without_times
from tests.sandbox.conftest import until

pytestmark = [pytest.mark.xdist_group("long runs"), pytest.mark.timeout(1800)]


def _descendants() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _temporary_files() -> int:
    folder = Path(tempfile.gettempdir())
    return sum(len(list(found.rglob("*"))) for found in folder.glob(f"warm-{os.getpid()}-*"))


def _used() -> tuple[int, int, int]:
    return len(_descendants()), psutil.Process().num_fds(), _temporary_files()


def _grade_fifty(bench: Bench) -> None:
    for _ in range(50):
        graded = bench.grade({symbol: bench.solution(symbol) for symbol in ("layer_norm", "LayerNorm")})
        assert all(report.score == report.max_score for report in graded.reports.values())


@pytest.mark.slow
def test_five_hundred_submissions_leave_nothing(bench: Bench) -> None:
    _grade_fifty(bench)
    time.sleep(2)  # sockets are closed by a thread of their own, a moment later
    first, held = _used(), list[int]()

    def no_more_than_at_first() -> bool:
        return all(now <= then for now, then in zip(_used(), first, strict=True))

    for _ in range(9):
        _grade_fifty(bench)
        assert until(no_more_than_at_first), (first, _used())
        held.append(psutil.Process().memory_info().rss)
    assert held[-1] - held[0] < 30 * 2**20, held


def _kill_now_and_then(stop: threading.Event, rng: random.Random, killed: list[str]) -> None:
    while not stop.wait(rng.uniform(3.0, 9.0)):
        # the warm interpreter, keepers, kernels, and whoever raised the walls
        for process in rng.sample(found := _descendants(), min(1, len(found))):
            try:
                killed.append(process.name())
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue


@pytest.mark.slow
def test_killing_at_random_changes_no_mark_of_an_honest_student(course: Path, bench: Bench, tmp_path: Path) -> None:
    own = course_copy(course, tmp_path)
    students: list[str] = []
    for number in range(20):
        right, wrong = f"right{number}", f"wrong{number}"
        put(tmp_path / "submitted", right, handed_in(bench.source, {}))
        put(tmp_path / "submitted", wrong, handed_in(bench.source, {"layer_norm": WRONG}))
        students += [right, wrong]

    def marks(out: str) -> object:
        group = Class(own, tmp_path / "submitted", tmp_path / out, read_settings(own), jobs=2)
        graded = grade_class(group, NAME, sorted(students))
        return without_times({name: asdict(outcome) for name, outcome in graded.students.items()})

    undisturbed = marks("undisturbed")
    stop, killed = threading.Event(), list[str]()
    killer = threading.Thread(target=_kill_now_and_then, args=(stop, random.Random(5), killed))
    killer.start()
    try:
        disturbed = marks("disturbed")
    finally:
        stop.set()
        killer.join()
    assert len(killed) >= 3
    assert disturbed == undisturbed


def test_a_kernel_that_is_killed_from_outside_is_replaced_and_asked_again(bench: Bench) -> None:
    undisturbed = bench.grade(bench.solution("layer_norm")).reports["layer_norm"]
    before = {process.pid for process in _descendants()}
    killed: list[int] = []

    def kill_the_first_kernel() -> None:
        def there() -> bool:
            killed.extend(process.pid for process in _descendants() if process.pid not in before)
            return bool(killed)

        assert until(there)
        for pid in killed:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    killer = threading.Thread(target=kill_the_first_kernel)
    killer.start()
    report = bench.grade(bench.solution("layer_norm")).reports["layer_norm"]
    killer.join()
    assert killed
    assert report == undisturbed


def test_whoever_kills_itself_again_and_again_is_charged(bench: Bench) -> None:
    report = bench.grade(f"{WRONG}\nimport os; os.kill(os.getpid(), 9)").reports["layer_norm"]
    assert (report.score, report.status) == (0, "out-of-memory")


def test_a_warm_interpreter_is_replaced_after_its_forks_and_its_kernels_live_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernels, "FORKS", 2)
    with contextlib.closing(WarmInterpreter()) as interpreter:
        with Session(interpreter) as first, Session(interpreter):
            first.run("here = 1", 60)
            old = interpreter._process
            with Session(interpreter) as third:
                assert interpreter._process is not old
                assert third.run("here", 60).error is not None
                assert first.run("here", 60).text == "1\n"
        with Session(interpreter):
            assert old is not None
            assert not old.alive
