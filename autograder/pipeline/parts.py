"""A submission's exercises in parts, so that those that train can go to another kind of machine than the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.checking import Assignment
from autograder.pipeline.grading import Graded
from autograder.pipeline.settings import Settings


@dataclass(frozen=True)
class Part:
    """Exercises of a submission that are judged together.

    Attributes:
        symbols: of the exercises.
        gpu: whether they are given a GPU, if there is one.
    """

    symbols: tuple[str, ...]
    gpu: bool = False


def parts_of(assignment: Assignment, settings: Settings) -> tuple[Part, ...]:
    """Returns the parts that a submission is graded in: with a GPU, training is one and everything else another.

    They do not depend on the machines that there are, so that neither do marks.
    """
    if settings.profile == "cpu":
        return (Part(tuple(exercise.symbol for exercise in assignment.exercises)),)
    training = tuple(exercise.symbol for exercise in assignment.exercises if exercise.trains)
    others = tuple(exercise.symbol for exercise in assignment.exercises if not exercise.trains)
    return tuple(part for part in (Part(training, gpu=True), Part(others)) if part.symbols)


def joined(assignment: Assignment, graded: Sequence[Graded]) -> Graded:
    """Returns the result of a whole submission from those of its parts, each of which ran all answers."""
    reports = {symbol: report for part in graded for symbol, report in part.reports.items()}
    outputs = {key: output for part in graded for key, output in part.outputs.items()}
    return replace(
        graded[0],
        reports={exercise.symbol: reports[exercise.symbol] for exercise in assignment.exercises},
        outputs=outputs,
        seconds=sum(part.seconds for part in graded),
    )
