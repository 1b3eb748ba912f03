"""What is taken from a submission: answers by their ids, and nothing else of it."""

import copy
from pathlib import Path

import nbformat
import pytest

from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Limits
from autograder.pipeline.source import grade_id, graded_symbol, read_source
from autograder.pipeline.submission import answers, read_submission
from tests.pipeline.handed_in import NAME


@pytest.fixture
def released(course: Path):
    return template(read_source(course, NAME))


def _cell(notebook: nbformat.NotebookNode, key: str) -> nbformat.NotebookNode:
    return next(cell for cell in notebook.cells if grade_id(cell) == key)


def _rebuilt(notebook, released):
    return rebuild(answers("ada", notebook, released, NAME, Limits()), copy.deepcopy(released)).notebook


def test_an_untouched_release_is_rebuilt_to_itself(released):
    assert _rebuilt(copy.deepcopy(released), released) == released


def test_only_the_source_of_an_answer_survives(released):
    handed = copy.deepcopy(released)
    cell = _cell(handed, "layer_norm")
    cell.source = "def layer_norm(): ..."
    cell.metadata["tags"] = ["skip-execution", "raises-exception"]
    cell.metadata["nbgrader"]["points"] = 999
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "999"})]
    handed.metadata["kernelspec"] = {"name": "evil", "display_name": "evil"}
    expected = copy.deepcopy(released)
    _cell(expected, "layer_norm").source = "def layer_norm(): ..."
    assert _rebuilt(handed, released) == expected


def test_changed_locked_cells_and_added_cells_are_ignored(released):
    handed = copy.deepcopy(released)
    for cell in handed.cells:
        if graded_symbol(cell) is not None or "setup" in cell.metadata.get("tags", []):
            cell.source = "raise SystemExit"
            cell.metadata["tags"] = ["skip-execution"]
    handed.cells.insert(0, nbformat.v4.new_code_cell("import os; os._exit(0)"))
    assert _rebuilt(handed, released) == released


def test_of_two_cells_with_one_id_the_first_edited_one_counts(released):
    handed = copy.deepcopy(released)
    for source in ("first = 1", "second = 2"):
        twin = copy.deepcopy(_cell(handed, "layer_norm"))
        twin.source = source
        handed.cells.append(twin)
    submission = answers("ada", handed, released, NAME, Limits())
    assert submission.answers["layer_norm"] == "first = 1"
    assert "more than once" in submission.notes["layer_norm"]


def test_a_retyped_cell_is_not_taken(released):
    handed = copy.deepcopy(released)
    _cell(handed, "layer_norm")["cell_type"] = "markdown"
    submission = answers("ada", handed, released, NAME, Limits())
    assert "layer_norm" not in submission.answers
    assert "type markdown" in submission.notes["layer_norm"]


def test_a_huge_answer_is_not_taken(released):
    handed = copy.deepcopy(released)
    _cell(handed, "layer_norm").source = "x" * 200_000
    assert "characters" in answers("ada", handed, released, NAME, Limits()).notes["layer_norm"]


def test_a_link_is_not_followed(course: Path, released, tmp_path: Path):
    link = tmp_path / "ada" / NAME / f"{NAME}.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(course / "source" / NAME / f"{NAME}.ipynb")
    submission = read_submission("ada", link, released, NAME, Limits())
    assert "is a link" in submission.problem


def test_a_huge_file_is_not_read(released, tmp_path: Path):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(" " * 1000)
    assert "1,000 bytes" in read_submission("ada", path, released, NAME, Limits(notebook_bytes=500)).problem


@pytest.mark.parametrize("text", ["[" * 100_000, '{"nbformat": 4, "cells": [1]}', '{"nbformat": 4, "cells": [{}]}'])
def test_strange_json_is_told_not_raised(released, tmp_path: Path, text: str):
    path = tmp_path / f"{NAME}.ipynb"
    path.write_text(text)
    assert read_submission("ada", path, released, NAME, Limits()).problem
