"""github-classroom: what the autograding reporter of GitHub Classroom takes, about one student.

https://github.com/classroom-resources/autograding-grading-reporter reads this JSON, in base64, from the variable
`RUNNER_RESULTS`; its fields are those that https://github.com/classroom-resources/autograding-io-grader gives out. The
reporter adds up the scores of all tests, so each needs a number.
"""

from __future__ import annotations

import json
from typing import Any

from autograder.export.found import found
from autograder.export.questions import WAITING, Question, points, questions
from autograder.pipeline.results import Results


def write(results: Results) -> str:
    """Returns the results of the one student; points of an answer that is not marked yet are not among the maximum."""
    (outcome,) = results.students.values()
    every = questions(outcome)
    marked = [question for question in every if question.score is not None]
    document = {
        "version": 1,
        "status": "pass" if all(question.score == question.max_score for question in marked) else "fail",
        "max_score": sum(question.max_score for question in marked),
        "tests": [_test(question) for question in every],
    }
    return json.dumps(document, indent=1) + "\n"


def _test(question: Question) -> dict[str, Any]:
    exercise = question.exercise
    return {
        "name": question.name,
        "status": _status(question),
        "message": _message(question),
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "duration": round(exercise.seconds * 1000) if exercise else 0,
        "score": question.score or 0,
    }


def _status(question: Question) -> str:
    if question.score is None or question.status not in ("graded", "marked by hand"):
        return "error"
    return "pass" if question.score == question.max_score else "fail"


def _message(question: Question) -> str | None:
    if question.score is None:
        return f"{question.name}: {WAITING}; its {points(question.max_score)} points are not counted yet"
    if question.exercise is None or question.score == question.max_score:
        return None
    return f"{question.name}: " + " | ".join(found(question.exercise))
