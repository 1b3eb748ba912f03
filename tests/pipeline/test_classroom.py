"""A class is graded: every student gets the marks expected, the same by every way, and nothing is lost."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from autograder.exercises import assignment
from autograder.pipeline.classroom import Class, grade_class, students_of, writing_to
from autograder.pipeline.results import Results, read_results
from autograder.pipeline.settings import UsageError, read_settings
from autograder.pipeline.summary import feedback_page, write_overview
from tests.pipeline.handed_in import NAME, hand_in

pytestmark = pytest.mark.xdist_group("class")


@dataclass(frozen=True)
class GradedClass:
    group: Class
    expected: dict[str, object]
    results: Results


@pytest.fixture(scope="session")
def graded(course: Path, tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    folder = tmp_path_factory.mktemp("class")
    expected = hand_in(course, folder / "submitted")
    group = Class(course, folder / "submitted", folder / "graded", read_settings(course), jobs=2)
    return GradedClass(group, expected, grade_class(group, NAME, students_of(group, NAME)))


def _without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key != "seconds"}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def test_every_student_loses_marks_where_expected_and_nowhere_else(graded: GradedClass):
    assert set(graded.results.students) == set(graded.expected)
    for student, symbols in graded.expected.items():
        lost = {
            symbol
            for symbol, exercise in graded.results.students[student].exercises.items()
            if exercise.score < exercise.max_score
        }
        every = {exercise.symbol for exercise in assignment(NAME).exercises}
        assert lost == (every if symbols is None else symbols), student


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("not-json", "not JSON"),
        ("not-a-notebook", "no list of cells"),
        ("nan-in-json", "no list of cells"),
        ("old-format", "nbformat 3"),
        ("another-assignment", "another assignment"),
        ("no-answer-cells", "none of the assignment's answer cells"),
        ("binary", "not JSON"),
        ("empty-folder", "not handed in"),
        ("no-folder", "not handed in"),
    ],
)
def test_what_cannot_be_read_is_missing_with_a_reason(graded: GradedClass, student: str, words: str):
    outcome = graded.results.students[student]
    assert outcome.status == "missing"
    assert outcome.score == 0
    assert words in outcome.problem


@pytest.mark.parametrize(
    ("student", "status"), [("crash", "crashed"), ("endless-loop", "timeout"), ("solved", "graded")]
)
def test_the_status_tells_how_grading_ended(graded: GradedClass, student: str, status: str):
    assert graded.results.students[student].status == status


def test_a_deleted_cell_is_missing_and_a_copied_one_counts(graded: GradedClass):
    deleted = graded.results.students["deleted-cell"].exercises["layer_norm"]
    assert deleted.status == "missing"
    copied = graded.results.students["copied-cell"].exercises["layer_norm"]
    assert copied.score == copied.max_score


def test_a_written_answer_waits_for_a_person_and_an_untouched_one_gets_nothing(graded: GradedClass):
    (answer,) = graded.results.students["solved"].written.values()
    assert answer.score is None
    (answer,) = graded.results.students["solved-in-a-hurry"].written.values()
    assert answer.score == 0


def test_a_second_grading_gives_the_same_results_apart_from_times(graded: GradedClass, tmp_path: Path):
    group = Class(graded.group.course, graded.group.submitted, tmp_path, graded.group.settings, jobs=1)
    some = ["solved", "blank", "crash", "not-json"]
    again = grade_class(group, NAME, some)
    for student in some:
        one, other = graded.results.students[student], again.students[student]
        assert _without_times(asdict(one)) == _without_times(asdict(other))


def test_the_journal_spares_the_second_grading_its_workers(graded: GradedClass, monkeypatch: pytest.MonkeyPatch):
    def nobody(*_: object):
        raise AssertionError("workers were asked for")

    monkeypatch.setattr("autograder.pipeline.workers.Workers.wanted", nobody)
    before = (graded.group.out / NAME / "results.json").read_bytes()
    grade_class(graded.group, NAME, students_of(graded.group, NAME))
    assert (graded.group.out / NAME / "results.json").read_bytes() == before


def test_the_published_schema_is_the_models(course: Path):
    published = json.loads((course / "docs" / "results.schema.json").read_text())
    assert published == Results.model_json_schema(by_alias=True)


def test_grading_some_students_keeps_the_results_of_the_others(graded: GradedClass):
    grade_class(graded.group, NAME, ["solved"])
    assert read_results(graded.group.out / NAME / "results.json") == graded.results


def test_results_json_reads_back(graded: GradedClass):
    assert read_results(graded.group.out / NAME / "results.json") == graded.results


def _nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, capture_output=True, text=True, check=True
    )


def test_plain_nbgrader_and_its_export_give_the_same_marks(graded: GradedClass, course: Path, tmp_path: Path):
    for item in ("source", "course.toml", "nbgrader_config.py"):
        target = shutil.copytree if (course / item).is_dir() else shutil.copy
        target(course / item, tmp_path / item)
    some = ["solved", "crash", "deleted-cell", "copied-cell", "not-json"]
    for student in some:
        shutil.copytree(graded.group.submitted / student, tmp_path / "submitted" / student)
    (tmp_path / "graded").mkdir()
    _nbgrader(tmp_path, "generate_assignment", NAME)
    _nbgrader(tmp_path, "autograde", NAME)
    _nbgrader(tmp_path, "export")
    with (tmp_path / "grades.csv").open() as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == {student: graded.results.students[student].score for student in some}


def test_a_feedback_page_names_the_mistake_and_shows_no_hidden_test(graded: GradedClass):
    student = next(name for name in graded.expected if name.startswith("layer-norm-"))
    page = feedback_page(graded.group.out, student, NAME).read_text()
    outcome = graded.results.students[student].exercises["layer_norm"]
    assert outcome.misconception is not None
    assert outcome.misconception.replace("-", " ") in page
    for hidden in ("from autograder", "BEGIN HIDDEN", "rng"):
        assert hidden not in page


def test_the_overview_lists_every_student_and_links_to_feedback(graded: GradedClass):
    page = write_overview(graded.group.out, "A class").read_text()
    for student in graded.expected:
        assert student in page
    assert f'href="feedback/solved/{NAME}/{NAME}.html"' in page


def test_an_unknown_assignment_is_named_with_those_there_are(graded: GradedClass):
    with pytest.raises(UsageError, match="05_layer_norm"):
        students_of(graded.group, "99_nothing")


def test_a_missing_folder_and_an_unknown_student_are_named(graded: GradedClass, tmp_path: Path):
    nowhere = Class(graded.group.course, tmp_path / "nowhere", tmp_path, graded.group.settings)
    with pytest.raises(UsageError, match="nowhere"):
        students_of(nowhere, NAME)
    with pytest.raises(UsageError, match="zoe"):
        students_of(graded.group, NAME, ["zoe"])


def test_an_empty_folder_of_submissions_is_named(graded: GradedClass, tmp_path: Path):
    with pytest.raises(UsageError, match="holds no submission"):
        students_of(Class(graded.group.course, tmp_path, tmp_path, graded.group.settings), NAME)


def test_two_gradings_at_once_are_refused(tmp_path: Path):
    with writing_to(tmp_path), pytest.raises(UsageError, match="Another grading"), writing_to(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("a file, where a folder is needed")
    with pytest.raises(UsageError, match="cannot be written to"), writing_to(blocked):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to a read-only folder")
def test_a_read_only_folder_is_named(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="cannot be written to"), writing_to(tmp_path):
        pass
