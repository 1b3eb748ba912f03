"""github-classroom: read as the autograding reporter reads it."""

import base64
import json
from typing import Any

import pytest

from autograder.export import github_classroom, only
from autograder.export.questions import WAITING, questions
from autograder.pipeline.results import Results


def handed_on(results: Results, student: str) -> dict[str, Any]:
    """What the reporter finds in its variable."""
    variable = base64.b64encode(github_classroom.write(only(results, student)).encode())
    return json.loads(base64.b64decode(variable))


def reported(document: dict[str, Any]) -> tuple[float, float]:
    """The points that its notify-classroom.js reports."""
    return sum(test["score"] for test in document["tests"]), document["max_score"]


def test_the_points_reported_are_those_that_are_marked(results: Results):
    for student, outcome in results.students.items():
        marked = [question for question in questions(outcome) if question.score is not None]
        total, most = reported(handed_on(results, student))
        assert total == pytest.approx(outcome.score)
        assert most == sum(question.max_score for question in marked)


def test_every_test_has_the_fields_of_a_graders_result(results: Results):
    for student in results.students:
        document = handed_on(results, student)
        assert document["version"] == 1
        assert document["status"] in ("pass", "fail", "error")
        for test in document["tests"]:
            assert set(test) == {
                "name", "status", "message", "test_code", "filename", "line_no", "duration", "score"
            }  # fmt: skip
            assert test["status"] in ("pass", "fail", "error")
            assert isinstance(test["score"], int | float)


def test_an_answer_that_waits_neither_costs_points_nor_passes(results: Results):
    document = handed_on(results, "solved")
    assert reported(document) == (13, 13)
    (waits,) = [test for test in document["tests"] if test["name"] == "why_layer_norm"]
    assert waits["status"] == "error"
    assert WAITING in waits["message"]
    assert document["status"] == "pass"


@pytest.mark.parametrize(("student", "status"), [("crash", "error"), ("layer-norm-statistics-over-time", "fail")])
def test_what_went_wrong_stands_in_the_message(results: Results, student: str, status: str):
    document = handed_on(results, student)
    assert document["status"] == "fail"
    (test,) = [test for test in document["tests"] if test["name"] == "layer_norm"]
    assert test["status"] == status
    assert test["message"].startswith("layer_norm: ")


def test_no_message_commands_the_runner_that_prints_it(hostile: Results):
    for student in hostile.students:
        for test in handed_on(hostile, student)["tests"]:
            for text in (test["name"], test["message"] or ""):
                assert text.isprintable()
                assert "::" not in text
                assert "##[" not in text
