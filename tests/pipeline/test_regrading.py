"""Checks or questions change when students have handed in: old and new marks are shown first, nothing is lost."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.checking import CheckResult, Exercise, Report
from autograder.cli import main
from autograder.exercises import layer_norm
from autograder.pipeline import journal
from autograder.pipeline.amending import SaveChangedCells
from autograder.pipeline.classroom import Stopped, grade_class, preview_class
from autograder.pipeline.gradebook import entries
from autograder.pipeline.lab import prepare
from autograder.pipeline.results import read_results
from autograder.pipeline.settings import UsageError
from autograder.pipeline.standing import Audience
from tests.pipeline import fake_work
from tests.pipeline.handed_in import NAME
from tests.pipeline.small_course import ESSAY, STUDENTS, Course, rename_question

SYMBOL = "layer_norm"


@pytest.fixture
def stricter(small: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The class is graded; from now on the checks of a symbol give half of its points."""

    def marks(exercise: Exercise) -> Report:
        earned = exercise.points / 2 if exercise.symbol == SYMBOL else exercise.points
        check = CheckResult("it holds", exercise.points, 0.0, earned, True)
        return Report(exercise.symbol, exercise.points, (check,))

    monkeypatch.setattr(fake_work, "full_marks", marks)
    monkeypatch.setattr(journal, "digest_for", lambda name: "other checks")
    return small


def preview(small: Course, *students: str) -> list[str]:
    return [str(change) for change in preview_class(small.group, NAME, students or ["absent", *STUDENTS])]


def grade(small: Course) -> list[str]:
    said: list[str] = []
    small.grade(Audience(announce=said.append))
    return said


def written(small: Course) -> dict[str, bytes]:
    """Everything in the results folder but the journal, logs and what marks a folder as in use."""
    left_out = {"journal", ".lock", "nbgrader.log", "workers.log"}
    files = [path for path in small.group.out.rglob("*") if path.is_file()]
    names = {path: path.relative_to(small.group.out) for path in files}
    return {str(name): path.read_bytes() for path, name in names.items() if name.parts[0] not in left_out}


def test_a_preview_of_what_has_not_changed_is_empty(small: Course):
    assert preview(small) == []


def test_a_preview_lists_old_and_new_marks_and_writes_nothing(stricter: Course):
    before = written(stricter)
    assert preview(stricter) == [f"{student}: 13 → 11 (layer_norm 4 → 2)" for student in STUDENTS]
    assert written(stricter) == before


def test_what_was_previewed_is_written_without_grading_again(stricter: Course, monkeypatch: pytest.MonkeyPatch):
    preview(stricter)
    monkeypatch.setattr(fake_work, "full_marks", None)
    results = stricter.grade()
    assert [results.students[student].score for student in STUDENTS] == [11.0] * 3
    assert preview(stricter) == []


def test_a_grading_says_whose_marks_change_for_the_same_notebook_before_it_writes_them(stricter: Course):
    seen: list[float | None] = []

    def look(line: str) -> None:
        seen.append(entries(stricter.url, NAME)["zoe"].marks[f"test_{SYMBOL}"].auto)

    stricter.grade(Audience(announce=look))
    assert seen == [4.0] * 4  # a line above, and one for each student
    assert entries(stricter.url, NAME)["zoe"].marks[f"test_{SYMBOL}"].auto == 2.0


def test_another_notebook_is_told_from_other_checks(stricter: Course):
    stricter.hand_in("grace", layer_norm="something else")
    assert preview(stricter)[1] == "grace: 13 → 11 (layer_norm 4 → 2), another notebook"
    assert [line for line in grade(stricter) if "grace" in line] == []


def test_points_by_hand_in_the_place_of_the_graders_are_no_change(stricter: Course):
    with Gradebook(stricter.url) as gradebook:
        gradebook.find_grade(f"test_{SYMBOL}", NAME, NAME, "ada").manual_score = 3.0
        gradebook.db.commit()
    assert preview(stricter, "ada") == []


def test_who_has_no_marks_yet_is_not_in_a_preview(small: Course):
    small.hand_in("new")
    assert preview(small, "new") == []


@pytest.fixture
def another_question(small: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The essay is marked, then it makes room for another question."""
    small.mark_by_hand("ada", 2.5, "Well said.")
    small.grade()
    rename_question(small.group.course, ESSAY, "when_batch_norm", 2)
    monkeypatch.setattr(layer_norm, "ASSIGNMENT", replace(layer_norm.ASSIGNMENT, written={"when_batch_norm": 2}))
    return small


def test_a_question_that_goes_is_shown_with_its_marks(another_question: Course):
    assert preview(another_question, "ada") == ["ada: 15.5 → 13 (why_layer_norm 2.5 → none)"]


def test_questions_change_though_students_have_handed_in(another_question: Course):
    results = another_question.grade()
    assert results.students["ada"].written["when_batch_norm"].score == 0.0  # what was handed in does not answer it
    assert results.students["ada"].score == 13.0
    found = entries(another_question.url, NAME)
    assert all(set(entry.marks) == set(found["ada"].marks) for entry in found.values())
    assert "when_batch_norm" in found["absent"].marks
    assert ESSAY not in found["ada"].marks


def test_marks_that_go_with_a_question_are_listed_for_everybody(another_question: Course):
    assert preview(another_question, "zoe") == ["ada: 15.5 → 13 (why_layer_norm 2.5 → none)"]


def test_results_for_other_questions_are_left_out_and_said_to_be(another_question: Course):
    said: list[str] = []
    results = grade_class(another_question.group, NAME, ["zoe"], Audience(announce=said.append))
    assert set(results.students) == {"zoe"}
    assert "left out of results.json until they are graded again" in said[-1]
    assert said[-1].endswith(": absent, ada, grace")
    assert set(another_question.grade().students) == {"absent", *STUDENTS}


def test_results_that_cannot_be_read_are_said_to_be_left_out(small: Course):
    (small.group.out / NAME / "results.json").write_text("{")
    said: list[str] = []
    results = grade_class(small.group, NAME, ["zoe"], Audience(announce=said.append))
    assert set(results.students) == {"zoe"}
    assert said[-1].startswith("The results of those who were not graded now are left out: ")


def test_marks_of_a_question_that_is_gone_are_kept_in_a_file(another_question: Course):
    another_question.grade()
    with (another_question.group.out / NAME / "removed.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert set(rows) == {"absent", *STUDENTS}
    assert rows["ada"] == {
        "student": "ada",
        "question": ESSAY,
        "auto_score": "",
        "manual_score": "2.5",
        "extra_credit": "",
        "comment": "Well said.",
    }


def test_who_is_killed_between_file_and_gradebook_keeps_each_mark_once(
    another_question: Course, monkeypatch: pytest.MonkeyPatch
):
    class Killed(BaseException):
        """Nothing catches it."""

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(SaveChangedCells, "_add", killed)
        with pytest.raises(Killed):
            another_question.grade()
    assert ESSAY in entries(another_question.url, NAME)["ada"].marks
    another_question.grade()
    with (another_question.group.out / NAME / "removed.csv").open(encoding="utf-8", newline="") as file:
        students = [row["student"] for row in csv.DictReader(file)]
    assert sorted(students) == sorted({"absent", *STUDENTS})


def test_the_formgrader_is_not_opened_on_changed_questions_before_they_were_looked_at(
    another_question: Course, course: Path
):
    group = another_question.group
    shutil.copy(course / "nbgrader_config.py", group.course)
    before = entries(another_question.url, NAME)
    with pytest.raises(UsageError, match=f"other questions.*`autograder grade {NAME} --preview` shows"):
        prepare(group.course, group.submitted, group.out)
    assert entries(another_question.url, NAME) == before


def test_other_points_for_a_question_reach_the_gradebook(small: Course):
    rename_question(small.group.course, ESSAY, ESSAY, 5)
    small.grade()
    with Gradebook(small.url) as gradebook:
        assert gradebook.find_grade_cell(ESSAY, NAME, NAME).max_score == 5.0


@pytest.mark.parametrize(
    ("option", "again"), [([], "the same command again"), (["--no-cache"], "the same command without --no-cache")]
)
def test_a_stopped_command_says_what_goes_on(
    small: Course,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    option: list[str],
    again: str,
):
    def stopped(*_: object) -> None:
        raise Stopped("2 of 4 graded")

    group = small.group
    monkeypatch.setattr("autograder.pipeline.classroom.grade_class", stopped)
    monkeypatch.chdir(group.course)
    words = ["autograder", "grade", NAME, "--submitted", str(group.submitted), "--out", str(group.out), *option]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
    assert f"stopped, {NAME}: 2 of 4 graded; run {again} to go on where it stopped" in capsys.readouterr().err


def test_a_preview_without_cache_enters_nobody_again(
    small: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    group = small.group
    monkeypatch.chdir(group.course)
    words = ["autograder", "grade", NAME, "--preview", "--submitted", str(group.submitted), "--out", str(group.out)]
    monkeypatch.setattr("sys.argv", [*words, "--no-cache"])
    with pytest.raises(SystemExit):
        main()
    small.grade()
    assert small.marks == []


def test_the_command_previews(stricter: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    group = stricter.group
    results = group.out / NAME / "results.json"
    before = results.read_bytes()
    monkeypatch.chdir(group.course)
    words = ["autograder", "grade", NAME, "--preview", "--submitted", str(group.submitted), "--out", str(group.out)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    said = capsys.readouterr().err
    assert f"{NAME}: 3 of 4 students would have other marks than the gradebook says" in said
    assert "  zoe: 13 → 11 (layer_norm 4 → 2)\n" in said
    assert results.read_bytes() == before
    assert read_results(results).students["zoe"].score == 13.0
