"""A gradebook in PostgreSQL holds what one in SQLite holds."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.collect import enter_roster
from autograder.pipeline.gradebook import check, entries
from autograder.pipeline.settings import UsageError, read_settings
from autograder.pipeline.source import read_source
from autograder.pipeline.summary import write_overview
from autograder.pipeline.workers import Workers
from tests.hostile.attackers import handed_in, put
from tests.hostile.test_class import course_copy
from tests.pipeline.fake_work import FakeCluster
from tests.pipeline.handed_in import NAME
from tests.pipeline.remote import SAME_CODE

pytestmark = pytest.mark.xdist_group("postgresql")

STUDENTS = ["absent", "ada", "zoe"]


def _programs() -> Path | None:
    """The folder of the newest server on this machine: its programs are rarely on the path."""
    found = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    return found[-1] if found else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of its own behind a Unix socket; gives the beginning of a URL without the database's name."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not on this machine: apt install postgresql")
    # the server refuses to run as root, and a socket's path is short
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    other = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120, **other)  # type: ignore[call-overload]

    data = str(folder / "data")
    try:
        run("initdb", "--pgdata", data, "--username", "grader", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "--pgdata", data, "--options", options, "--log", str(folder / "log"), "--wait", "start")
        with psycopg.connect(host=str(folder), user="grader", dbname="postgres", autocommit=True) as connection:
            for name in ("course", "other"):
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        yield f"postgresql://grader@/%s?host={folder}"
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):  # it may not have been started
            run("pg_ctl", "--pgdata", data, "--mode", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


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
def test_both_give_the_same_results_and_say_the_same(small: Class, server: str):
    other = replace(small, out=small.course / "graded", db_url=server % "course")
    grade_class(small, NAME, STUDENTS)
    grade_class(other, NAME, STUDENTS)
    results = [(group.out / NAME / "results.json").read_bytes() for group in (small, other)]
    assert results[0] == results[1]
    in_file = entries(f"sqlite:///{small.out / 'gradebook.db'}", NAME)
    assert entries(other.db_url, NAME) == in_file
    assert in_file["ada"].marks["test_layer_norm"].auto == 4.0
    assert not (other.out / "gradebook.db").exists()


@pytest.mark.slow
def test_the_address_in_course_toml_is_for_nbgrader_too(small: Class, server: str):
    with (small.course / "course.toml").open("a") as file:
        file.write(f'\ndb_url = "{server % "other"}"\n')
    grade_class(replace(small, out=small.course / "graded", db_url=""), NAME, STUDENTS)
    command = [sys.executable, "-m", "nbgrader", "export"]
    subprocess.run(command, cwd=small.course, env=SAME_CODE, check=True, capture_output=True)
    exported = (small.course / "grades.csv").read_text()
    assert f"{NAME}," in exported
    assert "ada" in exported
    assert not (small.course / "graded" / "gradebook.db").exists()


@pytest.mark.slow
def test_names_of_a_roster_stand_in_the_overview(small: Class, server: str):
    url, roster = server % "other", small.course / "roster.csv"
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
