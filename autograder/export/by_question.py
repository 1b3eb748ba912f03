"""csv: one line for each student and question, for spreadsheets and statistics.

RFC 4180, https://www.rfc-editor.org/rfc/rfc4180
"""

from __future__ import annotations

from collections.abc import Iterator

from autograder.export.questions import PENALTY, points, questions
from autograder.export.spreadsheet import table
from autograder.pipeline.results import Results

HEADER = ("assignment", "student", "question", "score", "max_score", "status", "misconception")


def write(results: Results) -> str:
    """Returns the marks of a class as CSV; the score of an answer that is not marked yet is empty."""
    return table(HEADER, _rows(results))


def _rows(results: Results) -> Iterator[tuple[str, ...]]:
    for student, outcome in results.students.items():
        for question in questions(outcome):
            misconception = question.exercise.misconception if question.exercise else None
            yield (
                results.assignment,
                student,
                question.name,
                points(question.score),
                points(question.max_score),
                question.status,
                misconception or "",
            )
        if outcome.penalty:
            yield results.assignment, student, PENALTY, points(-outcome.penalty), "0", "late", ""
