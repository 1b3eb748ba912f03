"""The documentation tells what is there: links, commands and the diagram of the parts."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.pages import COURSE, FENCE, PAGES, TYPED, commands, commands_in_passing, name_of

PARTS = ("cli", "notebook", "export", "pipeline", "sandbox", "report", "exercises", "checking")

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(path: Path) -> str:
    """A page without its fenced blocks and code spans, where brackets are not links."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text(encoding="utf-8")))


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ +(.+)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> Iterator[str]:
    # an image's address stands in the same form, and is looked for as well
    yield from (target for target in LINK.findall(prose(path)) if "://" not in target)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path):
    broken: list[str] = []
    for link in links(page):
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        there = target.exists() and target.is_relative_to(COURSE)
        if there and anchor:
            there = anchor in anchors(target)
        if not there:
            broken.append(link)
    assert not broken


def part_of(path: Path) -> str:
    return path.relative_to(COURSE / "autograder").parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it the import stands."""
    package = [*path.relative_to(COURSE).with_suffix("").parts][:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            # `from autograder import report` names a part only in what follows
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_between_parts() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in (COURSE / "autograder").rglob("*.py"):
        for module in imported(path):
            package, _, rest = module.partition(".")
            arrow = (part_of(path), rest.partition(".")[0])
            if package == "autograder" and arrow[0] in PARTS and arrow[1] in PARTS and arrow[0] != arrow[1]:
                found.add(arrow)
    return found


def arrows_of_the_diagram() -> set[tuple[str, str]]:
    text = (COURSE / "docs" / "architecture.md").read_text(encoding="utf-8")
    (diagram,) = [content for language, content in FENCE.findall(text) if language == "mermaid"]
    return set(re.findall(r"^\s*(\w+) --> (\w+)\s*$", diagram, re.M))


def test_every_arrow_of_the_diagram_is_an_import():
    assert sorted(arrows_of_the_diagram() - imports_between_parts()) == []


def test_every_import_between_parts_is_an_arrow_of_the_diagram():
    assert sorted(imports_between_parts() - arrows_of_the_diagram()) == []


def test_every_folder_and_file_of_the_package_is_a_part():
    # a new part has to be drawn, so it must not go unnoticed
    there = {part_of(path) for path in (COURSE / "autograder").rglob("*.py")}
    assert there - {"__init__"} == set(PARTS)


FOREIGN = {
    "cat", "cd", "conda", "cp", "echo", "git", "jupyter", "kubectl", "mkdir", "nvidia-smi", "openssl", "pip", "podman",
    "srun", "sudo",
}  # fmt: skip
"""Programs of others that the pages call."""


def make_targets() -> set[str]:
    text = (COURSE / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):(?!=)", text, re.M))


def programs() -> set[str]:
    """What `.venv/bin` holds that the documentation may call: what we install, by its name in pyproject.toml."""
    text = (COURSE / "pyproject.toml").read_text(encoding="utf-8")
    ours = set(re.findall(r"^(\w+) = \"autograder\.", text, re.M))
    named = {tool for tool in ("dask", "nbgrader", "pre-commit", "pyright", "pytest", "ruff") if f'"{tool}' in text}
    return ours | named | {"python"} | ({"jupyter"} if '"jupyterlab' in text else set())


def subcommands() -> set[str]:
    from autograder.cli import app

    return {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}


def exists(command: str) -> bool:
    first, *rest = shlex.split(re.sub(r"^(\w+=\S* )+", "", command))
    if first in FOREIGN:
        return True
    if first == "make":
        return all(word in make_targets() for word in rest if "=" not in word)
    first = first.removeprefix("../course/")  # from the folder that students get
    program = first.removeprefix(".venv/bin/")
    if program == "autograder":
        return bool(rest) and rest[0] in {*subcommands(), "--install-completion"}
    if program == "nbgrader":
        from nbgrader.apps.nbgraderapp import NbGraderApp

        return bool(rest) and rest[0].replace("-", "_") in NbGraderApp().subcommands
    if first.startswith(".venv/bin/"):
        return program in programs()
    if first == "python3":
        return rest[:1] == ["-m"] or (COURSE / "students" / rest[0]).is_file()
    if first == "./config.sh":  # of GitHub's runner
        return True
    return "/" in first and (COURSE / first).is_file()


@pytest.mark.parametrize("page", TYPED, ids=name_of)
def test_every_command_that_is_shown_exists(page: Path):
    shown = commands(page) + commands_in_passing(page)
    assert [command for command in shown if not exists(command)] == []


@pytest.mark.parametrize(
    "command", ["make fly", "autograder fly", ".venv/bin/autograder", ".venv/bin/nbgrader fly", ".venv/bin/fly", "fly"]
)
def test_a_command_that_is_not_there_is_found(command: str):
    # the test above would be worth nothing if it let everything pass
    assert not exists(command)


def test_every_subcommand_is_explained_to_instructors():
    text = (COURSE / "README.md").read_text(encoding="utf-8") + (COURSE / "docs" / "instructors.md").read_text(
        encoding="utf-8"
    )
    # `demo` is what `make demo` runs
    missing = [name for name in subcommands() if f"autograder {name}" not in text and f"make {name}" not in text]
    assert missing == []


def pieces(page: Path) -> dict[str, str]:
    """The Python blocks of a page by what their first line says of them: a file's path, or a cell's id."""
    blocks = [content for language, content in FENCE.findall(page.read_text(encoding="utf-8")) if language == "python"]
    return {first.removeprefix("# "): rest for first, _, rest in (block.partition("\n") for block in blocks)}


def cell_of(key: str, source: str) -> nbformat.NotebookNode:
    if key == "setup":
        return new_code_cell(source, metadata={"tags": ["setup"]})
    graded = key.startswith(("check_", "test_"))
    about = {"schema_version": 3, "grade_id": key, "grade": graded, "locked": graded, "solution": not graded}
    points = {"points": 3 if key.startswith("test_") else 0} if graded else {}
    return new_code_cell(source, metadata={"nbgrader": {**about, "task": False, **points}})


def test_the_exercise_that_is_written_on_the_page_is_proven_and_built(tmp_path: Path):
    page, name = COURSE / "docs" / "writing-an-exercise.md", "08_masked_mean"
    shutil.copytree(COURSE / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copy(COURSE / file, tmp_path)
    registry = tmp_path / "autograder" / "exercises" / "__init__.py"
    registry.write_text(registry.read_text().replace('    "07_tiny_gpt",\n', f'    "07_tiny_gpt",\n    "{name}",\n'))
    cells: list[nbformat.NotebookNode] = []
    for first, content in pieces(page).items():
        if first.startswith("cell "):
            cells.append(cell_of(first.removeprefix("cell "), content.rstrip("\n")))
        else:
            (tmp_path / first).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / first).write_text(content)
    notebook = new_notebook(cells=cells)
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path = tmp_path / "source" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    for command in commands(page):
        _, *words = command.split()
        done = subprocess.run(
            [sys.executable, "-m", "autograder.cli", *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
    released = (tmp_path / "release" / name / f"{name}.ipynb").read_text()
    assert "NotImplementedError" in released
    assert "ops.where" not in released
