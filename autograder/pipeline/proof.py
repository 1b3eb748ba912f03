"""The proof that checks are right: misconceptions lose marks and are named, alternatives lose nothing."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autograder.checking import Exercise, Probe, Report, Split, judge
from autograder.checking.judge import no_data
from autograder.pipeline.corpora import available, load
from autograder.pipeline.source import SourceNotebook
from autograder.sandbox.local import ask_here

Kind = Literal["solution", "misconception", "alternative"]


@dataclass(frozen=True)
class Variant:
    """A solution cell to put in the place of the solved one.

    Attributes:
        symbol: whose cell it is.
        kind: what it is an example of.
        name: of the misconception or alternative.
        source: the cell.
    """

    symbol: str
    kind: Kind
    name: str
    source: str


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
        for symbol, solution in source.solutions.items():
            exec(variant.source if symbol == variant.symbol else solution, namespace)
        probe = Probe(ask_here(namespace))
        report = judge(exercise, probe, seed=seed, student="proof", data=data, corpora=corpora)
    return Finding(variant, report)


@dataclass(frozen=True)
class Proof:
    """The findings of an exercise at all seeds."""

    findings: tuple[Finding, ...]
    seconds: float

    def _of(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.variant.kind == kind]

    @property
    def problems(self) -> list[str]:
        """A line for every wrong verdict."""
        return [
            f"{finding.variant.kind} {finding.variant.name} {finding.problem}"
            for finding in self.findings
            if finding.problem
        ]

    def row(self) -> list[str]:
        """Misconceptions, caught, named; alternatives, accepted; seconds: as texts."""
        wrong, right = self._of("misconception"), self._of("alternative")
        caught = [finding for finding in wrong if finding.report.score < finding.report.max_score]
        named = [finding for finding in caught if finding.report.misconception == finding.variant.name]
        accepted = [finding for finding in right if not finding.problem]
        counts = [
            str(len({finding.variant.name for finding in wrong})),
            _share(len(caught), len(wrong)),
            _share(len(named), len(wrong)),
            str(len({finding.variant.name for finding in right})),
            _share(len(accepted), len(right)),
        ]
        return [*counts, f"{self.seconds:.0f}"]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def prove_exercise(source: SourceNotebook, exercise: Exercise, alternatives: Path, seeds: int) -> Proof:
    """Runs every variant of an exercise at several seeds, with the generated corpora."""
    started = time.monotonic()
    findings = tuple(
        prove(source, exercise, variant, seed=str(seed), data=load("generated"), corpora=available("generated"))
        for variant in variants(source, exercise, alternatives)
        for seed in range(seeds)
    )
    return Proof(findings, time.monotonic() - started)
