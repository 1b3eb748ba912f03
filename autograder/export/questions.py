"""A student's marks, question by question: what every format is made from."""

from __future__ import annotations

from dataclasses import dataclass

from autograder.pipeline.results import ExerciseOutcome, StudentOutcome

WAITING = "to be marked by hand"
"""The status of a written answer that nobody has marked yet: it has no score, not even 0."""

PENALTY = "penalty for being late"
"""The name of what is taken off, where a format has a place for it."""


@dataclass(frozen=True)
class Question:
    """An exercise that was graded, or an answer that a person marks.

    Attributes:
        name: the symbol, or the answer's id.
        score: points, or None while the answer waits for a person.
        max_score: points at stake.
        status: of the exercise; of an answer, whether it is marked.
        exercise: what was found; None for an answer.
    """

    name: str
    score: float | None
    max_score: float
    status: str
    exercise: ExerciseOutcome | None = None

    @property
    def full(self) -> bool:
        """Whether all points are earned; a person may have given more."""
        return self.score is not None and self.score >= self.max_score


def questions(outcome: StudentOutcome) -> list[Question]:
    """Returns a student's exercises, then the written answers."""
    exercises = [
        Question(symbol, exercise.score, exercise.max_score, exercise.status, exercise)
        for symbol, exercise in outcome.exercises.items()
    ]
    written = [
        Question(name, answer.score, answer.max_score, WAITING if answer.score is None else "marked by hand")
        for name, answer in outcome.written.items()
    ]
    return exercises + written


def waiting(outcome: StudentOutcome) -> list[Question]:
    """Returns the answers of a student that nobody has marked yet."""
    return [question for question in questions(outcome) if question.score is None]


def final_score(outcome: StudentOutcome) -> float | None:
    """Returns a student's points, or None while a part of them is unknown."""
    return None if waiting(outcome) else outcome.score


def points(score: float | None, unknown: str = "") -> str:
    """Returns points as a program reads them: 2, 1.5, 0.3333; a text of one's own for those that are unknown."""
    return unknown if score is None else f"{score:.4f}".rstrip("0").rstrip(".")
