"""What the overview shows of an assignment, taken from its results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping

from autograder.pipeline.results import ExerciseOutcome, Results, StudentOutcome, WrittenAnswer
from autograder.report.cell import number
from autograder.report.heatmap import Cell, HeatMap, cell
from autograder.report.items import analysed
from autograder.report.overview import (
    Change,
    Changed,
    Ended,
    Mark,
    Row,
    Section,
    Waiting,
    most_frequent,
)

Link = Callable[[str], str | None]
"""Where a student's feedback page lies, seen from the overview."""


def section(results: Results, previous: Results | None, link: Link, people: Mapping[str, str]) -> Section:
    """Returns what the overview shows of an assignment.

    Args:
        results: of this run.
        previous: of the last one, if there was one.
        link: finds feedback pages.
        people: full names, as far as they are known.
    """
    students = results.students
    exercises = _exercises(results)
    readable = [outcome for outcome in students.values() if not outcome.problem]
    scores = [[outcome.exercises[symbol].score for symbol, _ in exercises] for outcome in readable]
    return Section(
        assignment=results.assignment,
        stamp=f"data: {results.data}, profile: {results.profile}, seed {results.seed}",
        trusted=results.trusted,
        questions=exercises + _written(results),
        max_score=max((outcome.max_score for outcome in students.values()), default=0.0),
        rows=[_row(student, people.get(student, ""), outcome, link) for student, outcome in students.items()],
        items=analysed(exercises, scores),
        analysed=len(readable),
        misconceptions=most_frequent(list(_misconceptions(results))),
        ended=list(_ended(results)),
        waiting=list(_waiting(results)),
        change=_change(previous, results) if previous else None,
        checks=_checks(results),
    )


def _exercises(results: Results) -> list[tuple[str, float]]:
    for outcome in results.students.values():
        return [(symbol, exercise.max_score) for symbol, exercise in outcome.exercises.items()]
    return []


def _written(results: Results) -> list[tuple[str, float]]:
    for outcome in results.students.values():
        return [(name, answer.max_score) for name, answer in outcome.written.items()]
    return []


def _row(student: str, full_name: str, outcome: StudentOutcome, link: Link) -> Row:
    marks = [
        Mark(exercise.score, exercise.max_score, exercise.status, _note(exercise), exercise.by_hand)
        for exercise in outcome.exercises.values()
    ]
    marks += [Mark(answer.score, answer.max_score) for answer in outcome.written.values()]
    return Row(
        student, full_name, outcome.status, outcome.score, outcome.max_score, outcome.penalty, marks, link(student)
    )


def _note(exercise: ExerciseOutcome) -> str:
    if exercise.misconception:
        return exercise.misconception
    failed = next((check for check in exercise.checks if not check.passed and not check.skipped), None)
    return exercise.reason or (f"{failed.name}: {failed.message}".rstrip(": ") if failed else "")


def _misconceptions(results: Results) -> Iterator[tuple[str, str, str]]:
    for outcome in results.students.values():
        for symbol, exercise in outcome.exercises.items():
            if exercise.misconception:
                yield symbol, exercise.misconception, exercise.hint


def _ended(results: Results) -> Iterator[Ended]:
    for student, outcome in results.students.items():
        if outcome.problem:
            yield Ended(student, "", outcome.status, outcome.problem)
            continue
        for symbol, exercise in outcome.exercises.items():
            if exercise.status != "graded":
                yield Ended(student, symbol, exercise.status, exercise.reason)
            elif exercise.reason:
                yield Ended(student, symbol, "an error was raised", exercise.reason)


def _waiting(results: Results) -> Iterator[Waiting]:
    for name, points in _written(results):
        students = [student for student, outcome in results.students.items() if outcome.written[name].score is None]
        if students:
            yield Waiting(name, points, students)


def _checks(results: Results) -> HeatMap:
    students = sorted(results.students.items(), key=lambda one: (-one[1].score, one[0]))
    exercises = [(symbol, _names_of_checks(results, symbol)) for symbol, _ in _exercises(results)]
    rows = [
        (student, [cell for symbol, names in exercises for cell in _cells(outcome.exercises[symbol], len(names))])
        for student, outcome in students
    ]
    return HeatMap(exercises, rows)


def _names_of_checks(results: Results, symbol: str) -> list[str]:
    """Returns the checks of an exercise; it has none in the results of who did not get that far."""
    most = max((outcome.exercises[symbol].checks for outcome in results.students.values()), key=len)
    return [check.name for check in most] or ["-"]


def _cells(exercise: ExerciseOutcome, count: int) -> list[Cell]:
    if len(exercise.checks) != count:
        return [Cell("ended", exercise.status, count)]
    return [cell(passed=check.passed, skipped=check.skipped) for check in exercise.checks]


def _change(before: Results, now: Results) -> Change:
    common = [student for student in now.students if student in before.students]
    changed = [_changed(student, before.students[student], now.students[student]) for student in common]
    return Change(
        conditions=[
            name for name in ("seed", "data", "profile", "trusted") if getattr(before, name) != getattr(now, name)
        ],
        common=len(common),
        before=statistics.fmean(before.students[student].score for student in common) if common else 0.0,
        now=statistics.fmean(now.students[student].score for student in common) if common else 0.0,
        changed=[one for one in changed if one.questions],
        added=[student for student in now.students if student not in before.students],
        gone=[student for student in before.students if student not in now.students],
    )


def _changed(student: str, before: StudentOutcome, now: StudentOutcome) -> Changed:
    was, is_ = _marks(before), _marks(now)
    questions = [f"{name} {was.get(name, '–')} → {mark}" for name, mark in is_.items() if was.get(name) != mark]
    return Changed(student, before.score, now.score, questions)


def _marks(outcome: StudentOutcome) -> dict[str, str]:
    every: dict[str, ExerciseOutcome | WrittenAnswer] = {**outcome.exercises, **outcome.written}
    marks = {name: "to mark" if one.score is None else number(one.score) for name, one in every.items()}
    return {**marks, "lost for being late": number(outcome.penalty)}
