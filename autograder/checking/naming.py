"""Name a mistake that no wrong formula shows: right here and wrong there, or raising where shapes differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autograder.checking.cases import Case
from autograder.checking.compare import compare
from autograder.checking.exercise import Broken, Check, Trial
from autograder.checking.probe import StudentError


def named(check: Check, misconception: str, when: Callable[[Trial], bool]) -> Check:
    """Returns the check, naming a mistake where it fails for no known reason and `when` holds.

    An exercise without that misconception gets the check as it is.
    """

    def run(trial: Trial) -> None:
        try:
            check.run(trial)
        except (Broken, StudentError) as fault:
            if isinstance(fault, Broken) and fault.misconceptions:
                raise
            known = any(mistake.name == misconception for mistake in trial.exercise.misconceptions)
            if not known or not when(trial):
                raise
            message = fault if isinstance(fault, Broken) else f"Your code raised {fault}"
            raise Broken(str(message), misconception) from fault

    return replace(check, run=run)


def right_on(case: Callable[[np.random.Generator], Case]) -> Callable[[Trial], bool]:
    """Returns whether the symbol agrees with the formula on such inputs."""

    def when(trial: Trial) -> bool:
        put, formula = case(trial.rng), trial.exercise.formula
        assert formula is not None, f"{trial.exercise.symbol} has no formula to agree with"
        try:
            found = put.found(trial.probe, trial.exercise.symbol)
        except (Broken, StudentError):
            return False
        return compare(found, put.expected(formula), put.tolerance) is None

    return when


def raises_on(case: Callable[[np.random.Generator], Case]) -> Callable[[Trial], bool]:
    """Returns whether the symbol raises on such inputs."""

    def when(trial: Trial) -> bool:
        try:
            case(trial.rng).found(trial.probe, trial.exercise.symbol)
        except StudentError as error:
            return error.kind != "NotImplementedError"
        return False

    return when
