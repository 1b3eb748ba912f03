"""`autograder report`: the page goes where it is announced."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.pipeline.settings import UsageError
from autograder.pipeline.summary import graded_in
from tests.graded.classes import PATH


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "graded" / "05_layer_norm" / "results.json"
    path.parent.mkdir(parents=True)
    return Path(shutil.copy(PATH, path))


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli.app, ["report", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stderr


def test_the_page_lies_beside_the_assignments(results: Path):
    said = run(str(results))
    page = results.parent.parent / "overview.html"
    assert "solved-in-a-hurry" in page.read_text()
    assert str(page) in said


def test_a_page_without_names_does_not_take_the_place_of_the_other(results: Path):
    run(str(results))
    run(str(results), "--hide-names")
    folder = results.parent.parent
    assert "solved-in-a-hurry" in (folder / "overview.html").read_text()
    assert "solved-in-a-hurry" not in (folder / "overview-no-names.html").read_text()


def test_the_page_goes_where_it_is_wanted(results: Path, tmp_path: Path):
    run(str(results), "--out", str(tmp_path / "pages" / "class.html"))
    assert (tmp_path / "pages" / "class.html").is_file()
    assert not (results.parent.parent / "overview.html").exists()


def test_links_to_feedback_hold_from_wherever_the_page_lies(results: Path, tmp_path: Path):
    feedback = tmp_path / "graded" / "feedback" / "solved" / "05_layer_norm" / "05_layer_norm.html"
    feedback.parent.mkdir(parents=True)
    feedback.write_text("feedback")
    run(str(results), "--out", str(tmp_path / "pages" / "class.html"))
    page = (tmp_path / "pages" / "class.html").read_text()
    assert 'href="../graded/feedback/solved/05_layer_norm/05_layer_norm.html"' in page


def test_a_folder_without_results_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"holds no ASSIGNMENT/results\.json"):
        graded_in(tmp_path)
