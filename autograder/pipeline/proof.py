"""The proof that checks are right: misconceptions lose marks and are named, alternatives lose nothing.

A thorough proof adds faults that nobody has thought of: two misconceptions at once, and small slips generated from the
solution's syntax tree. They must lose marks; a slip that changes nothing must be argued to be harmless.
"""

from __future__ import annotations

import signal
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from autograder.checking import Exercise, Probe, Report, Split, judge
from autograder.checking.judge import no_data
from autograder.pipeline.corpora import available, load
from autograder.pipeline.mutants import equivalents, mutants
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import SourceNotebook
from autograder.sandbox.local import ask_here

Kind = Literal["solution", "misconception", "alternative", "pair", "mutant"]

_MUTANT_SECONDS = 60.0
"""A slip may make a loop endless. Where models are trained for it, the exercise's own deadline holds."""


@dataclass(frozen=True)
class Variant:
    """A solution cell to put in the place of the solved one.

    Attributes:
        symbol: whose cell it is.
        kind: what it is an example of.
        name: of the misconception or alternative; what a generated fault changes.
        source: the cell.
    """

    symbol: str
    kind: Kind
    name: str
    source: str

    @property
    def generated(self) -> bool:
        """Whether nobody has thought of it."""
        return self.kind in ("pair", "mutant")


@dataclass(frozen=True)
class Finding:
    """What the checks made of a variant."""

    variant: Variant
    report: Report

    @property
    def problem(self) -> str:
        """What is wrong with the verdict, in words; empty if it is right."""
        report, variant = self.report, self.variant
        full = report.score == report.max_score
        if variant.generated:
            return "gets full marks" if full else ""
        if variant.kind != "misconception":
            failed = report.first_failure
            return "" if full or not failed else f"loses marks: {failed.name}: {failed.message}"
        if full:
            return "gets full marks"
        names = {name for check in report.checks for name in check.misconceptions}
        if variant.name not in names:
            failed = report.first_failure
            return f"is not named; {failed.name}: {failed.message}" if failed else "is not named"
        if report.misconception != variant.name:
            return f"is named {report.misconception}"
        return ""


def edited(solution: str, exercise: Exercise, name: str) -> str:
    """Returns the solved cell with a misconception's edits applied.

    Raises:
        ValueError: an edit's old text does not stand in the solution exactly once.
    """
    for old, new in exercise.misconception(name).edit:
        if solution.count(old) != 1:
            raise ValueError(f"{exercise.symbol}, {name}: {old!r} stands {solution.count(old)} times in the solution")
        solution = solution.replace(old, new)
    return solution


def variants(source: SourceNotebook, exercise: Exercise, alternatives: Path | None = None) -> Iterator[Variant]:
    """Yields the solution, every misconception and every alternative of an exercise.

    Args:
        source: the assignment's notebook.
        exercise: one of its exercises.
        alternatives: folder with `<assignment>/<symbol>__<name>.py`.
    """
    solution = source.solutions[exercise.symbol]
    yield Variant(exercise.symbol, "solution", "solution", solution)
    for misconception in exercise.misconceptions:
        code = edited(solution, exercise, misconception.name)
        yield Variant(exercise.symbol, "misconception", misconception.name, code)
    if alternatives is not None:
        for path in sorted((alternatives / source.name).glob(f"{exercise.symbol}__*.py")):
            name = path.stem.partition("__")[2]
            yield Variant(exercise.symbol, "alternative", name, path.read_text(encoding="utf-8"))


def faults(source: SourceNotebook, exercise: Exercise) -> Iterator[Variant]:
    """Yields generated faults: pairs of misconceptions that can be combined, and mutants of the solution."""
    solution, symbol = source.solutions[exercise.symbol], exercise.symbol
    single = {wrong.name: edited(solution, exercise, wrong.name) for wrong in exercise.misconceptions}
    for first, second in combinations(single, 2):
        try:
            both = edited(single[first], exercise, second)
        except ValueError:
            continue  # one takes the place of what the other changes
        if both not in single.values():
            yield Variant(symbol, "pair", f"{first} and {second}", both)
    for mutant in mutants(solution):
        yield Variant(symbol, "mutant", mutant.change, mutant.source)


def prove(
    source: SourceNotebook,
    exercise: Exercise,
    variant: Variant,
    *,
    seed: str,
    data: Callable[[str], Split] = no_data,
    corpora: frozenset[str] = frozenset(),
) -> Finding:
    """Runs an exercise's checks, in this process, on a notebook that holds one variant."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong code makes libraries warn
        exec(source.setup, namespace)
        try:
            for symbol, solution in source.solutions.items():
                exec(variant.source if symbol == variant.symbol else solution, namespace)
        except Exception as error:
            if not variant.generated:
                raise
            return Finding(variant, Report(exercise.symbol, exercise.points, reason=f"raises {error!r}"))
        probe = Probe(ask_here(namespace))
        report = judge(exercise, probe, seed=seed, student="proof", data=data, corpora=corpora)
    return Finding(variant, report)


def prove_fault(source: SourceNotebook, exercise: Exercise, variant: Variant, seed: str) -> Finding:
    """Runs the checks on a generated fault: those that train only if no other notices it."""
    untrained = _training_waived(exercise) if exercise.trains else exercise
    finding = _proved_within(_MUTANT_SECONDS, source, untrained, variant, seed=seed)
    if not finding.problem or not exercise.trains:
        return finding
    trained = {"data": load(Settings()), "corpora": available("generated")}
    return _proved_within(exercise.deadline, source, exercise, variant, seed=seed, **trained)


def _training_waived(exercise: Exercise) -> Exercise:
    """Returns the exercise with full marks for what a model would have to be trained for."""
    checks = tuple(replace(check, run=lambda trial: None) if check.trains else check for check in exercise.checks)
    return replace(exercise, checks=checks)


def _proved_within(seconds: float, source: SourceNotebook, exercise: Exercise, variant: Variant, **how: Any) -> Finding:
    try:
        with _within(seconds):
            return prove(source, exercise, variant, **how)
    except _TooLong:
        return Finding(variant, Report(exercise.symbol, exercise.points, status="timeout"))


class _TooLong(BaseException):
    """Time is up."""


@contextmanager
def _within(seconds: float) -> Generator[None]:
    """Raises _TooLong in the main thread when the time is up, and again: the code under test may hold it.

    It is this process's own time that counts: on a busy machine right code would seem endless.
    """

    def stop(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@dataclass(frozen=True)
class Proof:
    """The findings of an exercise at all seeds.

    Attributes:
        exercise: whose checks were tried.
        findings: what they made of every variant.
        harmless: why a generated fault that nothing notices is none, by its name.
        seconds: time it took.
    """

    exercise: Exercise
    findings: tuple[Finding, ...]
    harmless: Mapping[str, str]
    seconds: float

    def _of(self, *kinds: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.variant.kind in kinds]

    @property
    def thorough(self) -> bool:
        """Whether generated faults were tried."""
        return any(finding.variant.generated for finding in self.findings)

    @property
    def problems(self) -> list[str]:
        """A line for every wrong verdict."""
        wrong = [
            f"{finding.variant.kind} {finding.variant.name} {finding.problem}"
            for finding in self.findings
            if finding.problem and not self._argued(finding)
        ]
        if not self.thorough:
            return wrong
        survived = {finding.variant.name for finding in self._of("pair", "mutant") if finding.problem}
        return wrong + [
            f"{fault} is listed as harmless but does not survive" for fault in self.harmless if fault not in survived
        ]

    def _argued(self, finding: Finding) -> bool:
        return finding.variant.generated and finding.variant.name in self.harmless

    @property
    def idle_checks(self) -> list[str]:
        """Names of the checks that no wrong solution failed."""
        wrong = self._of("misconception", "pair", "mutant")
        failed = {check.name for finding in wrong for check in finding.report.checks if not check.passed}
        return [check.name for check in self.exercise.checks if check.name not in failed]

    @property
    def caught_once(self) -> list[str]:
        """Names of the misconceptions that a single check catches."""
        failed: dict[str, set[str]] = {}
        for finding in self._of("misconception"):
            names = {check.name for check in finding.report.checks if not check.passed}
            failed.setdefault(finding.variant.name, set()).update(names)
        return [name for name, checks in failed.items() if len(checks) == 1]

    def row(self) -> dict[str, str]:
        """What was found, by column."""
        wrong, right = self._of("misconception"), self._of("alternative")
        named = [finding for finding in wrong if finding.report.misconception == finding.variant.name]
        row = {
            "symbol": self.exercise.symbol,
            "checks": str(len(self.exercise.checks)),
            "idle": str(len(self.idle_checks)),
            "misconceptions": str(len({finding.variant.name for finding in wrong})),
            "caught": _share(_lost(wrong), len(wrong)),
            "named": _share(len(named), len(wrong)),
            "by one check": str(len(self.caught_once)),
            "alternatives": str(len({finding.variant.name for finding in right})),
            "accepted": _share(len(right) - sum(bool(finding.problem) for finding in right), len(right)),
        }
        if self.thorough:
            pairs, slips = self._of("pair"), self._of("mutant")
            row |= {
                "pairs": f"{_lost(pairs)}/{len(pairs)}",
                "mutants": f"{_lost(slips)}/{len(slips)}",
                "harmless": str(len(self.harmless)),
            }
        return {**row, "seconds": f"{self.seconds:.0f}"}


def _lost(findings: list[Finding]) -> int:
    return sum(finding.report.score < finding.report.max_score for finding in findings)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def prove_exercise(
    source: SourceNotebook, exercise: Exercise, tests: Path, seeds: int, *, thorough: bool = False
) -> Proof:
    """Runs every variant of an exercise with the generated corpora.

    Args:
        source: the assignment's notebook.
        exercise: one of its exercises.
        tests: folder with `alternatives/` and `equivalents/`.
        seeds: how many course seeds to try.
        thorough: also try generated faults, at the first seed.
    """
    started = time.monotonic()
    findings = [
        prove(source, exercise, variant, seed=str(seed), data=load(Settings()), corpora=available("generated"))
        for variant in variants(source, exercise, tests / "alternatives")
        for seed in range(seeds)
    ]
    if thorough:
        findings += [prove_fault(source, exercise, fault, "0") for fault in faults(source, exercise)]
    harmless = equivalents(tests / "equivalents", source.name).get(exercise.symbol, {})
    return Proof(exercise, tuple(findings), harmless, time.monotonic() - started)
