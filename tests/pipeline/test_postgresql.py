"""A gradebook in PostgreSQL holds what one in SQLite holds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from autograder.exercises import layer_norm
from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.collect import enter_roster
from autograder.pipeline.gradebook import GradebookError, check, entries, explained
from autograder.pipeline.settings import UsageError, read_settings
from autograder.pipeline.source import read_source
from autograder.pipeline.summary import write_overview
from autograder.pipeline.workers import Workers
from tests.hostile.attackers import handed_in, put
from tests.hostile.test_class import course_copy
from tests.pipeline.fake_work import FakeCluster
from tests.pipeline.handed_in import NAME
from tests.pipeline.postgresql import Server
from tests.pipeline.remote import SAME_CODE
from tests.pipeline.small_course import ESSAY, rename_question

pytestmark = pytest.mark.xdist_group("postgresql")

STUDENTS = ["absent", "ada", "zoe"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server("course", "other", "changing")
    try:
        yield running
    finally:
        running.end()


@pytest.fixture
def small(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Class:
    monkeypatch.setattr(Workers, "wanted", lambda self, tasks, audience: FakeCluster())
    own = course_copy(course, tmp_path)
    shutil.copy(course / "nbgrader_config.py", own)
    source = read_source(own, NAME)
    put(tmp_path / "submitted", "ada", handed_in(source, {}))
    put(tmp_path / "submitted", "zoe", handed_in(source, {}, written=""))
    (tmp_path / "submitted" / "absent").mkdir()
    return Class(own, tmp_path / "submitted", tmp_path / "sqlite", read_settings(own))


@pytest.mark.slow
def test_both_give_the_same_results_and_say_the_same(small: Class, server: Server):
    other = replace(small, out=small.course / "graded", db_url=server.url("course"))
    grade_class(small, NAME, STUDENTS)
    grade_class(other, NAME, STUDENTS)
    results = [(group.out / NAME / "results.json").read_bytes() for group in (small, other)]
    assert results[0] == results[1]
    in_file = entries(f"sqlite:///{small.out / 'gradebook.db'}", NAME)
    assert entries(other.db_url, NAME) == in_file
    assert in_file["ada"].marks["test_layer_norm"].auto == 4.0
    assert not (other.out / "gradebook.db").exists()


@pytest.mark.slow
def test_the_address_in_course_toml_is_for_nbgrader_too(small: Class, server: Server):
    with (small.course / "course.toml").open("a") as file:
        file.write('\ndb_url = "' + server.url("other") + '"\n')
    grade_class(replace(small, out=small.course / "graded", db_url=""), NAME, STUDENTS)
    command = [sys.executable, "-m", "nbgrader", "export"]
    subprocess.run(command, cwd=small.course, env=SAME_CODE, check=True, capture_output=True)
    exported = (small.course / "grades.csv").read_text()
    assert f"{NAME}," in exported
    assert "ada" in exported
    assert not (small.course / "graded" / "gradebook.db").exists()


@pytest.mark.slow
def test_names_of_a_roster_stand_in_the_overview(small: Class, server: Server):
    url, roster = server.url("other"), small.course / "roster.csv"
    with (small.course / "course.toml").open("a") as file:
        file.write(f'\ndb_url = "{url}"\n')
    roster.write_text("id,first_name,last_name\nada,Augusta,King\n")
    enter_roster(roster, small.course, small.out)
    grade_class(small, NAME, STUDENTS)
    assert "Augusta King" in write_overview(small.out, "A class", url).read_text()
    assert not (small.out / "gradebook.db").exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://grader:secret@/nowhere?host=/nowhere", "cannot be opened"),
        ("nonsense", "expected one like postgresql://"),
        ("unknown://host/database", "expected one like postgresql://"),
        ("sqlite:////proc/no/gradebook.db", "cannot be opened"),
    ],
)
def test_a_gradebook_that_cannot_be_opened_is_named_without_its_password(url: str, words: str):
    with pytest.raises(UsageError, match=words) as refused:
        check(url)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_gradebook_that_fails_meanwhile_is_named_without_its_password():
    failed = pytest.raises(GradebookError, match=r"failed \(gone\).*run the same command again")
    with failed as failure, explained("postgresql://grader:secret@/course"):
        raise OperationalError("SELECT 1", {}, Exception("gone\nand more"))
    assert "secret" not in str(failure.value)


@pytest.mark.slow
def test_questions_change_in_a_database_that_keeps_its_references(
    small: Class, server: Server, monkeypatch: pytest.MonkeyPatch
):
    group = replace(small, out=small.course / "graded", db_url=server.url("changing"))
    grade_class(group, NAME, STUDENTS)
    rename_question(small.course, ESSAY, "when_batch_norm", 2)
    monkeypatch.setattr(layer_norm, "ASSIGNMENT", replace(layer_norm.ASSIGNMENT, written={"when_batch_norm": 2}))
    grade_class(group, NAME, STUDENTS)
    found = entries(group.db_url, NAME)
    assert all("when_batch_norm" in entry.marks and ESSAY not in entry.marks for entry in found.values())
