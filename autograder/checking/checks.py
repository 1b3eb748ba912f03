"""Checks for any symbol: agrees with the formula, refuses bad arguments, holds a property."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from autograder.checking.cases import Case
from autograder.checking.compare import Difference, Tolerance, Value, compare
from autograder.checking.exercise import Broken, Check, Exercise, Trial
from autograder.checking.probe import StudentError

MakeCases = Callable[[np.random.Generator], Case | Sequence[Case]]


def agrees(
    name: str,
    cases: MakeCases,
    *,
    points: float = 0.0,
    cost: float = 0.0,
    hint: str = "",
    tolerance: Tolerance | None = None,
) -> Check:
    """A check that the symbol gives what the formula gives, on fresh inputs.

    A wrong result is compared with the exercise's misconceptions on the same inputs.

    Args:
        name: what holds, as a sentence.
        cases: makes one or more cases from a random generator.
        points: points for agreeing on all cases.
        cost: points taken away for not agreeing.
        hint: what it looks at, for students.
        tolerance: default: from the precision of the inputs.
    """

    def run(trial: Trial) -> None:
        for case in _listed(cases(trial.rng)):
            found = case.found(trial.probe, trial.exercise.symbol)
            expect(trial.exercise, case, found, tolerance)

    return Check(name, run, points=points, cost=cost, hint=hint)


def expect(exercise: Exercise, case: Case, found: Value, tolerance: Tolerance | None = None) -> None:
    """Raises `Broken` if what was found is not what the exercise's formula gives."""
    assert exercise.formula is not None, f"{exercise.symbol} has no formula to agree with"
    close = tolerance or case.tolerance
    with np.errstate(all="ignore"):
        difference = compare(found, case.expected(exercise.formula), close)
        if difference is None:
            return
        names = tuple(_matching(exercise, case, found, close))
    message = difference.message if names else _explained(exercise, case, found, difference)
    raise Broken(message, *names)


def _matching(exercise: Exercise, case: Case, found: Value, tolerance: Tolerance) -> Iterable[str]:
    for misconception in exercise.misconceptions:
        if misconception.wrong is None:
            continue
        try:
            predicted = case.expected(misconception.wrong)
        except Exception:
            # a wrong formula may be impossible on some inputs: then it did not give this result
            continue
        if compare(found, predicted, tolerance) is None:
            yield misconception.name


def _explained(exercise: Exercise, case: Case, found: Value, difference: Difference) -> str:
    args, kwargs = case.arguments
    broken: list[str] = []
    if difference.kind in ("numbers", "nan"):
        for rule in exercise.properties:
            try:
                if not rule.holds(found, *args, **kwargs):
                    broken.append(rule.name)
            except Exception:
                continue  # a rule that cannot be applied to this result says nothing about it
    return " ".join([difference.message, *(f"It does not hold that {name}." for name in broken)])


def rejects(
    name: str,
    ask: Callable[[Trial], object],
    *,
    cost: float,
    error: str = "ValueError",
    hint: str = "",
) -> Check:
    """A gate: the symbol refuses an argument with the named exception.

    Args:
        name: what is refused, as a sentence.
        ask: puts the bad argument to the student's symbol.
        cost: points taken away if it is accepted, or refused with another exception.
        error: name of the exception.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> None:
        try:
            ask(trial)
        except StudentError as raised:
            if raised.kind == error:
                return
            raise Broken(f"It raised {raised.kind} where {error} was expected.") from raised
        raise Broken(f"It accepted the argument where {error} was expected.")

    return Check(name, run, cost=cost, hint=hint)


def holds(
    name: str,
    run: Callable[[Trial], None],
    *,
    points: float = 0.0,
    cost: float = 0.0,
    hint: str = "",
) -> Check:
    """A check written out: `run` raises `Broken` if it does not hold."""
    return Check(name, run, points=points, cost=cost, hint=hint)


def _listed(cases: Case | Sequence[Case]) -> Sequence[Case]:
    return cases if isinstance(cases, Sequence) else [cases]
