"""Points for something extra, points lost for being late: programs add up the right score, and people read why."""

import csv
import io
import json
from dataclasses import replace

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
    marked = {  # with nothing left to be marked, where there would be no grade yet
        name: replace(outcome, written={key: replace(answer, score=0.0) for key, answer in outcome.written.items()})
        for name, outcome in late.students.items()
    }
    assert {outcome.penalty for outcome in marked.values()} == {0.0, 2.0}
    graded = late.model_copy(update={"students": marked})
    for name, outcome in marked.items():
        (row,) = [row for row in csv.reader(io.StringIO(canvas.write(graded))) if row[3] == name]
        assert float(row[5]) == outcome.score
        (row,) = [row for row in csv.reader(io.StringIO(moodle.write(graded))) if row[0] == name]
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


def test_more_than_all_points_of_a_question_is_no_failure(results: Results):
    solved = results.students["solved"]
    exercise = replace(solved.exercises["layer_norm"], score=4.5, by_hand=True)
    extra = replace(solved, exercises={**solved.exercises, "layer_norm": exercise}, score=solved.score + 0.5)
    alone = results.model_copy(update={"students": {"solved": extra}})
    (case, *_) = json.loads(gradescope.write(alone))["tests"]
    assert (case["name"], case["score"], case["status"]) == ("layer_norm", 4.5, "passed")
    (test, *_) = json.loads(github_classroom.write(alone))["tests"]
    assert (test["score"], test["status"], test["message"]) == (4.5, "pass", None)
