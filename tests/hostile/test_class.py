"""Attackers in a class: the others' results are the same as without them, on one worker and on two."""

from __future__ import annotations

import shutil
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.settings import read_settings
from tests.hostile.attackers import ATTACKS, MARKER, NAME, WRONG, Bench, attack, digest, handed_in, put
from tests.sandbox.conftest import processes_with, until

pytestmark = pytest.mark.xdist_group("hostile class")

HONEST = ("ada", "grace", "zoe")


@dataclass(frozen=True)
class Honest:
    course: Path
    submitted: Path
    results: dict[str, object]


def course_copy(course: Path, folder: Path) -> Path:
    for item in ("source", "course.toml"):
        target = shutil.copytree if (course / item).is_dir() else shutil.copy
        target(course / item, folder / item)
    return folder


def _results(group: Class, students: list[str]) -> dict[str, object]:
    results = grade_class(group, NAME, students)
    return {student: without_times(asdict(outcome)) for student, outcome in results.students.items()}


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key != "seconds"}
    return [without_times(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def honest(course: Path, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Honest:
    folder = tmp_path_factory.mktemp("honest")
    (folder / "course").mkdir()
    own = course_copy(course, folder / "course")
    submitted = folder / "submitted"
    put(submitted, "ada", handed_in(bench.source, {}))
    put(submitted, "grace", handed_in(bench.source, {"layer_norm": WRONG}))
    put(submitted, "zoe", handed_in(bench.source, {"layer_norm_gradients": "raise KeyError(1)"}))
    results = _results(Class(own, submitted, folder / "out", read_settings(own)), list(HONEST))
    return Honest(own, submitted, results)


@pytest.mark.parametrize("jobs", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_the_others_notice_nothing(honest: Honest, bench: Bench, tmp_path: Path, jobs: int) -> None:
    submitted, out = tmp_path / "submitted", tmp_path / "out"
    shutil.copytree(honest.submitted, submitted)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        paths = [str(honest.course / "course.toml"), str(submitted / "ada" / "planted"), str(out / "gradebook.db")]
        names = f"PORT = {listener.getsockname()[1]}\nPATHS = {paths!r}\n"
        for name in ATTACKS:
            put(submitted, name, attack(bench.source, name, names))
        before = digest(honest.course), digest(submitted)
        group = Class(honest.course, submitted, out, read_settings(honest.course), jobs)
        found = _results(group, sorted([*HONEST, *ATTACKS]))
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert {name: found[name] for name in HONEST} == honest.results
    assert {name: found[name]["score"] for name in ATTACKS} == dict.fromkeys(ATTACKS, 0.0)  # type: ignore[index]
    assert (digest(honest.course), digest(submitted)) == before
    assert until(lambda: not processes_with(MARKER))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "submitted"]
