"""What was found in an exercise, as lines of plain text."""

from __future__ import annotations

from autograder.pipeline.results import ExerciseOutcome
from autograder.report.terminal import shown


def found(exercise: ExerciseOutcome) -> list[str]:
    """Returns why an exercise ended early, its likeliest misconception, and a line for each check."""
    lines = [shown(exercise.reason)] if exercise.reason else []
    if exercise.misconception:
        lines.append(f"Most likely {exercise.misconception}: {exercise.hint}")
    for check in exercise.checks:
        mark = "not graded in this run" if check.skipped else "passed" if check.passed else "failed"
        lines.append(f"{mark}: {check.name}" + (f": {shown(check.message)}" if check.message else ""))
    return lines
