"""The command, its workers and a scheduler are killed at any moment: the same command again loses and repeats nothing."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from autograder.pipeline.gradebook import entries
from autograder.pipeline.nbgrader_stages import open_gradebooks_faster
from autograder.pipeline.results import read_results
from tests.hostile.attackers import NAME, WRONG, Bench, handed_in, put
from tests.hostile.test_class import course_copy, without_times
from tests.pipeline.postgresql import Server
from tests.pipeline.remote import SAME_CODE, Remote
from tests.sandbox.conftest import processes_with, until

pytestmark = [pytest.mark.xdist_group("killed runs"), pytest.mark.timeout(1800)]


@dataclass
class Handed:
    """A class whose grading can be killed.

    Attributes:
        course: a copy of the course folder, with `submitted/` in it.
        options: of every command.
    """

    course: Path
    out: str
    options: tuple[str, ...] = ("--jobs", "2")

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "autograder.cli", "grade", NAME, "--out", self.out, *self.options]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.course, env=SAME_CODE, stderr=pipe, text=True, start_new_session=True)

    def finish(self) -> None:
        with self.start() as process:
            _, said = process.communicate()
        assert process.returncode == 0, said

    def results(self) -> object:
        results = read_results(self.course / self.out / NAME / "results.json")
        return without_times(results.model_dump())

    def gradebook(self) -> list[tuple[object, ...]]:
        with sqlite3.connect(self.course / self.out / "gradebook.db") as database:
            return database.execute(
                """SELECT submitted_assignment.student_id, base_cell.name, grade.auto_score, grade.manual_score,
                          grade.needs_manual_grade
                   FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
                   JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
                   JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
                   ORDER BY 1, 2"""
            ).fetchall()

    def progress(self) -> int:
        """Results that are there, and results that are entered."""
        ledger = self.course / self.out / NAME / "entered.jsonl"
        return len(self.journal()) + (len(ledger.read_bytes().split()) if ledger.exists() else 0)

    def journal(self) -> dict[str, int]:
        """The results that are there, and when each was written."""
        return {path.name: path.stat().st_mtime_ns for path in (self.course / self.out / "journal").glob("*.json")}


@pytest.fixture(scope="module")
def course_of(course: Path, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    def made(students: int) -> Path:
        own = course_copy(course, tmp_path_factory.mktemp("killed"))
        for number in range(students):
            wrong = {"layer_norm": WRONG} if number % 2 else {}
            put(own / "submitted", f"student{number:02}", handed_in(bench.source, wrong))
        return own

    return made


def _killed_after(process: subprocess.Popen[str], seconds: float, rng: random.Random) -> str:
    """Kills the command or one of its processes; returns whom."""
    time.sleep(seconds)
    try:
        command = psutil.Process(process.pid)
        victim = rng.choice([command, command, *command.children(recursive=True)])
        name = "the command" if victim == command else " ".join(victim.cmdline())[:60]
        victim.send_signal(signal.SIGKILL)
    except psutil.Error:
        return "nobody"
    return name


def _kill_and_go_on(handed: Handed, kills: int, rng: random.Random, longest: float) -> list[str]:
    """Runs the command again and again while something of it is killed; what was kept must stay as it is."""
    killed: list[str] = []
    kept: dict[str, int] = {}
    process = handed.start()
    while len(killed) < kills:
        killed.append(_killed_after(process, rng.uniform(0.5, longest), rng))
        now = handed.journal()
        assert kept.items() <= now.items()
        kept = now
        if process.poll() is not None:
            process.communicate()
            process = handed.start()
    with process:
        _, said = process.communicate()
    if process.returncode:
        assert process.returncode == -signal.SIGKILL, said
        handed.finish()
    assert kept.items() <= handed.journal().items()
    return killed


def _compare(course: Path, kills: int, seed: int, longest: float) -> None:
    undisturbed, disturbed = Handed(course, "undisturbed"), Handed(course, "disturbed")
    undisturbed.finish()
    killed = _kill_and_go_on(disturbed, kills, random.Random(seed), longest)
    assert disturbed.results() == undisturbed.results(), killed
    assert disturbed.gradebook() == undisturbed.gradebook(), killed
    assert not [line for line in psutil.process_iter(["cwd"]) if line.info["cwd"] == str(course)]


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on_where_it_stopped(course_of: Callable[[int], Path]) -> None:
    _compare(course_of(5), 3, 3, 15.0)


@pytest.mark.slow
def test_fifty_kills_change_nothing(course_of: Callable[[int], Path]) -> None:
    _compare(course_of(60), 50, 7, 12.0)


@dataclass
class Cluster:
    """A command, its scheduler, workers and database: whatever is killed is started again."""

    handed: Handed
    remote: Remote
    server: Server
    command: subprocess.Popen[str]

    def kill(self, victim: str) -> None:
        if victim == "database":
            self.server.kill()
        else:
            ours = {"command": self.command, "worker": self.remote.workers[-1], "scheduler": self.remote.scheduler}
            ours[victim].kill()
            ours[victim].wait()

    def mend(self, victim: str) -> None:
        if victim == "database":
            self.server.start()
        if victim == "scheduler":
            self.remote.start_scheduler()
        self.remote.workers = [worker for worker in self.remote.workers if worker.poll() is None]
        while len(self.remote.workers) < 2:
            self.remote.worker()
        if self.command.poll() is not None:
            _, said = self.command.communicate()
            assert "Traceback" not in said, said
            self.command = self.handed.start()

    @property
    def is_done(self) -> bool:
        return self.command.poll() == 0


def _kill_until_done(cluster: Cluster, victims: Iterator[str], most: int, rng: random.Random) -> int:
    """Kills one after the other until the class is graded and entered; returns how many it has killed."""
    handed, kept = cluster.handed, dict[str, int]()
    for number in range(most):
        if number % 2:  # while it starts, connects, reads; else after it has got further
            before = handed.progress()
            until(lambda before=before: handed.progress() > before or cluster.command.poll() is not None, 60)
        time.sleep(rng.uniform(0.0, 4.0))
        if cluster.is_done:
            return number
        victim = next(victims)
        cluster.kill(victim)
        time.sleep(1.0)
        cluster.mend(victim)
        now = handed.journal()
        print(f"{victim} killed, {len(now)} of 60 in the journal, {handed.progress() - len(now)} entered")
        assert kept.items() <= now.items()
        kept = now
    return most


@pytest.mark.slow
def test_fifty_kills_of_command_worker_scheduler_and_database_in_turn_change_nothing(
    course_of: Callable[[int], Path], tmp_path: Path
) -> None:
    course, rng = course_of(60), random.Random(11)
    undisturbed = Handed(course, "undisturbed")
    undisturbed.finish()
    open_gradebooks_faster()
    in_file = entries(f"sqlite:///{course / undisturbed.out / 'gradebook.db'}", NAME)
    victims = itertools.cycle(["command", "worker", "scheduler", "database", "worker"])
    rounds = [f"round{number}" for number in range(20)]
    server, remote, left = Server(*rounds), Remote(tmp_path), 50
    try:
        for name in rounds:
            disturbed = Handed(course, name, ("--scheduler", remote.address, "--db-url", server.url(name)))
            cluster = Cluster(disturbed, remote, server, disturbed.start())
            cluster.mend("")
            left -= _kill_until_done(cluster, victims, left, rng)
            if not cluster.is_done:
                cluster.kill("command")
                cluster.mend("command")
            _, said = cluster.command.communicate()
            assert cluster.command.returncode == 0, said
            assert disturbed.results() == undisturbed.results()
            assert entries(server.url(name), NAME) == in_file
            if not left:
                break
        assert not left
    finally:
        remote.end()
        server.end()


def test_ctrl_c_ends_in_a_sentence_that_says_how_far_it_got(course_of: Callable[[int], Path], bench: Bench) -> None:
    handed = Handed(course_of(3), "stopped")
    # one that takes ten seconds, on however fast a machine
    put(handed.course / "submitted", "student99", handed_in(bench.source, {"layer_norm": "while True: pass"}))
    with handed.start() as process:
        assert until(lambda: len(handed.journal()) >= 1, 120)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"stopped, 05_layer_norm: [1-4] of 4 graded.*; run the same command again to go on", said)
    assert "Traceback" not in said
    kept = handed.journal()
    handed.finish()
    assert kept.items() <= handed.journal().items()


def _worker_of(command: psutil.Process) -> psutil.Process:
    (worker,) = [child for child in command.children() if any("local_worker" in word for word in child.cmdline())]
    return worker


@pytest.mark.parametrize(
    ("victim", "walls"),
    [
        ("worker", "--sandbox"),
        ("command", "--no-sandbox"),
        pytest.param("worker", "--no-sandbox", marks=pytest.mark.slow),
        pytest.param("command", "--sandbox", marks=pytest.mark.slow),
    ],
)
def test_who_is_killed_leaves_no_kernel(course: Path, bench: Bench, tmp_path: Path, victim: str, walls: str) -> None:
    marker = f"86420.{os.getpid()}"
    handed = Handed(course_copy(course, tmp_path), "out", ("--jobs", "1", walls))
    hangs = f"import subprocess\nsubprocess.Popen(['sleep', '{marker}'])\nwhile True: pass"
    put(tmp_path / "submitted", "mallory", handed_in(bench.source, {"layer_norm": hangs}))
    with handed.start() as process:
        assert until(lambda: bool(processes_with(marker)), 120)
        command = psutil.Process(process.pid)
        worker = _worker_of(command)
        # without walls a keeper and its kernel are nobody's children
        kernel = psutil.Process(processes_with(marker)[0]).parents()
        above = {1, os.getpid(), *(process.pid for process in psutil.Process().parents())}
        family = {worker, *worker.children(recursive=True), *(one for one in kernel if one.pid not in above)} - {
            command
        }
        assert len(family) >= 4  # the worker, the warm interpreter, a keeper, a kernel
        command.suspend()  # it would start another worker
        (worker if victim == "worker" else command).kill()
        try:
            assert until(lambda: not any(_alive(one) for one in family)), [one for one in family if _alive(one)]
            assert not processes_with(marker)
        finally:
            command.kill()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.slow
def test_a_scheduler_that_is_killed_is_started_again_and_goes_on(
    course_of: Callable[[int], Path], tmp_path: Path
) -> None:
    remote = Remote(tmp_path)
    try:
        remote.worker()
        handed = Handed(course_of(6), "remote", ("--scheduler", remote.address))
        with handed.start() as process:
            assert until(lambda: len(handed.journal()) >= 2, 120)
            remote.scheduler.kill()
            _, said = process.communicate(timeout=120)
        assert process.returncode == 1
        assert f"The scheduler of The cluster at {remote.address} is gone" in said
        assert "Traceback" not in said
        kept = handed.journal()
        assert 2 <= len(kept) < 6
        remote.start_scheduler()
        remote.worker()
        handed.finish()
        assert kept.items() <= handed.journal().items()
    finally:
        remote.end()
    local = Handed(handed.course, "local")
    local.finish()
    assert handed.results() == local.results()
    assert handed.gradebook() == local.gradebook()
