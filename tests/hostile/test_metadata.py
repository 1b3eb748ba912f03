"""What stands around an answer: tags, types, copies, outputs. None of it counts."""

from __future__ import annotations

import copy
from collections.abc import Callable

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Limits
from autograder.pipeline.source import grade_id, graded_symbol, is_setup
from autograder.pipeline.submission import answers
from tests.hostile.attackers import NAME, WRONG, Bench, handed_in


def _tests(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if graded_symbol(cell) is not None]


def _tag(*tags: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.metadata["tags"] = list(tags)

    return change


def _outputs(text: str) -> Callable[[NotebookNode], None]:
    def change(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": text, "text/html": text})]

    return change


def _points(notebook: NotebookNode) -> None:
    for cell in _tests(notebook):
        cell.metadata["nbgrader"].update(points=999, solution=True, locked=False, task=True)


def _retype(notebook: NotebookNode) -> None:
    for cell in _tests(notebook):
        cell["cell_type"] = "raw"


def _delete(notebook: NotebookNode) -> None:
    notebook.cells = [cell for cell in notebook.cells if graded_symbol(cell) is None]


def _copy(notebook: NotebookNode) -> None:
    for cell in _tests(notebook):
        twin = copy.deepcopy(cell)
        twin.source = "4.0"
        notebook.cells.insert(0, twin)


def _setup(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if is_setup(cell):
            cell.source = "import os; os._exit(0)"


def _claim(notebook: NotebookNode) -> None:
    """A cell of one's own that says it is the test, and one that says it is the setup."""
    for name, tags in (("test_layer_norm", []), ("mine", ["setup"])):
        cell = nbformat.v4.new_code_cell("import os; os._exit(0)")
        cell.metadata = nbformat.from_dict({"tags": tags, "nbgrader": {"grade_id": name, "grade": True, "points": 9}})
        notebook.cells.insert(0, cell)


def _kernel(notebook: NotebookNode) -> None:
    notebook.metadata.update(
        kernelspec={"name": "evil", "language": "sh"}, autograder_problem="", autograder_answered={"answered": []}
    )


CHANGES = {
    "skip-execution": _tag("skip-execution"),
    "raises-exception": _tag("raises-exception", "setup", "hide-input"),
    "output 999": _outputs("999"),
    "output nan": _outputs("nan"),
    "output inf": _outputs("inf"),
    "output of a script": _outputs("<script>alert(1)</script>"),
    "points": _points,
    "retyped": _retype,
    "deleted": _delete,
    "copied": _copy,
    "setup": _setup,
    "claimed": _claim,
    "kernel": _kernel,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_is_graded_is_the_same_as_without_it(bench: Bench, change: Callable[[NotebookNode], None]) -> None:
    released = template(bench.source)
    honest = handed_in(bench.source, {"layer_norm": WRONG})
    changed = copy.deepcopy(honest)
    change(changed)
    one, other = (
        rebuild(answers("mallory", handed, released, NAME, Limits()), copy.deepcopy(released))
        for handed in (honest, changed)
    )
    assert other == one


def test_of_copies_of_an_answer_one_counts_and_the_report_says_so(bench: Bench) -> None:
    released = template(bench.source)
    handed = handed_in(bench.source, {})
    twin = next(copy.deepcopy(cell) for cell in handed.cells if grade_id(cell) == "layer_norm")
    twin.source = WRONG
    handed.cells.append(twin)
    submission = answers("mallory", handed, released, NAME, Limits())
    assert submission.answers["layer_norm"] == bench.solution("layer_norm")
    assert "more than once" in submission.notes["layer_norm"]


@pytest.mark.parametrize("points", ["999", "float('nan')", "float('inf')", "-1", "np.float64(4.0)"])
def test_a_number_that_a_cell_shows_is_no_mark(bench: Bench, points: str) -> None:
    assert bench.score(f"{WRONG}\n{points}") == 0


def test_names_that_a_student_chose_reach_messages_short_and_plain(bench: Bench) -> None:
    released = template(bench.source)
    name = "\x1b[31m::set-output name=x::y\n##[error]<b>\ud800" + "x" * 10**6
    handed = handed_in(bench.source, {})
    for cell in handed.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["grade_id"] = name + str(id(cell))
    problem = answers("mallory", handed, released, NAME, Limits()).problem
    assert len(problem) < 400
    assert problem.isprintable()
    assert problem.isascii()
    assert not set("<>[]:\n\x1b") & set(problem)
