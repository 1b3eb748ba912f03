"""Points lost for being late: what a program adds up is the score that is left, and a person reads why."""

import csv
import io
import json

import pytest

from autograder.export import (
    by_question,
    canvas,
    github_classroom,
    github_summary,
    gradescope,
    junit,
    moodle,
    only,
)
from autograder.export.questions import PENALTY
from autograder.pipeline.results import Results


def test_the_scores_of_the_table_by_question_add_up(late: Results):
    found = dict.fromkeys(late.students, 0.0)
    for row in csv.DictReader(io.StringIO(by_question.write(late))):
        found[row["student"]] += float(row["score"] or 0)
    assert found == pytest.approx({student: outcome.score for student, outcome in late.students.items()})


def test_the_scores_that_classroom_adds_up_do_too(late: Results):
    for student, outcome in late.students.items():
        tests = json.loads(github_classroom.write(only(late, student)))["tests"]
        assert sum(test["score"] for test in tests) == pytest.approx(outcome.score)
        assert [test["status"] for test in tests if test["name"] == PENALTY] == ["fail"] * bool(outcome.penalty)


def test_the_grade_that_canvas_and_moodle_get_is_the_one_that_is_left(late: Results):
    student = "blank"  # with nothing to be marked, and nothing to lose
    assert late.students[student].penalty == 0
    marked = {name: outcome for name, outcome in late.students.items() if outcome.written["why_layer_norm"].score == 0}
    for name, outcome in marked.items():
        (row,) = [row for row in csv.reader(io.StringIO(canvas.write(late))) if row[3] == name]
        assert float(row[5]) == outcome.score
        (row,) = [row for row in csv.reader(io.StringIO(moodle.write(late))) if row[0] == name]
        assert float(row[1]) == outcome.score


def test_every_format_with_room_for_words_tells_of_it(late: Results):
    (one, outcome), *_ = [item for item in late.students.items() if item[1].penalty == 2]
    alone = only(late, one)
    assert outcome.penalty == 2
    assert json.loads(gradescope.write(alone))["score"] == outcome.score
    assert "2 points were taken off for being late." in gradescope.write(alone)
    assert f"{PENALTY} -2" in moodle.write(alone)
    assert f'name="{PENALTY}" value="2"' in junit.write(alone)
    assert "2 points lost for being late" in github_summary.write(alone)


@pytest.mark.parametrize("form", [by_question, canvas, moodle, junit, github_summary])
def test_nothing_is_said_where_nothing_was_lost(results: Results, form):
    assert "late" not in form.write(results)
