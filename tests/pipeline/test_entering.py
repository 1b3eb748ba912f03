"""The gradebook is told what is new and nothing else; what people have written into it stays."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from sqlalchemy.event import listen

from autograder.pipeline import classroom, entering, nbgrader_stages
from autograder.pipeline.classroom import forget
from autograder.pipeline.feedback import ReadMarks
from autograder.pipeline.gradebook import GradebookError, entries
from autograder.pipeline.grading import GradingError
from autograder.pipeline.ledger import Entered, Ledger
from autograder.pipeline.nbgrader_stages import StageError, in_one_transaction, open_gradebooks_faster
from autograder.pipeline.stages import GradeAnswers
from autograder.pipeline.standing import Audience, Standing
from autograder.pipeline.summary import feedback_page
from tests.pipeline.handed_in import NAME
from tests.pipeline.small_course import ESSAY, STUDENTS, Course


def test_everybody_is_entered_the_first_time(small: Course):
    assert small.marks == small.pages == STUDENTS
    assert set(entries(small.url, NAME)) == {*STUDENTS, "absent"}


def test_where_nothing_has_changed_nobody_is_entered_again(small: Course):
    before = (small.group.out / NAME / "results.json").read_bytes()
    small.grade()
    assert small.marks == small.pages == []
    assert (small.group.out / NAME / "results.json").read_bytes() == before


def test_who_hands_in_again_is_entered_again_and_nobody_else(small: Course):
    small.hand_in("grace", layer_norm="def layer_norm(z, gamma, beta): pass")
    small.grade()
    assert small.marks == small.pages == ["grace"]


def test_who_hands_in_at_last_is_entered(small: Course):
    small.hand_in("absent")
    assert small.grade().students["absent"].score == 13.0
    assert small.marks == ["absent"]


def test_marks_and_comments_by_hand_reach_results_and_page_and_are_not_asked_for_again(small: Course):
    small.mark_by_hand("ada", 2.5, "Say it of the gradient, too.")
    results = small.grade()
    assert results.students["ada"].written[ESSAY].score == 2.5
    assert results.students["ada"].score == 15.5
    assert (small.marks, small.pages) == ([], ["ada"])
    assert "Say it of the gradient" in feedback_page(small.group.out, "ada", NAME).read_text()
    assert not entries(small.url, NAME)["ada"].marks[ESSAY].waits


def test_points_by_hand_in_the_place_of_the_graders_and_in_addition_reach_the_results(small: Course):
    with Gradebook(small.url) as gradebook:
        gradebook.find_grade("test_layer_norm", NAME, NAME, "ada").manual_score = 1.0
        gradebook.find_grade("test_layer_norm", NAME, NAME, "zoe").extra_credit = 0.5
        gradebook.db.commit()
    students = small.grade().students
    assert small.marks == []
    found = {name: (one.exercises["layer_norm"].score, one.exercises["layer_norm"].by_hand, one.score) for name, one in
             students.items() if name in ("ada", "zoe")}  # fmt: skip
    assert found == {"ada": (1.0, True, 10.0), "zoe": (4.5, True, 13.5)}
    assert not students["ada"].exercises["LayerNorm"].by_hand
    with Gradebook(small.url) as gradebook:
        of_nbgrader = {name: gradebook.find_submission(NAME, name).score for name in found}
    assert of_nbgrader == {name: one.score for name, one in students.items() if name in found}


def test_marks_and_comments_by_hand_survive_another_submission(small: Course):
    small.mark_by_hand("ada", 2.5, "Well said.")
    small.hand_in("ada", layer_norm="something else")
    small.grade()
    entry = entries(small.url, NAME)["ada"]
    assert small.marks == ["ada"]
    assert (entry.marks[ESSAY].manual, entry.comments[ESSAY]) == (2.5, "Well said.")
    # the answer may be another one now
    assert entry.marks[ESSAY].waits


def test_a_gradebook_that_was_taken_away_is_filled_again(small: Course):
    (small.group.out / "gradebook.db").unlink()
    small.grade()
    assert small.marks == STUDENTS
    assert set(entries(small.url, NAME)) == {*STUDENTS, "absent"}


def test_points_that_others_have_written_over_are_put_right(small: Course):
    with Gradebook(small.url) as gradebook:
        gradebook.find_grade("test_layer_norm", NAME, NAME, "zoe").auto_score = 0.0
        gradebook.db.commit()
    small.grade()
    assert small.marks == ["zoe"]
    assert entries(small.url, NAME)["zoe"].marks["test_layer_norm"].auto == 4.0


def test_files_that_were_taken_away_come_back(small: Course):
    feedback_page(small.group.out, "ada", NAME).unlink()
    shutil.rmtree(small.group.out / "autograded" / "zoe")
    small.grade()
    assert (small.marks, small.pages) == (["zoe"], ["ada", "zoe"])


def test_no_cache_enters_everybody_again(small: Course):
    forget(small.group.out, [NAME])
    small.grade()
    assert small.marks == STUDENTS


def test_a_penalty_for_being_late_stays_and_goes_when_more_time_is_given(small: Course):
    (small.group.course / "nbgrader_config.py").write_text(
        "from pathlib import Path\nfrom autograder.pipeline.stages import configure\n"
        "c = get_config()\nconfigure(c, Path(__file__).resolve().parent)\n"
        "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    late = small.group.submitted / "ada" / NAME / "timestamp.txt"
    late.write_text("2026-03-02 12:00:00 UTC")
    with Gradebook(small.url) as gradebook:
        gradebook.update_or_create_assignment(NAME, duedate=datetime(2026, 3, 1))
        gradebook.db.commit()
    results = small.grade()
    assert entries(small.url, NAME)["ada"].penalty == 13.0
    assert (results.students["ada"].score, results.students["ada"].penalty) == (0.0, 13.0)
    small.grade()
    assert small.marks == []
    assert entries(small.url, NAME)["ada"].penalty == 13.0
    with Gradebook(small.url) as gradebook:
        gradebook.find_submission(NAME, "ada").extension = timedelta(days=2)
        gradebook.db.commit()
    results = small.grade()
    assert small.marks == ["ada"]
    assert entries(small.url, NAME)["ada"].penalty is None
    assert (results.students["ada"].score, results.students["ada"].penalty) == (13.0, 0.0)
    assert not (small.group.course / "gradebook.db").exists()


def test_no_question_to_the_gradebook_goes_through_the_whole_class(small: Course):
    asked: list[tuple[str, object]] = []
    with Gradebook(small.url) as gradebook:
        listen(gradebook.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
        gradebook.find_grade("test_layer_norm", NAME, NAME, "zoe")
        gradebook.find_comment("layer_norm", NAME, NAME, "zoe")
        assert gradebook.find_submission(NAME, "zoe").score == 13
        gradebook.engine.dispose()
    with sqlite3.connect(small.group.out / "gradebook.db") as database:
        steps = [row[3] for sql, values in asked for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    of_the_class = re.compile(r"SCAN (grade|comment|submitted_)|\(cell_id=\?\)")
    assert [step for step in steps if of_the_class.search(step)] == []


def test_a_page_says_of_marks_what_nbgrader_says(small: Course):
    small.mark_by_hand("ada", 2.5, "Say it of the gradient, too.")
    with Gradebook(small.url) as gradebook:
        gradebook.find_grade("test_layer_norm", NAME, NAME, "ada").extra_credit = 0.5
        gradebook.find_submission_notebook(NAME, NAME, "ada").late_submission_penalty = 2.0
        gradebook.db.commit()
    path = small.group.out / "autograded" / "ada" / NAME / f"{NAME}.ipynb"

    def read(preprocessor: NbGraderPreprocessor) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        where = {"db_url": small.url, "notebook": NAME, "assignment": NAME, "student": "ada"}
        notebook, resources = preprocessor.preprocess(nbformat.read(path, as_version=4), {"nbgrader": where})
        told = ("score", "points", "comment")
        marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        return [{key: mark[key] for key in told if key in mark} for mark in marks], resources["nbgrader"]

    assert read(ReadMarks()) == read(GetGrades())
    assert read(ReadMarks())[1]["score"] == 14.0


def test_a_page_of_somebody_who_is_not_in_the_gradebook_says_so(small: Course):
    where = {"db_url": small.url, "assignment": NAME, "student": "nobody"}
    with pytest.raises(MissingEntry, match="no marks of nobody for 05_layer_norm: grade first"):
        ReadMarks().preprocess(new_notebook(), {"nbgrader": where})


def test_what_is_entered_together_is_there_at_once_or_not_at_all(tmp_path: Path):
    open_gradebooks_faster()
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_student("ada")

    def seen_by_others() -> list[str]:
        with sqlite3.connect(tmp_path / "gradebook.db") as database:
            return sorted(student for (student,) in database.execute("SELECT id FROM student"))

    with suppress(RuntimeError), in_one_transaction(url):
        with Gradebook(url) as gradebook:
            gradebook.update_or_create_student("grace")
        raise RuntimeError
    assert seen_by_others() == ["ada"]
    with in_one_transaction(url):
        for student in ("grace", "zoe"):
            with Gradebook(url) as gradebook:
                gradebook.update_or_create_student(student)
        assert seen_by_others() == ["ada"]
        with Gradebook(url) as gradebook:
            assert sorted(student.id for student in gradebook.students) == ["ada", "grace", "zoe"]
    assert seen_by_others() == ["ada", "grace", "zoe"]


def test_one_who_cannot_be_entered_costs_the_others_nothing_once_that_is_mended(
    small: Course, monkeypatch: pytest.MonkeyPatch
):
    (small.group.out / "gradebook.db").unlink()
    usual = GradeAnswers.preprocess

    def fails(self: GradeAnswers, nb: NotebookNode, resources: dict[str, Any]) -> Any:
        if resources["nbgrader"]["student"] == "grace":
            raise OSError("no space left")
        return usual(self, nb, resources)

    with monkeypatch.context() as patched:
        patched.setattr(GradeAnswers, "preprocess", fails)
        with pytest.raises(StageError, match=r"^grace: not entered, while the others are \(.*OSError: no space left"):
            small.grade()
    assert set(entries(small.url, NAME)) == {"absent", "ada", "zoe"}
    assert {student for student in STUDENTS if feedback_page(small.group.out, student, NAME).exists()} >= {"ada", "zoe"}
    small.grade()
    assert small.marks == small.pages == ["grace"]
    assert set(entries(small.url, NAME)) == {*STUDENTS, "absent"}


def test_a_gradebook_that_another_program_writes_to_is_named_and_nothing_is_lost(
    small: Course, monkeypatch: pytest.MonkeyPatch
):
    small.hand_in("absent")
    monkeypatch.setattr(nbgrader_stages, "_PATIENCE", 0.1)
    nbgrader_stages._engine.cache_clear()
    with closing(sqlite3.connect(small.group.out / "gradebook.db", isolation_level=None)) as formgrader:
        formgrader.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradebookError, match=r"gradebook\.db failed \(database is locked\).*run the same command"):
            small.grade()
    nbgrader_stages._engine.cache_clear()
    small.grade()
    assert small.marks == small.pages == ["absent"]


def test_who_hands_in_while_the_class_is_graded_is_named_and_graded_the_next_time(small: Course):
    before = entries(small.url, NAME)["grace"]
    small.hand_in("grace", layer_norm="the first")

    def show(standing: Standing) -> None:
        if standing.entered is not None:
            small.hand_in("grace", layer_norm="the second")

    with pytest.raises(GradingError, match=r"^grace: handed in again.*run the same command again for these"):
        small.grade(Audience(show))
    assert entries(small.url, NAME)["grace"] == before
    results = small.grade()
    assert small.marks == ["grace"]
    assert set(results.students) == {*STUDENTS, "absent"}


def test_what_is_taken_back_takes_its_pages_along(small: Course):
    with Gradebook(small.url) as gradebook:
        gradebook.find_submission_notebook(NAME, NAME, "ada").late_submission_penalty = 2.0
        gradebook.db.commit()
    (small.group.submitted / "ada" / NAME / f"{NAME}.ipynb").unlink()
    results = small.grade()
    assert (results.students["ada"].status, results.students["ada"].score) == ("missing", 0.0)
    assert entries(small.url, NAME)["ada"].penalty is None
    assert not list(small.group.out.glob("*/ada/*/*"))
    small.hand_in("ada")
    assert small.grade().students["ada"].score == 13.0


def test_what_a_person_has_marked_is_not_asked_for_again_where_nothing_is_new(small: Course):
    small.mark_by_hand("ada", 2.5, "Well said.")
    small.grade()
    forget(small.group.out, [NAME])
    small.grade()
    assert small.marks == STUDENTS
    marks = entries(small.url, NAME)
    assert (marks["ada"].marks[ESSAY].manual, marks["ada"].marks[ESSAY].waits) == (2.5, False)
    assert marks["zoe"].marks[ESSAY].waits


def test_how_many_are_entered_is_shown(small: Course, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entering, "_TOGETHER", 2)
    (small.group.out / "gradebook.db").unlink()
    shown: list[Standing] = []
    small.grade(Audience(shown.append))
    assert [standing.entered for standing in shown if standing.entered is not None] == [0, 2, 4]


def test_a_run_that_is_stopped_while_it_enters_goes_on(small: Course, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(entering, "_TOGETHER", 1)
    (small.group.out / "gradebook.db").unlink()

    def stop(standing: Standing) -> None:
        if standing.entered == 2:  # the absent one is the first
            raise KeyboardInterrupt

    with pytest.raises(classroom.Stopped, match="2 of 4 entered"):
        small.grade(Audience(stop))
    first = list(small.marks)
    small.grade()
    assert len(first) < 3
    assert sorted(first + small.marks) == STUDENTS


def test_a_ledger_reads_what_was_noted_last(tmp_path: Path):
    path = tmp_path / "A" / "entered.jsonl"
    Ledger(path).note({"ada": Entered("1", "1"), "zoe": Entered("1", "1")})
    Ledger(path).note({"ada": Entered("2", "3")})
    assert Ledger(path).last("ada") == Entered("2", "3")
    assert Ledger(path).last("zoe") == Entered("1", "1")
    assert Ledger(path).last("grace") is None


def test_a_line_that_was_cut_off_counts_for_nothing_and_spoils_no_other(tmp_path: Path):
    path = tmp_path / "entered.jsonl"
    Ledger(path).note({"ada": Entered("1", "1"), "zoe": Entered("1", "1")})
    path.write_bytes(path.read_bytes()[:-9])
    Ledger(path).note({"grace": Entered("1", "1")})
    ledger = Ledger(path)
    assert ledger.last("ada") == ledger.last("grace") == Entered("1", "1")
    assert ledger.last("zoe") is None


def test_a_ledger_does_not_grow_with_every_run(tmp_path: Path):
    path = tmp_path / "entered.jsonl"
    for number in range(50):
        Ledger(path).note({"ada": Entered(f"{number}", "1")})
    assert len(path.read_text().splitlines()) < 10
    assert Ledger(path).last("ada") == Entered("49", "1")
