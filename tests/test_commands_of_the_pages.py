"""What the pages tell their readers to type is typed here, in a copy of the course with a small class.

A block of commands that is not run with each commit says so in a comment right before it, which readers do not see:
`<!-- slow -->`, `<!-- run by: FILE -->`, `<!-- run by: FILE::TEST -->` or `<!-- not run: needs … -->`.
"""

import ast
import contextlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.exercises import assignment
from autograder.pipeline.simulate import simulated_class
from autograder.pipeline.source import read_source
from tests.pages import COURSE, TYPED, Block, blocks, blocks_of, name_of
from tests.pipeline.handed_in import NAME, OTHER
from tests.pipeline.test_lab import free_port

pytestmark = pytest.mark.xdist_group("pages")

CLASS = {"ada": ("Ada", "Lovelace", "solved"), "emmy": ("Emmy", "Noether", "blank")}


def commands_of(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "sh"]


def fault(block: Block) -> str:
    """What is wrong with the comment before a block; empty if nothing is."""
    if block.mark in ("", "slow"):
        return ""
    kind, _, said = block.mark.partition(": ")
    if kind == "not run":
        return "" if re.match(r"(needs|takes) \S+ \S+", said) else f"the reason {said!r} is not one of need or time"
    if kind != "run by":
        return f"{block.mark!r} is none of slow, run by, not run"
    file, _, test = said.partition("::")
    if not (COURSE / file).is_file():
        return f"there is no {file}"
    text = (COURSE / file).read_text(encoding="utf-8")
    if test:
        there = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}
        return "" if test in there else f"{file} has no {test}"
    return "".join(f"{file} does not run {command}; " for command in block.commands if command not in text)


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_every_block_of_commands_is_run_or_says_why_not(page: Path):
    assert {str(block): said for block in commands_of(page) if (said := fault(block))} == {}


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_commands_stand_in_blocks_that_say_so(page: Path):
    # a block without a language is what a program answered, and nobody runs it
    begins = re.compile(
        r"^(\.venv/|\./|\.ci/|make |autograder |git |pip |podman |docker |kubectl |sudo |python3? )", re.M
    )
    assert [str(block) for block in blocks(page) if block.language in ("", "bash") and begins.search(block.text)] == []


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("not run: I would rather not", "not one of need or time"),
        ("not run: needs", "not one of need or time"),
        ("sometimes", "none of slow"),
        ("run by: tests/nowhere.py", "there is no"),
        ("run by: tests/test_docs.py::test_nothing", "has no test_nothing"),
        ("run by: .ci/run", "does not run make fly"),
    ],
)
def test_a_comment_that_explains_nothing_is_found(mark: str, said: str):
    (block,) = blocks_of(f"<!-- {mark} -->\n```sh\nmake fly\n```\n", COURSE / "README.md")
    assert said in fault(block)


def handed_in(course: Path) -> dict[str, dict[str, str]]:
    """The notebooks of the class, by assignment and student."""
    found: dict[str, dict[str, str]] = {}
    for name in (NAME, OTHER):
        simulated = {one.student: one.notebook for one in simulated_class(read_source(course, name), assignment(name))}
        found[name] = {student: nbformat.writes(simulated[kind]) for student, (_, _, kind) in CLASS.items()}
    return found


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the course in which a class has handed in, and was graded."""
    folder = tmp_path_factory.mktemp("pages") / "course"
    kept = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "graded", "submitted")
    shutil.copytree(COURSE, folder, ignore=kept)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder.parent / "home").mkdir()
    notebooks = handed_in(folder)
    for name, of_each in notebooks.items():
        for student, text in of_each.items():
            for place in ("course/submitted", "handed-in"):
                path = folder.parent / place / student / name / f"{name}.ipynb"
                path.parent.mkdir(parents=True)
                path.write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "submissions.zip", "w") as archive:
        for number, (student, (first, last, _)) in enumerate(CLASS.items()):
            archive.writestr(f"{first} {last}_{number}_assignsubmission_file/{NAME}.ipynb", notebooks[NAME][student])
    roster = ["id,first_name,last_name", *(f"{student},{first},{last}" for student, (first, last, _) in CLASS.items())]
    (folder / "roster.csv").write_text("\n".join(roster), encoding="utf-8")
    typed(folder, f".venv/bin/autograder grade {NAME}")
    return folder


SHELL = ("bash", "--noprofile", "--norc", "-eu", "-o", "pipefail", "-c")


def environment(folder: Path) -> dict[str, str]:
    """The environment of whoever types in the course: its code, and a home of its own."""
    paths = os.pathsep.join([str(folder), str(folder / "data")])
    return {**os.environ, "PYTHONPATH": paths, "HOME": str(folder.parent / "home")}


def typed(folder: Path, text: str) -> str:
    """Types commands into a shell; returns what they print."""
    done = subprocess.run(
        [*SHELL, text],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}"
    return done.stdout


NOISE = re.compile(r"Traceback|WARNING: All log messages before absl|oneDNN|cuda_|\.cc:\d+\]|Warning:")
"""What no screen shall show: a programmer's words, and those of the libraries below."""


def pages_with(mark: str) -> list[Path]:
    return [page for page in TYPED if any(block.mark == mark for block in commands_of(page))]


def type_all(page: Path, mark: str, checkout: Path) -> None:
    for block in commands_of(page):
        if block.mark == mark:
            assert not NOISE.search(typed(checkout, block.text)), block


@pytest.mark.parametrize("page", pages_with(""), ids=name_of)
def test_the_commands_of_a_page_work_as_shown(page: Path, checkout: Path):
    type_all(page, "", checkout)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", pages_with("slow"), ids=name_of)
def test_the_commands_of_a_page_that_take_longer_work_as_shown(page: Path, checkout: Path):
    type_all(page, "slow", checkout)


@pytest.mark.slow
def test_the_cluster_of_the_page_grades_with_its_certificate(checkout: Path):
    page = blocks(COURSE / "docs" / "clusters.md")
    port, home = free_port(), checkout.parent / "home"

    def on_this_machine(begins: str) -> str:
        text = next(block.text for block in page if begins in block.text)
        for there, here in (
            ("--host 10.0.0.1 --port 8786", f"--host tls://127.0.0.1 --port {port} --no-dashboard"),
            ("tcp://10.0.0.1:8786", f"tls://127.0.0.1:{port}"),
            ("--nworkers 8", "--nworkers 1"),
            ("/home/grader/dask", str(checkout)),
        ):
            text = text.replace(there, here)
        return text

    typed(checkout, on_this_machine("openssl req"))
    (home / ".config" / "dask").mkdir(parents=True)
    (home / ".config" / "dask" / "tls.yaml").write_text(on_this_machine("require-encryption"), encoding="utf-8")
    shutil.rmtree(checkout / "graded" / "journal")
    with contextlib.ExitStack() as stack, (checkout / "dask.log").open("w") as log:
        for begins in ("dask scheduler", "dask worker"):
            command = [*SHELL, f"exec {on_this_machine(begins)}"]
            running = subprocess.Popen(command, cwd=checkout, env=environment(checkout), stdout=log, stderr=log)
            stack.callback(running.wait, 30)
            stack.callback(running.terminate)
        said = typed(checkout, on_this_machine("--scheduler tcp://10.0.0.1"))
    assert "ada" in said
