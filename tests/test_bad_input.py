"""What a user can mend ends in a sentence that says so: never in a traceback, and nothing is lost by it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.exercises import assignment
from autograder.pipeline.build import is_fresh
from autograder.pipeline.bundle import contents, problems
from autograder.pipeline.collect import enter_roster
from autograder.pipeline.lab import prepare
from autograder.pipeline.settings import Limits, UsageError, read_settings
from autograder.pipeline.source import complete, read_source
from autograder.pipeline.submission import Unreadable, read_notebook
from autograder.pipeline.summary import overview
from tests.pipeline.handed_in import NAME
from tests.pipeline.small_course import course_of_one

NO_NOTEBOOK = {
    "cut off": b'{"cells": [',
    "a list": b"[]",
    "an older format": b'{"nbformat": 3, "worksheets": []}',
    "without cells": b'{"nbformat": 4, "cells": 3}',
    "not text": b"\xff\xfe\x00",
}
NO_DATABASE = b"this was a gradebook before the disk was full" * 30


@pytest.fixture
def small(course: Path, tmp_path: Path) -> Path:
    """A course of one assignment, in a folder with a space and an umlaut."""
    return course_of_one(course, tmp_path / "Kurs für alle")


def source_of(course: Path) -> Path:
    return course / "source" / NAME / f"{NAME}.ipynb"


def said(course: Path, *command: str | Path, code: int) -> list[str]:
    """Runs a command that must fail with this exit code; returns what it says."""
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, check=False, env=environment(course))
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()


def environment(course: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


AUTOGRADER = (sys.executable, "-m", "autograder.cli")


@pytest.mark.parametrize("content", NO_NOTEBOOK.values(), ids=NO_NOTEBOOK)
def test_a_source_that_is_no_notebook_is_named_with_what_to_do(small: Path, content: bytes):
    source_of(small).write_bytes(content)
    with pytest.raises(UsageError, match=rf"{NAME}\.ipynb is not a notebook.*from git again"):
        read_source(small, NAME)
    with pytest.raises(UsageError, match="is not a notebook"):
        prepare(small, small / "submitted", small / "graded")


def test_a_source_that_is_not_there_is_named(small: Path):
    source_of(small).unlink()
    with pytest.raises(UsageError, match=r"cannot be read \(No such file"):
        read_source(small, NAME)


def test_nobody_is_graded_against_a_source_without_its_solution_cells(small: Path):
    # everybody would get 0, and the gradebook would say so
    source_of(small).write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')
    with pytest.raises(UsageError, match=r"no solution cell for layer_norm, .*`autograder build"):
        complete(read_source(small, NAME), assignment(NAME))
    lines = said(small, *AUTOGRADER, "build", NAME, code=1)
    # one line for each fault
    assert [line for line in lines if line.endswith("no cell has the grade_id 'test_layer_norm'")]
    assert [line for line in lines if line.endswith("no solution cell has the grade_id 'layer_norm'")]


@pytest.mark.parametrize("content", [NO_NOTEBOOK["a list"], NO_NOTEBOOK["not text"]], ids=["a list", "not text"])
def test_a_damaged_release_or_solution_is_stale(course: Path, small: Path, content: bytes):
    for folder in ("release", "solutions"):
        (small / folder / NAME).mkdir(parents=True)
        (small / folder / NAME / f"{NAME}.ipynb").write_bytes(content)
    stale = is_fresh(small, NAME, small / "release", small / "solutions")
    assert len(stale) == 2
    files = contents(course)
    files[f"notebooks/{NAME}.ipynb"] = content
    assert any(f"run `autograder build {NAME}`" in problem for problem in problems(course, files))


def test_a_page_for_students_that_is_not_utf_8_is_named(course: Path):
    files = contents(course)
    files["README.md"] = b"f\xfcr"
    assert list(problems(course, files)) == ["README.md is not text in UTF-8: take the file from git again"]


def test_course_toml_that_is_not_utf_8_is_named(small: Path):
    (small / "course.toml").write_bytes(b"seed = 'f\xfcr'\n")
    with pytest.raises(UsageError, match=r"course\.toml cannot be read"):
        read_settings(small)


def test_a_damaged_gradebook_is_named_by_every_command_that_opens_it(small: Path, tmp_path: Path):
    out, roster = small / "graded", tmp_path / "roster.csv"
    (out / NAME).mkdir(parents=True)
    (out / "gradebook.db").write_bytes(NO_DATABASE)
    roster.write_text("id\nada\n")
    results = shutil.copy(Path(__file__).parent / "graded" / "results.json", out / NAME)
    for attempt in (
        lambda: enter_roster(roster, small, out),
        lambda: prepare(small, small / "submitted", out),
        lambda: overview("Results", [Path(results)], out),
    ):
        with pytest.raises(UsageError, match=r"für alle/graded/gradebook\.db cannot be opened .*--out"):
            attempt()
    assert (out / "gradebook.db").read_bytes() == NO_DATABASE


def test_a_demo_deletes_no_folder_that_is_not_a_demos(small: Path, tmp_path: Path):
    precious = tmp_path / "home" / "thesis.tex"
    precious.parent.mkdir()
    precious.write_text("ten months of work")
    for place in (precious.parent, precious):
        (line,) = said(small, *AUTOGRADER, "demo", "--out", place, code=2)
        assert "was not made by a demo" in line
    assert precious.read_text() == "ten months of work"


def test_a_demo_with_unusable_arguments_ends_before_it_deletes_or_builds(small: Path):
    before = small / "graded" / "demo" / "overview.html"
    before.parent.mkdir(parents=True)
    before.touch()
    assert "--jobs is 0" in said(small, *AUTOGRADER, "demo", "--jobs", "0", code=2)[0]
    assert before.exists()


def without_the_rights_of_root() -> tuple[str, ...]:
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may read everything, and there is no setpriv to give that up")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def test_a_folder_that_may_not_be_read_is_named(small: Path):
    closed = small / "submitted"
    closed.mkdir(mode=0)
    (line,) = said(small, *without_the_rights_of_root(), *AUTOGRADER, "grade", NAME, code=1)
    assert f"{closed}: Permission denied: " in line
    assert "run the same command again" in line


def test_a_submission_that_may_not_be_read_costs_its_student_alone(small: Path):
    program = (
        "import sys; from pathlib import Path; from autograder.pipeline.settings import Limits; "
        "from autograder.pipeline.submission import Unreadable, read_notebook\n"
        "try: read_notebook(Path(sys.argv[1]), Limits())\n"
        "except Unreadable as error: sys.exit(str(error))"
    )
    folder = small / "submitted" / "ada" / NAME
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").touch()
    folder.chmod(0)
    command = (*without_the_rights_of_root(), sys.executable, "-c", program, folder / f"{NAME}.ipynb")
    assert said(small, *command, code=1) == [f"{NAME}.ipynb may not be read by the grader (Permission denied)."]
    folder.chmod(0o700)
    with pytest.raises(Unreadable, match="not JSON"):
        read_notebook(folder / f"{NAME}.ipynb", Limits())


def test_ctrl_c_ends_any_command_with_a_sentence_and_130(small: Path):
    running = subprocess.Popen(
        [*AUTOGRADER, "prove", NAME], cwd=small, stderr=subprocess.PIPE, text=True, env=environment(small)
    )
    assert running.stderr is not None
    assert running.stderr.readline().startswith("Proving")
    running.send_signal(signal.SIGINT)
    _, rest = running.communicate(timeout=60)
    # a shell says 130 of both: Python ends by the signal itself where it came while a module was loaded
    assert running.returncode in (130, -signal.SIGINT)
    assert rest.splitlines()[-1] == "autograder: stopped; the same command begins again"
    assert "Traceback" not in rest
