"""results.json: the published form of a class's marks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass

from autograder.checking.report import CheckResult, Report
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import write_atomically
from autograder.pipeline.settings import Settings, UsageError

if TYPE_CHECKING:
    from autograder.pipeline.gradebook import Entry

Status = Literal["graded", "timeout", "crashed", "out-of-memory", "forbidden", "missing"]


_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, config=_STRICT)
class CheckOutcome:
    """One hidden check."""

    name: Annotated[str, Field(description="what the check shows")]
    passed: bool
    points: Annotated[float, Field(description="points at stake; 0 for a gate")]
    cost: Annotated[float, Field(description="points that a failed gate takes away")]
    earned: float
    skipped: Annotated[bool, Field(description="true where this run lacks the data the check needs")]
    message: Annotated[str, Field(description="how the student's result differs; when passed, what it reached")]
    misconception: Annotated[str | None, Field(description="the wrong formula that gives the same result")]


@dataclass(frozen=True, slots=True, config=_STRICT)
class ExerciseOutcome:
    """One graded symbol."""

    score: Annotated[float, Field(description="the grader's points, or those that a person gave")]
    max_score: float
    status: Status
    reason: Annotated[str, Field(description="why the status is not 'graded', or what a cell raised")]
    misconception: str | None
    hint: str
    seconds: float
    checks: list[CheckOutcome]
    by_hand: Annotated[bool, Field(description="whether a person gave points in the grader's place or in addition")] = (
        False
    )


@dataclass(frozen=True, slots=True, config=_STRICT)
class WrittenAnswer:
    """One answer marked by hand."""

    score: Annotated[float | None, Field(description="null until somebody has marked it")]
    max_score: float


@dataclass(frozen=True, slots=True, config=_STRICT)
class StudentOutcome:
    """One submission."""

    status: Status
    score: Annotated[float, Field(description="points so far, of exercises and marked answers, less the penalty")]
    max_score: float
    seconds: float
    problem: Annotated[str, Field(description="why the submission could not be read; empty if it could")]
    exercises: dict[str, ExerciseOutcome]
    written: dict[str, WrittenAnswer]
    penalty: Annotated[float, Field(description="points lost for being late")] = 0.0


class Results(BaseModel):
    """A graded assignment of a class."""

    schema_version: Literal[1] = Field(default=1, alias="schema", serialization_alias="schema")
    assignment: str
    profile: Literal["cpu", "gpu"]
    data: Literal["generated", "imdb"]
    trusted: bool = Field(description="false if student code ran outside the sandbox: such marks prove nothing")
    seed: str = Field(description="a fingerprint of the course's seed, which itself stays secret")
    students: dict[str, StudentOutcome]

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def exercise_outcome(report: Report, by_hand: float | None = None) -> ExerciseOutcome:
    """Returns a report in its published form; points that a person gave count in the place of the grader's."""
    return ExerciseOutcome(
        score=report.score if by_hand is None else by_hand,
        max_score=report.max_score,
        status=report.status,
        reason=report.reason,
        misconception=report.misconception,
        hint=report.hint,
        seconds=round(report.seconds, 3),
        checks=[_check_outcome(check, report.misconception) for check in report.checks],
        by_hand=by_hand is not None,
    )


def _check_outcome(check: CheckResult, likeliest: str | None) -> CheckOutcome:
    names = check.misconceptions
    return CheckOutcome(
        name=check.name,
        passed=check.passed,
        points=check.points,
        cost=check.cost,
        earned=round(check.earned, 4),
        skipped=check.skipped,
        message=check.message,
        misconception=likeliest if likeliest in names else next(iter(names), None),
    )


def student_outcome(graded: Graded, entry: Entry, written: Mapping[str, float]) -> StudentOutcome:
    """Returns a graded submission in its published form.

    Args:
        graded: what the grader found.
        entry: what the gradebook says of the student: marks that people gave, and the penalty for being late.
        written: points at stake of the answers that people mark, by grade_id.
    """
    exercises = {symbol: exercise_outcome(report, _by_hand(entry, symbol)) for symbol, report in graded.reports.items()}
    answers = {
        # an unanswered question has its 0 from nbgrader
        name: WrittenAnswer(score=entry.marks[name].score if name in entry.marks else None, max_score=points)
        for name, points in written.items()
    }
    marks = [*exercises.values(), *answers.values()]
    earned = sum(mark.score or 0.0 for mark in marks)
    penalty = min(entry.penalty or 0.0, earned)
    return StudentOutcome(
        status=graded.status,
        score=round(earned - penalty, 4),
        max_score=sum(mark.max_score for mark in marks),
        seconds=round(graded.seconds, 3),
        problem=graded.problem,
        exercises=exercises,
        written=answers,
        penalty=round(penalty, 4),
    )


def _by_hand(entry: Entry, symbol: str) -> float | None:
    """Returns the points of an exercise with which a person had to do; None if they are the grader's."""
    mark = entry.marks.get(f"test_{symbol}")
    return mark.score if mark and mark.by_hand else None


def fingerprint(settings: Settings) -> str:
    """Returns a short hash that tells two course seeds apart without telling them."""
    import hashlib

    return hashlib.sha256(b"course seed " + settings.seed.encode()).hexdigest()[:12]


def write_results(path: Path, results: Results) -> None:
    """Writes results.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, (results.model_dump_json(by_alias=True, indent=1) + "\n").encode())


def keep_previous(path: Path) -> None:
    """Keeps the results of a run beside the file that those of the next one will replace."""
    if path.is_file():
        write_atomically(_previous(path), path.read_bytes())


def previous_results(path: Path) -> Results | None:
    """Returns the results of the run before, or None if there was none that can be read."""
    try:
        return read_results(_previous(path))
    except UsageError:
        return None


def _previous(path: Path) -> Path:
    return path.with_name("previous.json")


def read_results(path: Path) -> Results:
    """Reads results.json.

    Raises:
        UsageError: it is not there, or not what `write_results` writes.
    """
    try:
        return Results.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}): expected graded/ASSIGNMENT/results.json, which "
            "`autograder grade ASSIGNMENT` writes."
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "its beginning"
        raise UsageError(
            f"{path} is no results.json of this version of the autograder ({place}: {first['msg']}): grade again."
        ) from error
