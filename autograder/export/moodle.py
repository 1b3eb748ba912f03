"""moodle: a file that Moodle takes at Grades, Import, CSV file.

https://docs.moodle.org/en/Grade_import describes it; what is done with the cells is said by
https://github.com/moodle/moodle/blob/main/grade/import/csv/classes/load_data.php: "-" is no grade, while an empty cell
of a new column becomes 0.
"""

from __future__ import annotations

from autograder.export.questions import PENALTY, final_score, points, questions
from autograder.export.spreadsheet import table
from autograder.pipeline.results import Results, StudentOutcome

_NO_GRADE = "-"


def write(results: Results) -> str:
    """Returns names, grades and feedback of a class; who has answers that are not marked yet has no grade yet."""
    return table(
        ("username", results.assignment, "feedback"),
        [
            (student, points(final_score(outcome), _NO_GRADE), _feedback(outcome))
            for student, outcome in results.students.items()
        ],
    )


def _feedback(outcome: StudentOutcome) -> str:
    parts: list[str] = []
    for question in questions(outcome):
        part = f"{question.name} {points(question.score, '?')} of {points(question.max_score)}"
        found = question.exercise.misconception if question.exercise else None
        if found or question.status != "graded":
            part += f" ({found or question.status})"
        parts.append(part)
    if outcome.penalty:
        parts.append(f"{PENALTY} {points(-outcome.penalty)}")
    return "; ".join(parts)
