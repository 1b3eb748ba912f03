"""gradescope: every field is one of Gradescope's, every mark is the student's."""

import json
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from autograder.export import gradescope, only
from autograder.export.questions import WAITING, questions
from autograder.pipeline.results import Results

Formatting = Literal["text", "html", "simple_format", "md", "ansi"]


class Case(BaseModel):
    """A test case, after https://gradescope-autograders.readthedocs.io/en/latest/specs/."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    name_format: Formatting = "text"
    score: float | None = None
    max_score: float | None = None
    status: Literal["passed", "failed"] | None = None
    output: str = ""
    output_format: Formatting = "text"


class Document(BaseModel):
    """A results.json, after the same page."""

    model_config = ConfigDict(extra="forbid", strict=True)
    score: float
    execution_time: int
    output: str
    output_format: Formatting = "text"
    tests: list[Case]


def read(results: Results, student: str) -> Document:
    return Document.model_validate_json(gradescope.write(only(results, student)))


def test_every_mark_is_the_students(results: Results):
    for student, outcome in results.students.items():
        document = read(results, student)
        assert document.score == outcome.score
        marks = [(case.score, case.max_score) for case in document.tests if case.score is not None]
        assert marks == [
            (question.score, question.max_score) for question in questions(outcome) if question.score is not None
        ]
        assert len(document.tests) == len(questions(outcome))


def test_an_answer_that_waits_is_named_and_has_no_score(results: Results):
    document = read(results, "solved")
    assert [case.name for case in document.tests if case.score is None] == [f"why_layer_norm (3 points): {WAITING}"]
    assert "why_layer_norm" in document.output


def test_the_mistake_and_each_check_are_told(results: Results):
    outcome = results.students["layer-norm-statistics-over-time"].exercises["layer_norm"]
    case = next(case for case in read(results, "layer-norm-statistics-over-time").tests if case.name == "layer_norm")
    assert case.status == "failed"
    assert outcome.hint in case.output
    for check in outcome.checks:
        assert check.name in case.output
        assert check.message in case.output


@pytest.mark.parametrize(("student", "words"), [("crash", "ended"), ("endless-loop", "second")])
def test_why_an_exercise_ended_early_is_told(results: Results, student: str, words: str):
    assert any(words in case.output for case in read(results, student).tests)


def test_marks_from_outside_the_sandbox_say_so(results: Results):
    document = json.loads(gradescope.write(only(results.model_copy(update={"trusted": False}), "solved")))
    assert "UNTRUSTED" in document["output"]


def test_a_students_text_is_shown_as_text(hostile: Results):
    for student in hostile.students:
        document = read(hostile, student)
        assert {document.output_format, *(case.output_format for case in document.tests)} == {"text"}
        for text in (document.output, *(case.output for case in document.tests)):
            assert all(line.isprintable() for line in text.splitlines())
            assert not any(line.startswith("::") for line in text.splitlines())
