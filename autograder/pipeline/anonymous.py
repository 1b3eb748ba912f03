"""Results without names: for a page that is shown to others."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from autograder.pipeline.results import CheckOutcome, ExerciseOutcome, Results, StudentOutcome


def pseudonyms(students: Iterable[str], chance: random.Random) -> dict[str, str]:
    """Returns a number for each student, in an order from which no name can be told."""
    shuffled = sorted(set(students))
    chance.shuffle(shuffled)
    digits = len(str(len(shuffled)))
    return {student: f"student {place:0{digits}}" for place, student in enumerate(shuffled, 1)}


def renamed(results: Results, names: Mapping[str, str]) -> Results:
    """Returns results under other names, sorted by them, and without any text that students had a hand in."""
    students = {names[student]: _without_texts(outcome) for student, outcome in results.students.items()}
    return results.model_copy(update={"students": dict(sorted(students.items()))})


def _without_texts(outcome: StudentOutcome) -> StudentOutcome:
    exercises = {symbol: _exercise(exercise) for symbol, exercise in outcome.exercises.items()}
    problem = "the notebook could not be read" if outcome.problem else ""
    return replace(outcome, exercises=exercises, problem=problem)


def _exercise(exercise: ExerciseOutcome) -> ExerciseOutcome:
    checks = [_check(check) for check in exercise.checks]
    return replace(exercise, reason="", checks=checks)


def _check(check: CheckOutcome) -> CheckOutcome:
    return replace(check, message="")
