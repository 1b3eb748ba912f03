"""Grade one submission: run its answers in a kernel, put the checks' questions to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar, cast

from autograder.checking import Assignment, Exercise, NoAnswer, Probe, Report, Split, judge
from autograder.checking.forbidden import find_forbidden, uses
from autograder.checking.report import Status
from autograder.pipeline.corpora import available
from autograder.pipeline.rebuild import RebuiltNotebook
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import grade_id, graded_symbol, is_setup, is_solution
from autograder.pipeline.submission import Submission
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Ended, Lost, Output, Session

_ATTEMPTS = 3
"""At an answer or an exercise whose kernel was killed from nobody knows where, before that counts as its own doing."""

_Result = TypeVar("_Result")

_GRAVEST_FIRST: tuple[Status, ...] = ("timeout", "crashed", "out-of-memory", "forbidden")


@dataclass(frozen=True)
class Graded:
    """What grading a submission gave.

    Attributes:
        student: who handed in.
        assignment: what.
        reports: by symbol, in the notebook's order.
        outputs: what the solution cells printed, by grade_id.
        problem: why the submission could not be read; empty if it could.
        seconds: time it took.
    """

    student: str
    assignment: str
    reports: Mapping[str, Report]
    outputs: Mapping[str, Output] = field(default_factory=dict[str, Output])
    problem: str = ""
    seconds: float = 0.0

    @property
    def status(self) -> Status:
        """How grading ended: "missing" when nothing was handed in, else the gravest of its exercises."""
        if self.problem:
            return "missing"
        found = {report.status for report in self.reports.values()}
        for status in _GRAVEST_FIRST:
            if status in found:
                return status
        return "graded"


class GradingError(Exception):
    """Something of ours failed, not the student's."""


def grade_submission(
    rebuilt: RebuiltNotebook,
    assignment: Assignment,
    settings: Settings,
    interpreter: WarmInterpreter,
    data: Callable[[str], Split],
    tell: Callable[[str], None] = lambda line: None,
    symbols: Collection[str] | None = None,
) -> Graded:
    """Runs a submission's answers and the checks of its assignment.

    Args:
        rebuilt: the student's answers in the pristine notebook.
        assignment: what is asked.
        settings: seed, data and limits.
        interpreter: where to fork kernels from.
        data: returns a corpus by name.
        tell: is told, in a line, how a training gets on.
        symbols: of the exercises to judge; all of them by default.

    Returns:
        A report for every exercise judged, whatever the student's code did.

    Raises:
        GradingError: our own cells failed.
    """
    submission = rebuilt.submission
    if submission.problem:
        return unreadable(submission, assignment)
    if symbols is None:
        symbols = [exercise.symbol for exercise in assignment.exercises]
    started = time.monotonic()
    with _Run(rebuilt, assignment, settings, interpreter, data, tell) as run:
        reports, outputs = run.all(symbols)
    return Graded(
        submission.student,
        assignment.name,
        reports,
        outputs,
        seconds=time.monotonic() - started,
    )


def unreadable(submission: Submission, assignment: Assignment) -> Graded:
    """Returns the result of a submission that could not be read."""
    reports = {exercise.symbol: _ended(exercise, "missing", submission.problem) for exercise in assignment.exercises}
    return Graded(submission.student, assignment.name, reports, problem=submission.problem)


def _ended(exercise: Exercise, status: str, reason: str) -> Report:
    return Report(exercise.symbol, exercise.points, status=cast(Status, status), reason=reason)


class _Run:
    """The kernels of one submission: replaced when they die, with earlier answers replayed."""

    def __init__(
        self,
        rebuilt: RebuiltNotebook,
        assignment: Assignment,
        settings: Settings,
        interpreter: WarmInterpreter,
        data: Callable[[str], Split],
        tell: Callable[[str], None],
    ) -> None:
        self._rebuilt = rebuilt
        self._assignment = assignment
        self._settings = settings
        self._interpreter = interpreter
        self._data = data
        self._tell = tell
        self._session: Session | None = None
        self._done: list[str] = []
        self._raised: list[str] = []
        self._kernels = 0
        self._ends = time.monotonic() + settings.limits.submission_seconds
        self._answered = False

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> Literal[False]:
        self._drop()
        return False

    def all(self, symbols: Collection[str]) -> tuple[dict[str, Report], dict[str, Output]]:
        """Runs every cell that counts, in the notebook's order, and judges these exercises."""
        reports: dict[str, Report] = {}
        outputs: dict[str, Output] = {}
        fatal: dict[str, Ended] = {}
        for cell in self._rebuilt.notebook.cells:
            key, symbol = str(grade_id(cell)), graded_symbol(cell)
            if is_setup(cell):
                self._set_up(cell.source)
            elif is_solution(cell) and cell.cell_type == "code":
                try:
                    outputs[key] = self._answer(cell.source)
                except Ended as ended:
                    fatal[key] = ended
            elif symbol is not None and symbol in symbols:
                exercise = self._assignment.exercise(symbol)
                reports[symbol] = self._judged(exercise, outputs.get(symbol), fatal.get(symbol))
        return reports, outputs

    def _set_up(self, source: str) -> None:
        try:
            error = self._tried(lambda: self._open().run(source, 120)).error
        except Ended as ended:
            error = (ended.status, str(ended))
        if error is not None and not self._answered:
            raise GradingError(f"a setup cell of {self._assignment.name} failed: {error}")
        # after an answer it is the student who made it fail
        self._done.append(source)

    def _answer(self, source: str) -> Output:
        self._answered = True
        output = self._tried(lambda: self._open().run(source, self._left(self._settings.limits.cell_seconds)))
        self._done.append(source)
        if output.error is not None:
            self._raised.append(source)
        return output

    def _judged(self, exercise: Exercise, output: Output | None, ended: Ended | None) -> Report:
        submission = self._rebuilt.submission
        symbol = exercise.symbol
        if ended is not None:
            return _ended(exercise, ended.status, f"Running the cell: {ended}")
        if symbol not in submission.answers:
            note = submission.notes.get(symbol, "The cell is not in the notebook.")
            return _ended(exercise, "missing", note)
        if sentence := find_forbidden(submission.answers[symbol], exercise.forbidden, symbol):
            return _ended(exercise, "forbidden", sentence)
        try:
            report = self._tried(lambda: self._checked(exercise))
        except NoAnswer as nothing:
            if nothing.status in ("crashed", "out-of-memory") and self._forget_what_raised(submission.answers[symbol]):
                return self._judged(exercise, output, ended)
            return _ended(exercise, nothing.status, str(nothing))
        if output is not None and output.error is not None:
            kind, message = output.error
            return replace(report, reason=f"Running the cell raised {kind}: {message}")
        return report

    def _checked(self, exercise: Exercise) -> Report:
        """Puts the checks' questions to the kernel.

        Raises:
            NoAnswer: it is gone, or a ready-made form was called.
        """
        settings = self._settings
        ends = time.monotonic() + exercise.deadline

        def ask(question: Mapping[str, Any]) -> Mapping[str, Any]:
            try:
                left = self._left(ends - time.monotonic())
                answer = self._open().ask({**question, "forbidden": list(exercise.forbidden)}, left)
            except Ended as over:
                reason = str(over)
                if over.status == "timeout" and time.monotonic() < self._ends:
                    reason = f"The checks did not finish within {exercise.deadline:.0f} seconds."
                self._drop()
                raise NoAnswer(over.status, reason) from over
            error = answer.get("error")
            if isinstance(error, Mapping) and error.get("kind") == "Forbidden":
                raise NoAnswer("forbidden", uses(str(error.get("detail"))[:100]))
            return answer

        report = judge(
            exercise,
            Probe(ask),
            seed=settings.seed,
            student=self._rebuilt.submission.student,
            data=self._data,
            corpora=available(settings.data),
            tell=self._tell,
        )
        ask({"op": "forget"})
        return report

    def _forget_what_raised(self, but: str) -> bool:
        """Forgets the answers that raised, except one; tells whether there were any.

        Such an answer may have left the kernel in a state in which another exercise dies: its table of processes full,
        say. An exercise that died after one is judged again without it.
        """
        raised = [source for source in self._raised if source != but]
        self._raised = [source for source in self._raised if source == but]
        self._done = [source for source in self._done if source not in raised]
        return bool(raised)

    def _tried(self, attempt: Callable[[], _Result]) -> _Result:
        """Returns what an attempt gives; makes another one where its kernel was lost.

        Raises:
            Ended, NoAnswer: the kernel has ended, and is dropped.
        """
        left = _ATTEMPTS
        while True:
            try:
                return attempt()
            except (Ended, NoAnswer) as ended:
                if ended.status != "forbidden":
                    self._drop()
                left -= 1
                if not left or not isinstance(ended.__cause__ or ended, Lost):
                    raise
                self._kernels -= 1

    def _left(self, seconds: float) -> float:
        """Returns the seconds that may pass: these, or what is left to the whole submission."""
        left = self._ends - time.monotonic()
        if left <= 0:
            self._drop()
            most = self._settings.limits.submission_seconds
            raise Ended("timeout", f"The submission used up the {most:.0f} seconds that it may take.")
        return max(min(seconds, left), 0.01)

    def _open(self) -> Session:
        """Returns the kernel; a new one gets the setup and all earlier answers first."""
        if self._session is None:
            if self._kernels > self._settings.limits.restarts:
                raise Ended("crashed", "Too many kernels died before this exercise.")
            self._kernels += 1
            self._session = Session(self._interpreter)
            for source in self._done:
                try:
                    self._session.run(source, self._settings.limits.cell_seconds)
                except Ended:
                    self._drop()
                    raise
        return self._session

    def _drop(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None
