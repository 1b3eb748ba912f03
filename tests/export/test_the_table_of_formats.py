"""Every format is offered, every format is in the table, and what cannot be written is said in a sentence."""

import csv
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.export import FORMATS, files_of_each, only
from autograder.export.questions import final_score, points, questions, waiting
from autograder.pipeline.results import Results, read_results, write_results
from autograder.pipeline.settings import UsageError
from tests.graded.classes import PATH

RESULTS = str(PATH)


def test_the_command_offers_what_the_table_has():
    assert {form.value for form in cli.Form} == set(FORMATS)


def test_the_help_names_every_format():
    shown = CliRunner().invoke(cli.app, ["export", "--help"]).output
    assert [name for name in FORMATS if f"\n  {name} " not in shown] == []


def test_the_class_has_what_the_other_tests_look_for(results: Results):
    statuses = {exercise.status for outcome in results.students.values() for exercise in outcome.exercises.values()}
    assert {"graded", "timeout", "crashed", "missing"} <= statuses
    assert any(waiting(outcome) for outcome in results.students.values())
    assert any(not waiting(outcome) for outcome in results.students.values())


def test_questions_add_up_to_the_score(results: Results):
    for outcome in results.students.values():
        assert sum(question.score or 0 for question in questions(outcome)) == pytest.approx(outcome.score)
        assert sum(question.max_score for question in questions(outcome)) == outcome.max_score


def test_who_waits_has_no_final_score(results: Results):
    assert final_score(results.students["solved"]) is None
    assert final_score(results.students["solved-in-a-hurry"]) == results.students["solved-in-a-hurry"].score


@pytest.mark.parametrize(
    ("score", "text"), [(2.0, "2"), (1.5, "1.5"), (0.3333, "0.3333"), (0.0, "0"), (100.0, "100"), (None, "?")]
)
def test_points_are_written_in_full_and_without_needless_zeros(score: float | None, text: str):
    assert points(score, "?") == text


def test_a_format_goes_to_standard_output():
    done = CliRunner().invoke(cli.app, ["export", "csv", RESULTS])
    assert done.exit_code == 0
    assert done.stdout.startswith("assignment,student,question,")


def test_a_format_goes_to_the_file_that_is_named(tmp_path: Path):
    out = tmp_path / "new" / "marks.csv"
    done = CliRunner().invoke(cli.app, ["export", "moodle", RESULTS, "--out", str(out)])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert out.read_text().startswith("username,05_layer_norm,")


def test_a_single_student_can_be_written_in_every_format(results: Results):
    one = only(results, "solved")
    for form in FORMATS.values():
        assert "solved-in-a-hurry" not in form.write(one)


def test_what_is_about_one_student_goes_to_a_folder_for_each(results: Results, tmp_path: Path):
    done = CliRunner().invoke(cli.app, ["export", "gradescope", RESULTS, "--out", str(tmp_path)])
    assert done.exit_code == 0
    assert {path.parent.name for path in tmp_path.glob("*/results.json")} == set(results.students)


def test_what_is_about_one_student_needs_a_name_or_a_folder():
    with pytest.raises(UsageError, match="--student"):
        CliRunner().invoke(cli.app, ["export", "gradescope", RESULTS], catch_exceptions=False)


def test_an_unknown_student_is_named_with_those_there_are(results: Results):
    with pytest.raises(UsageError, match=r"no results of 'zoe'; there are .*solved"):
        only(results, "zoe")


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UsageError, match=r"results\.json cannot be read .*autograder grade"):
        read_results(tmp_path / "results.json")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": 2}', "not JSON"])
def test_a_file_that_holds_no_results_is_named(tmp_path: Path, content: str):
    path = tmp_path / "results.json"
    path.write_text(content)
    with pytest.raises(UsageError, match=r"results\.json is no results\.json of this version"):
        read_results(path)


@pytest.mark.parametrize("name", FORMATS)
def test_results_of_nobody_are_refused(results: Results, tmp_path: Path, name: str):
    path = tmp_path / "results.json"
    write_results(path, results.model_copy(update={"students": {}}))
    with pytest.raises(UsageError, match="holds no student"):
        CliRunner().invoke(cli.app, ["export", name, str(path), "--out", str(tmp_path)], catch_exceptions=False)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("a file, where a folder is needed")
    arguments = ["export", "csv", RESULTS, "--out", str(tmp_path / "file" / "marks.csv")]
    with pytest.raises(UsageError, match="cannot be written"):
        CliRunner().invoke(cli.app, arguments, catch_exceptions=False)


def test_marks_from_outside_the_sandbox_are_announced(results: Results, tmp_path: Path):
    path = tmp_path / "results.json"
    write_results(path, results.model_copy(update={"trusted": False}))
    done = CliRunner().invoke(cli.app, ["export", "csv", str(path)])
    assert "UNTRUSTED" in done.stderr
    assert "UNTRUSTED" not in done.stdout


def test_hostile_names_leave_every_table_as_wide_as_it_was(hostile: Results):
    for name in ("csv", "canvas", "moodle"):
        rows = list(csv.reader(io.StringIO(FORMATS[name].write(hostile))))
        assert len({len(row) for row in rows}) == 1


def test_files_of_each_stand_below_the_folder(results: Results, tmp_path: Path):
    for path in files_of_each(results, FORMATS["gradescope"], tmp_path):
        assert path.parent.parent == tmp_path
