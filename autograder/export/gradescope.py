"""gradescope: the results.json that a Gradescope autograder leaves in /autograder/results, about one student.

https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format
"""

from __future__ import annotations

import json
from typing import Any

from autograder.export.found import found
from autograder.export.questions import WAITING, Question, points, questions, waiting
from autograder.pipeline.results import Results
from autograder.report.terminal import shown


def write(results: Results) -> str:
    """Returns the results of the one student; an answer that is not marked yet is named and has no score."""
    (outcome,) = results.students.values()
    output = [shown(outcome.problem)] if outcome.problem else []
    if left := waiting(outcome):
        output.append(f"The score leaves out what is {WAITING}: {', '.join(question.name for question in left)}.")
    if outcome.penalty:
        output.append(f"{points(outcome.penalty)} points were taken off for being late.")
    if not results.trusted:
        output.append("UNTRUSTED: the code ran outside the sandbox, so this score proves nothing.")
    document = {
        "score": outcome.score,
        "execution_time": round(outcome.seconds),
        "output": "\n".join(output),
        "output_format": "text",
        "tests": [_test(question) for question in questions(outcome)],
    }
    return json.dumps(document, indent=1) + "\n"


def _test(question: Question) -> dict[str, Any]:
    if question.score is None:
        return {"name": f"{question.name} ({points(question.max_score)} points): {WAITING}"}
    test = {
        "name": question.name,
        "score": question.score,
        "max_score": question.max_score,
        "status": "passed" if question.full else "failed",
        "output_format": "text",
    }
    return {**test, "output": "\n".join(found(question.exercise))} if question.exercise else test
