"""A class as it was graded, and the same class under names that attack whoever reads them."""

from pathlib import Path

import pytest

from autograder.pipeline.results import Results, StudentOutcome, read_results
from tests.export.names import COMMANDS, MARKUP, NAMES

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def results() -> Results:
    """What `autograder demo` wrote of 05_layer_norm; some have answers that wait to be marked."""
    return read_results(HERE / "results.json")


@pytest.fixture(scope="session")
def hostile(results: Results) -> Results:
    """The same outcomes under hostile names, with messages and reasons that are as bad."""
    outcomes = list(results.students.values())
    students = {name: _attacking(outcomes[place % len(outcomes)]) for place, name in enumerate(NAMES)}
    return results.model_copy(update={"students": students})


def _attacking(outcome: StudentOutcome) -> StudentOutcome:
    text = " ".join([*MARKUP, *COMMANDS])
    exercises = {
        symbol: exercise.model_copy(
            update={
                "reason": text,
                "checks": [check.model_copy(update={"message": text}) for check in exercise.checks],
            }
        )
        for symbol, exercise in outcome.exercises.items()
    }
    return outcome.model_copy(update={"exercises": exercises, "problem": text})
