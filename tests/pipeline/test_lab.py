"""The instructor's JupyterLab, for real: the formgrader grades behind the walls, and the whole round works."""

import getpass
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder.exercises import assignment
from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.lab import command, environment, prepare
from autograder.pipeline.settings import UsageError, read_settings
from autograder.pipeline.simulate import simulated_class, write_class
from autograder.pipeline.source import read_source
from tests.pipeline.handed_in import NAME
from tests.pipeline.small_course import course_of_one

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lab")]

TOKEN = "a-token-of-the-test"


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that runs, and its course."""

    course: Path
    port: int

    @property
    def submitted(self) -> Path:
        return self.course / "handed-in"

    @property
    def out(self) -> Path:
        return self.course / "marks"

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Asks the formgrader, whose answers are JSON, or one of its pages."""
        address = f"http://127.0.0.1:{self.port}/formgrader/{path}"
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, content, {"Authorization": f"token {TOKEN}"}, method=method)
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read().decode()
        return json.loads(text) if path.startswith("api/") else text

    def do(self, action: str) -> str:
        """Presses a button; returns its log."""
        answer = self.ask(f"api/{action}", "POST")
        assert answer["success"], answer
        return str(answer.get("log", ""))

    def marks(self) -> dict[str, float]:
        return {one["student"]: one["score"] for one in self.ask(f"api/submissions/{NAME}") if one["autograded"]}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Lab]:
    folder = course_of_one(course, tmp_path_factory.mktemp("lab"))
    lab = Lab(folder, free_port())
    handed = simulated_class(read_source(course, NAME), assignment(NAME), misconceptions=1)
    chosen = (one for one in handed if one.student in ("solved", "crash", "layer-norm-statistics-over-time"))
    write_class(chosen, NAME, lab.submitted)
    options = ("--no-browser", "--allow-root", f"--port={lab.port}", f"--IdentityProvider.token={TOKEN}")
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "autograder.cli", "lab", "--submitted", "handed-in", "--out", "marks", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(course), "HOME": str(folder)},
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(240):
            try:
                lab.ask("manage_assignments")
                break
            except urllib.error.URLError:
                assert running.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield lab
    finally:
        running.terminate()
        running.wait(30)


def test_the_formgraders_marks_are_those_of_autograder_grade(lab: Lab, tmp_path: Path):
    students = sorted(path.name for path in lab.submitted.iterdir())
    for student in students:
        lab.do(f"submission/{NAME}/{student}/autograde")
    group = Class(lab.course, lab.submitted, tmp_path, read_settings(lab.course))
    graded = grade_class(group, NAME, students)
    assert lab.marks() == {student: outcome.score for student, outcome in graded.students.items()}


def test_autograding_goes_through_the_sandbox(lab: Lab):
    # this answer aborts its process: nbgrader's own execution would have lost the submission, or the server
    lab.do(f"submission/{NAME}/crash/autograde")
    assert "crashed" in (lab.out / "autograded" / "crash" / NAME / f"{NAME}.ipynb").read_text()
    assert list((lab.out / "journal").glob("*.json"))
    assert not (lab.course / "graded").exists()


def test_a_mark_given_by_hand_reaches_the_results(lab: Lab):
    lab.do(f"submission/{NAME}/solved/autograde")
    (notebook,) = (
        one for one in lab.ask(f"api/submitted_notebooks/{NAME}/{NAME}") if one["student"] == "solved"
    )  # fmt: skip
    assert "why" in lab.ask(f"submissions/{notebook['id']}/")
    waiting = next(one for one in lab.ask(f"api/grades?submission_id={notebook['id']}") if one["needs_manual_grade"])
    lab.ask(f"api/grade/{waiting['id']}", "PUT", {"manual_score": 2})
    group = Class(lab.course, lab.submitted, lab.out, read_settings(lab.course))
    outcome = grade_class(group, NAME, ["solved"]).students["solved"]
    assert [answer.score for answer in outcome.written.values()] == [2]


def test_an_assignment_goes_out_and_comes_back_through_the_exchange(lab: Lab, course: Path):
    student, home = getpass.getuser(), lab.course / "home"
    home.mkdir()

    def nbgrader(*words: str) -> None:
        exchange = (f"--Exchange.root={lab.out / 'exchange'}", f"--Exchange.cache={home / 'cache'}")
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *words, "--course=sequence-models", *exchange],
            cwd=home,
            env={**os.environ, "HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    lab.do(f"assignment/{NAME}/assign")
    lab.do(f"assignment/{NAME}/release")
    nbgrader("fetch_assignment", NAME)
    handed_out = home / NAME / f"{NAME}.ipynb"
    assert handed_out.read_bytes() == (course / "release" / NAME / f"{NAME}.ipynb").read_bytes()
    (home / NAME / "numpy.py").write_text("raise SystemExit")
    nbgrader("submit", NAME)
    lab.do(f"assignment/{NAME}/collect")
    collected = {path.name for path in (lab.submitted / student / NAME).iterdir()}
    assert collected == {f"{NAME}.ipynb", "timestamp.txt", "submission_secret.txt"}
    lab.do(f"submission/{NAME}/{student}/autograde")
    lab.do(f"submission/{NAME}/solved/autograde")
    lab.do(f"assignment/{NAME}/generate_feedback")
    assert "solved" in lab.do(f"assignment/{NAME}/release_feedback")  # who did not hand in there is named
    nbgrader("fetch_feedback", NAME)
    (page,) = home.glob(f"{NAME}/feedback/*/{NAME}.html")
    assert "layer_norm" in page.read_text()


def test_a_course_without_its_nbgrader_config_is_not_opened(tmp_path: Path):
    (tmp_path / "course.toml").touch()
    with pytest.raises(UsageError, match=r"nbgrader_config\.py"):
        prepare(tmp_path, tmp_path / "submitted", tmp_path / "graded")


def test_options_of_jupyter_come_last_so_that_they_win(tmp_path: Path):
    assert command(tmp_path, tmp_path, ["--port", "1"])[-2:] == ["--port", "1"]


def test_the_kernel_behind_the_walls_is_found(tmp_path: Path):
    folder = Path(environment(tmp_path, tmp_path)["JUPYTER_PATH"].split(os.pathsep)[0])
    assert (folder / "kernels" / "sandbox" / "kernel.json").is_file()
