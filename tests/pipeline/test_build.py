"""A release holds no solution, and a source notebook that is not right is not built."""

import copy
import json
import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.exercises import NAMES, assignment
from autograder.pipeline.build import (
    BuildError,
    build,
    is_fresh,
    release_problems,
    solution_lines,
    source_problems,
    steadied,
)
from autograder.pipeline.settings import read_settings
from autograder.pipeline.source import SourceNotebook, grade_id, read_source
from tests.pipeline.handed_in import NAME


@pytest.fixture
def source(course: Path) -> SourceNotebook:
    return read_source(course, NAME)


@pytest.fixture
def released(course: Path) -> nbformat.NotebookNode:
    return nbformat.read(course / "release" / NAME / f"{NAME}.ipynb", as_version=4)


def _changed(source: SourceNotebook, key: str, change) -> SourceNotebook:
    notebook = source.notebook
    change(next(cell for cell in notebook.cells if grade_id(cell) == key))
    return SourceNotebook(source.name, nbformat.writes(notebook))


@pytest.mark.parametrize("name", NAMES)
def test_release_and_solutions_are_what_the_source_gives(course: Path, name: str):
    assert is_fresh(course, name, course / "release", course / "solutions") == []


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_clean(course: Path, name: str):
    released = nbformat.read(course / "release" / name / f"{name}.ipynb", as_version=4)
    assert list(release_problems(read_source(course, name), released)) == []


def test_many_lines_are_known_for_solutions(source: SourceNotebook):
    assert len(solution_lines(source)) > 20


@pytest.mark.parametrize("place", ["source", "metadata", "output", "attachment", "notebook metadata"])
def test_a_leaked_line_of_a_solution_is_found_wherever_it_stands(
    source: SourceNotebook, released: nbformat.NotebookNode, place: str
):
    line = next(line for line in source.solutions["layer_norm"].splitlines() if "sqrt" in line).strip()
    leaky = copy.deepcopy(released)
    cell = next(cell for cell in leaky.cells if cell.cell_type == "code")
    match place:
        case "source":
            cell.source += f"\n# {line}"
        case "metadata":
            cell.metadata["note"] = line
        case "output":
            cell.outputs = [nbformat.v4.new_output("stream", text=line)]
        case "attachment":
            cell["attachments"] = {"a.txt": {"text/plain": line}}
        case _:
            leaky.metadata["note"] = line
    assert any("line of a solution" in problem for problem in release_problems(source, leaky))


@pytest.mark.parametrize("marker", ["### BEGIN SOLUTION", "### END SOLUTION", "### BEGIN HIDDEN TESTS"])
def test_an_unbalanced_marker_is_found(source: SourceNotebook, marker: str):
    def add(cell: nbformat.NotebookNode):
        cell.source += f"\n{marker}"

    problems = list(source_problems(_changed(source, "layer_norm", add), assignment(NAME)))
    assert any("do not pair up" in problem for problem in problems)


def test_wrong_points_a_double_id_and_outputs_are_found(source: SourceNotebook):
    def spoil(cell: nbformat.NotebookNode):
        cell.metadata["nbgrader"]["points"] = 99
        cell.metadata["nbgrader"]["grade_id"] = "test_layer_norm"
        cell.execution_count = 3

    problems = "\n".join(source_problems(_changed(source, "test_LayerNorm", spoil), assignment(NAME)))
    assert "two cells have the grade_id 'test_layer_norm'" in problems
    assert "99 points" in problems
    assert "has outputs" in problems
    assert "no cell has the grade_id 'test_LayerNorm'" in problems


def test_a_source_with_a_wrong_solution_is_not_built(course: Path, tmp_path: Path):
    shutil.copytree(course / "source" / NAME, tmp_path / "source" / NAME)
    shutil.copy(course / "course.toml", tmp_path)
    path = tmp_path / "source" / NAME / f"{NAME}.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "layer_norm":
            cell["source"] = (
                "def layer_norm(z, gamma, beta, epsilon=1e-6):\n"
                "    ### BEGIN SOLUTION\n    return z\n    ### END SOLUTION"
            )
    path.write_text(json.dumps(notebook))
    with pytest.raises(BuildError, match="the solved layer_norm gets 0 of"):
        build(tmp_path, NAME, tmp_path / "release", tmp_path / "solutions", read_settings(tmp_path))
    assert not (tmp_path / "release").exists()


def test_building_again_changes_no_byte(course: Path, tmp_path: Path):
    built = [
        build(course, NAME, tmp_path / turn / "r", tmp_path / turn / "s", read_settings(course))
        for turn in ("one", "two")
    ]
    for one, other in ((built[0].release, built[1].release), (built[0].solution, built[1].solution)):
        changed = [
            first.id
            for first, second in zip(*(nbformat.read(path, 4).cells for path in (one, other)), strict=True)
            if first != second
        ]
        assert changed == []
        same = one.read_bytes() == other.read_bytes()
        assert same


def test_times_and_addresses_are_taken_out_of_executed_solutions():
    output = nbformat.v4.new_output("stream", text="5/5 - 3s 12ms/step <object at 0x7f0123456789>\n")
    cell = nbformat.v4.new_code_cell("x", outputs=[output])
    text = steadied(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs[0].text
    assert "3s" not in text
    assert "0x7f" not in text
