"""The command line: exit codes, one-sentence errors, files where they are announced."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from autograder.cli import app
from autograder.exercises import NAMES
from tests.pipeline.handed_in import NAME, OTHER


def _run(course: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments],
        cwd=course,
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
        check=False,
    )


HEAVY = ("distributed", "keras", "matplotlib", "nbconvert", "nbgrader", "numpy", "sklearn", "tensorflow")


@pytest.mark.parametrize("arguments", [["--help"], ["grade", "--help"]], ids=" ".join)
def test_help_loads_none_of_the_heavy_packages(course: Path, arguments: list[str]):
    code = (
        "import atexit, sys, autograder.cli; "
        f"atexit.register(lambda: print('loaded:', *sorted(sys.modules.keys() & set({HEAVY!r})))); "
        f"sys.argv[1:] = {arguments!r}; autograder.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=course, capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("command", typer.main.get_group(app).commands.values(), ids=lambda command: command.name)
def test_every_command_explains_itself_with_an_example(command: typer.core.TyperCommand):
    assert f"Example: autograder {command.name}" in (command.help or "")
    # in the list of all commands its first sentence is not cut off
    assert not command.get_short_help_str(65).endswith("...")
    unexplained = [one.name for one in command.params if not getattr(one, "help", None)]
    assert unexplained == []


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("grade 05", [NAME]),
        (f"grade {NAME} 03", [OTHER]),
        ("build 0", list(NAMES)),
        ("prove 9", []),
        ("collect x.zip --assignment 03", [OTHER]),
        ("export can", ["canvas"]),
        ("col", ["collect"]),
    ],
)
def test_bash_completes_commands_and_names_of_assignments(course: Path, typed: str, offered: list[str]):
    words = ["autograder", *typed.split()]
    script = f"""
        PATH={Path(sys.executable).parent}:$PATH
        eval "$(_AUTOGRADER_COMPLETE=source_bash autograder)"
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        _autograder_completion autograder
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PYTHONPATH": str(course)}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("grade", "99_nothing"), "There is no assignment '99_nothing'"),
        (("build", "99_nothing"), "There is no assignment '99_nothing'"),
        (("grade", NAME, "--submitted", "nowhere"), "is not a folder"),
        (("grade", NAME, "--jobs", "0"), "--jobs is 0"),
        (("grade", NAME, "--jobs", "2", "--scheduler", "tcp://host:8786"), "--jobs is for workers on this machine"),
        (("grade",), "Missing argument"),
        (("grade", NAME, "--data", "mnist"), "mnist"),
    ],
)
def test_unusable_arguments_end_in_a_sentence_and_exit_code_2(course: Path, arguments: tuple[str, ...], words: str):
    done = _run(course, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_a_course_the_sentence_says_so(tmp_path: Path):
    done = _run(tmp_path, "build")
    assert done.returncode == 2
    assert "course.toml" in done.stderr


@pytest.mark.parametrize(
    ("content", "words"), [(None, "SEQUENCE_DATA_IMDB"), (b"not the reviews", "SEQUENCE_DATA_IMDB")]
)
def test_a_missing_or_foreign_imdb_file_is_named_before_anything_is_graded(
    course: Path, tmp_path: Path, content: bytes | None, words: str
):
    path = tmp_path / "imdb.npz"
    if content is not None:
        path.write_bytes(content)
    (tmp_path / "submitted" / "ada" / NAME).mkdir(parents=True)
    done = _run(
        course, "grade", NAME, "--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "out"),
        "--data", "imdb", SEQUENCE_DATA_IMDB=str(path),
    )  # fmt: skip
    assert done.returncode == 2
    assert "imdb.npz" in done.stderr or words in done.stderr
    assert "Traceback" not in done.stderr
    assert content is None or path.read_bytes() == content


@pytest.mark.timeout(300)
def test_a_log_tells_every_epoch_of_a_training(course: Path, tmp_path: Path):
    name = "01_sequence_cnn"
    handed = tmp_path / "submitted" / "solved" / name
    handed.mkdir(parents=True)
    shutil.copy(course / "solutions" / name / f"{name}.ipynb", handed)
    done = _run(course, "grade", name, "--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"))
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("solved, build_sequence_cnn: ")]
    assert re.fullmatch(r".*: training a model of [\d,]+ parameters on 8,000 rows", told[0])
    for number, line in enumerate(told[1:], start=1):
        left = "" if number == 3 else r", about \d+ s left"
        assert re.fullmatch(rf".*: epoch {number} of 3, loss \d\.\d+, \d\.\d+ on held-out rows{left}", line)
    assert len(told) == 4


def test_a_class_without_a_notebook_is_graded_and_ends_with_exit_code_0(course: Path, tmp_path: Path):
    (tmp_path / "submitted" / "ada" / NAME).mkdir(parents=True)
    done = _run(course, "grade", NAME, "--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / NAME / "results.json").is_file()
    assert (tmp_path / "out" / "overview.html").is_file()


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("settings", "said"), [({}, True), ({"AUTOGRADER_SEED": "my own"}, False)])
def test_the_seed_that_everybody_knows_is_named(course: Path, tmp_path: Path, settings: dict[str, str], said: bool):
    (tmp_path / "submitted" / "ada").mkdir(parents=True)
    places = ("--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"))
    done = _run(course, "grade", NAME, *places, **{"AUTOGRADER_SEED": "", **settings})
    assert done.returncode == 0
    assert ("which everybody can read: set your own in course.toml" in done.stderr) == said


def test_the_demo_shows_a_class(course: Path, tmp_path: Path):
    done = _run(course, "demo", "--out", str(tmp_path / "demo"))
    assert done.returncode == 0, done.stderr
    # the line that README.md shows
    assert re.search(
        r"^ layer-norm-statistics-over-time +9/16 +graded +layer_norm: statistics-over-time", done.stderr, re.M
    )
    assert (tmp_path / "demo" / "overview.html").is_file()
