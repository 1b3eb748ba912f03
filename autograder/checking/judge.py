"""Run an exercise's checks through a probe and report what they found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from autograder.checking.exercise import Broken, Check, Exercise, Split, Trial
from autograder.checking.probe import Probe, StudentError
from autograder.checking.report import CheckResult, Report
from autograder.checking.seeds import generator


def no_data(name: str) -> Split:
    """The data source of a run that trains nothing."""
    raise LookupError(f"this run has no corpus {name!r}")


def judge(
    exercise: Exercise,
    probe: Probe,
    *,
    seed: str,
    student: str,
    data: Callable[[str], Split] = no_data,
    corpora: frozenset[str] = frozenset(),
    tell: Callable[[str], None] = lambda line: None,
) -> Report:
    """Runs all checks of an exercise on one submission.

    Args:
        exercise: the exercise.
        probe: reaches the student's code.
        seed: the course's seed; with the student and the symbol it determines every input.
        student: who handed in.
        data: returns a corpus by name.
        corpora: names of the corpora this run has; checks that need another one are skipped.
        tell: is told, in a line, how training gets on.

    Returns:
        The report, with the misconception that explains most of the failures.

    Raises:
        NoAnswer: the student's code hung or died; the caller decides what becomes of the exercise.
    """
    started = time.monotonic()
    results: list[CheckResult] = []
    for check in exercise.checks:
        if check.data is not None and check.data not in corpora:
            results.append(CheckResult(check.name, check.points, check.cost, 0.0, True, hint=check.hint, skipped=True))
            continue
        rng = generator(seed, student, exercise.symbol, check.name)
        results.append(
            _outcome(check, Trial(exercise, probe, rng, data, lambda line: tell(f"{exercise.symbol}: {line}")))
        )
    results = _punished_once(results)
    name = _likeliest(results)
    return Report(
        exercise.symbol,
        exercise.points,
        tuple(results),
        misconception=name,
        hint=exercise.misconception(name).hint if name else "",
        seconds=time.monotonic() - started,
    )


def _outcome(check: Check, trial: Trial) -> CheckResult:
    fraction, message, names, passed = 0.0, "", (), False
    try:
        message = check.run(trial) or ""
        fraction, passed = 1.0, True
    except Broken as broken:
        fraction, message, names = broken.fraction, str(broken), broken.misconceptions
    except StudentError as error:
        message = _said(error)
    except _STRANGE as error:
        # an answer may be any structure of any numbers: what a check cannot deal with costs this one student
        message = f"What came back could not be judged ({type(error).__name__})."
    if not passed:
        message = message or "It does not hold."
    earned = check.points * fraction - (0.0 if passed else check.cost)
    return CheckResult(check.name, check.points, check.cost, earned, passed, message, names, check.hint)


_STRANGE = (TypeError, ValueError, ArithmeticError, AttributeError, KeyError, IndexError, RecursionError, MemoryError)


def _said(error: StudentError) -> str:
    if error.kind == "NotImplementedError":
        return "Not implemented yet."
    if error.kind == "Missing":
        return error.detail
    return f"Your code raised {error.kind}: {error.detail}"


def _punished_once(results: list[CheckResult]) -> list[CheckResult]:
    """Returns the results without the cost of gates that fail for a mistake that has already lost points."""
    paid = {name for result in results if result.points and not result.passed for name in result.misconceptions}
    return [
        replace(result, earned=0.0) if result.cost and not result.points and paid & {*result.misconceptions} else result
        for result in results
    ]


def _likeliest(results: list[CheckResult]) -> str | None:
    """Returns the misconception that matches most failed checks, the first named among equals."""
    votes = Counter(name for result in results for name in result.misconceptions)
    return max(votes, key=lambda name: votes[name]) if votes else None
