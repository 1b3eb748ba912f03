"""github-classroom: what the autograding reporter of GitHub Classroom takes, about one student.

https://github.com/classroom-resources/autograding-grading-reporter reads this JSON, in base64, from the variable
`RUNNER_RESULTS`; its fields are those that https://github.com/classroom-resources/autograding-io-grader gives out. The
reporter adds up the scores of all tests, so each needs a number.
"""

from __future__ import annotations

import json
from typing import Any

from autograder.export.found import found
from autograder.export.questions import PENALTY, WAITING, Question, points, questions
from autograder.pipeline.results import Results


def write(results: Results) -> str:
    """Returns the results of the one student; points of an answer that is not marked yet are not among the maximum."""
    (outcome,) = results.students.values()
    every = questions(outcome)
    marked = [question for question in every if question.score is not None]
    document = {
        "version": 1,
        "status": "pass" if all(question.full for question in marked) else "fail",
        "max_score": sum(question.max_score for question in marked),
        "tests": [*(_of_question(question) for question in every), *_late(outcome.penalty)],
    }
    return json.dumps(document, indent=1) + "\n"


def _of_question(question: Question) -> dict[str, Any]:
    duration = round(question.exercise.seconds * 1000) if question.exercise else 0
    return _test(question.name, _status(question), _message(question), question.score or 0, duration)


def _late(penalty: float) -> list[dict[str, Any]]:
    """Returns the test that takes points away: the reporter adds up scores."""
    return [_test(PENALTY, "fail", f"{points(penalty)} points lost", -penalty)] if penalty else []


def _test(name: str, status: str, message: str | None, score: float, duration: int = 0) -> dict[str, Any]:
    return {
        "name": name,
        "status": status,
        "message": message,
        "test_code": "",
        "filename": "",
        "line_no": 0,
        "duration": duration,
        "score": score,
    }


def _status(question: Question) -> str:
    if question.score is None or question.status not in ("graded", "marked by hand"):
        return "error"
    return "pass" if question.full else "fail"


def _message(question: Question) -> str | None:
    if question.score is None:
        return f"{question.name}: {WAITING}; its {points(question.max_score)} points are not counted yet"
    if question.exercise is None or question.full:
        return None
    return f"{question.name}: " + " | ".join(found(question.exercise))
