"""A class as it was graded, and the same class under names that attack whoever reads them."""

from dataclasses import replace
from pathlib import Path

from autograder.pipeline.results import Results, StudentOutcome, read_results
from tests.graded.names import COMMANDS, MARKUP, NAMES

PATH = Path(__file__).parent / "results.json"
"""A part of what `autograder demo` wrote of 05_layer_norm; some have answers that wait to be marked."""


def a_class() -> Results:
    """The class as it was graded."""
    return read_results(PATH)


def hostile_class() -> Results:
    """The same outcomes under hostile names, with messages and reasons that are as bad."""
    graded = a_class()
    outcomes = list(graded.students.values())
    students = {name: _attacking(outcomes[place % len(outcomes)]) for place, name in enumerate(NAMES)}
    return graded.model_copy(update={"students": students})


def late_class() -> Results:
    """The same class, each of whom was late."""
    graded = a_class()
    students = {
        student: replace(outcome, penalty=min(2.0, outcome.score), score=outcome.score - min(2.0, outcome.score))
        for student, outcome in graded.students.items()
    }
    return graded.model_copy(update={"students": students})


def _attacking(outcome: StudentOutcome) -> StudentOutcome:
    text = " ".join([*MARKUP, *COMMANDS])
    exercises = {
        symbol: replace(exercise, reason=text, checks=[replace(check, message=text) for check in exercise.checks])
        for symbol, exercise in outcome.exercises.items()
    }
    return replace(outcome, exercises=exercises, problem=text)
