"""What a person sees of a class's results: the overview page and the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from autograder.pipeline.journal import write_atomically
from autograder.pipeline.results import ExerciseOutcome, Results, StudentOutcome, read_results
from autograder.pipeline.roster import names
from autograder.pipeline.stages import gradebook_url
from autograder.report.overview import Mark, Row, Table, most_frequent, page, relative


def write_overview(out: Path, title: str) -> Path:
    """Writes `OUT/overview.html` about every assignment graded there and returns its path."""
    path = out / "overview.html"
    results = [read_results(found) for found in sorted(out.glob("*/results.json"))]
    people = names(gradebook_url(out)) if (out / "gradebook.db").is_file() else {}
    first = results[0]
    stamp = f"data: {first.data}, profile: {first.profile}, seed {first.seed}"
    if not all(one.trusted for one in results):
        stamp += " · UNTRUSTED: student code ran outside the sandbox, so these marks prove nothing"
    write_atomically(path, page(title, [_table(out, one, people) for one in results], stamp).encode())
    return path


def feedback_page(out: Path, student: str, name: str) -> Path:
    """Returns where a student's feedback page lies."""
    return out / "feedback" / student / name / f"{name}.html"


def _table(out: Path, results: Results, people: Mapping[str, str]) -> Table:
    symbols: list[tuple[str, float]] = []
    most = 0.0
    found: list[tuple[str, str, str]] = []
    rows: list[Row] = []
    unmarked = 0
    for student, outcome in results.students.items():
        symbols = symbols or [(symbol, exercise.max_score) for symbol, exercise in outcome.exercises.items()]
        most = max(most, outcome.max_score)
        unmarked += sum(answer.score is None for answer in outcome.written.values())
        found += [
            (symbol, exercise.misconception, exercise.hint)
            for symbol, exercise in outcome.exercises.items()
            if exercise.misconception
        ]
        rows.append(_row(out, results.assignment, student, people.get(student, ""), outcome))
    return Table(results.assignment, symbols, most, rows, most_frequent(found), unmarked)


def _row(out: Path, name: str, student: str, full_name: str, outcome: StudentOutcome) -> Row:
    return Row(
        student,
        full_name,
        outcome.status,
        outcome.score,
        outcome.max_score,
        [
            Mark(exercise.score, exercise.max_score, exercise.status, _note(exercise))
            for exercise in outcome.exercises.values()
        ],
        relative(feedback_page(out, student, name), out),
        outcome.problem,
    )


def _note(exercise: ExerciseOutcome) -> str:
    if exercise.misconception:
        return exercise.misconception
    failed = next((check for check in exercise.checks if not check.passed), None)
    return exercise.reason or (f"{failed.name}: {failed.message}" if failed else "")
