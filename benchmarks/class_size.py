"""What a class costs as it grows: real submissions on one worker and on two, then all but the student's work.

    .venv/bin/python -m benchmarks.class_size --submissions 20 --submissions 200
    .venv/bin/python -m benchmarks.class_size --submissions 1000 --jobs 2
    .venv/bin/python -m benchmarks.class_size --constant 1000 --constant 10000
    .venv/bin/python -m benchmarks.class_size --constant 100000 --preview

In the last two cases workers answer at once with the same result, so that what remains is ours: to read, pack, schedule
and fetch, to write the journal, the gradebook, the pages and results.json. Every measurement is kept in
docs/benchmarks/class_size.json; the page is made from all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import psutil

from autograder.checking import CheckResult, Report
from autograder.exercises import assignment
from autograder.pipeline.classroom import Class, grade_class, preview_class
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import to_json
from autograder.pipeline.results import StudentOutcome
from autograder.pipeline.settings import read_settings
from autograder.pipeline.simulate import Handed, simulated_class
from autograder.pipeline.source import read_source
from autograder.pipeline.standing import Audience, Standing
from autograder.pipeline.workers import Workers
from autograder.sandbox.session import Output
from benchmarks.machine import idle_load
from tests.hostile.attackers import NAME, attack, handed_in, put

if TYPE_CHECKING:
    from autograder.pipeline.cluster import Cluster

COURSE = Path(__file__).resolve().parent.parent
OUT = COURSE / "docs" / "benchmarks"
HOSTILE = ("exits", "forger", "patches", "surrogates", "writer")
"""Attacks that end at once; tests/hostile has those that last until they are stopped."""


def resident() -> float:
    """Returns the memory of this process, which coordinates, in MB."""
    return psutil.Process().memory_info().rss / 2**20


def mixed() -> list[Handed]:
    """Returns a class of every kind: right, wrong, blank, crashing, hanging and hostile."""
    source, alternatives = read_source(COURSE, NAME), COURSE / "tests" / "alternatives"
    honest = simulated_class(source, assignment(NAME), alternatives=alternatives)
    return [*honest, *(Handed(name, attack(source, name), None) for name in HOSTILE)]


def loses(outcome: StudentOutcome, symbols: frozenset[str] | None) -> bool:
    """Tells whether marks are lost where they should be and nowhere else; None stands for everything."""
    lost = {symbol for symbol, exercise in outcome.exercises.items() if exercise.score < exercise.max_score}
    if symbols is None:
        return lost == set(outcome.exercises) and not any(one.score for one in outcome.exercises.values())
    return lost == symbols


def real(submissions: int, jobs: int) -> dict[str, Any]:
    """Grades a mixed class and enters it, on so many workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected: dict[str, frozenset[str] | None] = {}
        for number, one in zip(range(submissions), itertools.cycle(mixed())):
            student = f"{number:05}-{one.student}"
            expected[student] = one.symbols
            put(folder / "submitted", student, one.notebook)
        seen: list[tuple[float, float]] = []

        def show(standing: Standing) -> None:
            if standing.graded and standing.entered is None:
                seen.append((standing.seconds, resident()))

        load, started = idle_load(), time.monotonic()
        group = Class(COURSE, folder / "submitted", folder / "out", read_settings(COURSE), jobs)
        results = grade_class(group, NAME, list(expected), Audience(show))
        wall = time.monotonic() - started
    return {
        "submissions": submissions,
        "jobs": jobs,
        "busy cores before": load,
        "graded": seen[-1][0],
        "wall": wall,
        "memory": [seen[0][1], seen[len(seen) // 2][1], seen[-1][1]],
        "as expected": sum(loses(results.students[student], lost) for student, lost in expected.items()),
    }


@cache
def _result() -> bytes:
    reports = {
        exercise.symbol: Report(
            exercise.symbol,
            exercise.points,
            tuple(
                CheckResult(check.name, check.points, check.cost, check.points, True, hint=check.hint)
                for check in exercise.checks
            ),
            seconds=0.1,
        )
        for exercise in assignment(NAME).exercises
    }
    outputs = {symbol: Output(text="what a cell printed\n" * 10) for symbol in reports}
    return to_json(Graded("student", NAME, reports, outputs, seconds=0.5))


def at_once(digest: str, packed: bytes, topic: str) -> bytes:
    """Takes the place of grading on a worker."""
    return _result()


class _AtOnce(Workers):
    """Workers that answer at once."""

    def wanted(self, tasks: int, audience: Audience) -> Cluster:
        from benchmarks import class_size  # workers find the function there, and not in __main__

        cluster = super().wanted(tasks, audience)
        cluster.grade = class_size.at_once
        return cluster


@dataclass
class _Seen:
    """When how many submissions were graded and entered, and the memory then."""

    started: float
    graded: list[tuple[int, float]]
    entered: list[tuple[int, float]]
    memory: list[float]

    def show(self, standing: Standing) -> None:
        now = time.monotonic() - self.started
        if standing.entered is None:
            self.graded.append((standing.done, now))
        else:
            self.entered.append((standing.entered, now))
        self.memory.append(resident())


def _rates(seen: Sequence[tuple[int, float]]) -> list[float]:
    """Returns how many there were in a second of the first tenth, and of the last."""
    (begin, started), (total, ended) = seen[0], seen[-1]
    first, first_ended = next(one for one in seen if one[0] >= begin + (total - begin) / 10)
    last, last_started = next(one for one in reversed(seen) if one[0] <= begin + (total - begin) * 9 / 10)
    return [(first - begin) / (first_ended - started), (total - last) / (ended - last_started)]


def constant(submissions: int, *, entered: bool) -> dict[str, Any]:
    """Grades a class by workers that answer at once; enters the marks into the gradebook, or previews them only."""
    source, settings = read_source(COURSE, NAME), read_settings(COURSE)
    text = nbformat.writes(handed_in(source, {}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        students = [f"student{number:06}" for number in range(submissions)]
        for student in students:
            put(folder / "submitted", student, text)
        load, seen = idle_load(), _Seen(time.monotonic(), [], [], [])
        group = Class(COURSE, folder / "submitted", folder / "out", settings)
        with _AtOnce(settings, folder / "log", 2, "") as workers:
            grade = grade_class if entered else preview_class
            grade(group, NAME, students, Audience(seen.show), workers)
        wall = time.monotonic() - seen.started
    found: dict[str, Any] = {
        "submissions": submissions,
        "busy cores before": load,
        "read": [submissions / seen.graded[0][1]],
        "graded": _rates(seen.graded[1:]),
        "memory": [seen.memory[0], seen.memory[len(seen.graded) - 1], resident()],
    }
    if entered:
        found["entered"] = _rates(seen.entered)
        found["published"] = [submissions / (wall - seen.entered[-1][1])]
    return found


_REAL = """# What a class costs as it grows

`{name}`, {cores} cores. How many of them were busy with other things stands in the last column: the times are worth no
more than that. Made by `.venv/bin/python -m benchmarks.class_size`, with the numbers of submissions as options.

## Real submissions

Right, wrong, blank, crashing, hanging and hostile ones in turn. *Graded*: from the first worker to the last result. *In
all*: with what one process does before and after, which is nbgrader's gradebook, feedback pages and results.json. *As
expected*: marks are lost where they should be and nowhere else.

| submissions | workers | graded, s each | in all, s each | coordinator's MB: first, middle, last | as expected | busy |
|---:|---:|---:|---:|---:|---:|---:|
"""

_CONSTANT = """
## All but the student's work

Two workers that answer at once. *Read*: every notebook read, laid into the released one, looked up in the journal.
*Graded*: packed, sent, fetched and kept in the journal. *Entered*: nbgrader's gradebook, the graded notebook and the
feedback page. *Published*: results.json. *First, last*: tenth of the class; where they are alike, cost is level.
Memory: of the process that coordinates, when all are read, when all are graded, and in the end; 10,000 began where
1,000 had ended.

| submissions | read / s | graded / s: first, last | entered / s: first, last | published / s | memory, MB | busy |
|---:|---:|---:|---:|---:|---:|---:|
"""


def page(kept: dict[str, list[dict[str, Any]]]) -> str:
    """Returns the tables in Markdown."""
    text = _REAL.format(name=NAME, cores=psutil.cpu_count())
    for one in kept["real"]:
        count, busy = one["submissions"], one["busy cores before"]
        each = f"{one['graded'] / count:.2f} | {one['wall'] / count:.2f}"
        memory = ", ".join(f"{megabytes:.0f}" for megabytes in one["memory"])
        text += f"| {count:,} | {one['jobs']} | {each} | {memory} | {one['as expected']:,} | {busy:.1f} |\n"
    text += _CONSTANT
    for one in kept["constant"]:
        rates = " | ".join(
            ", ".join(f"{rate:.0f}" for rate in one[name]) if name in one else "not"
            for name in ("read", "graded", "entered", "published")
        )
        memory = ", ".join(f"{megabytes:.0f}" for megabytes in one["memory"])
        text += f"| {one['submissions']:,} | {rates} | {memory} | {one['busy cores before']:.1f} |\n"
    return text


def main() -> None:
    """Measures, and writes the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--submissions", type=int, action="append", default=[])
    arguments.add_argument("--jobs", type=int, action="append", help="default: 1, then 2")
    arguments.add_argument("--constant", type=int, action="append", default=[])
    arguments.add_argument("--preview", action="store_true", help="the constant ones are graded, not entered")
    options = arguments.parse_args()
    path = OUT / "class_size.json"
    kept: dict[str, list[dict[str, Any]]] = {"real": [], "constant": []}
    if path.exists():
        kept = json.loads(path.read_text())

    def place(one: dict[str, Any]) -> tuple[int, int]:
        return one["submissions"], one.get("jobs", 0)

    def keep(kind: str, found: dict[str, Any]) -> None:
        print(kind, found, flush=True)
        kept[kind] = sorted([found, *(one for one in kept[kind] if place(one) != place(found))], key=place)
        path.write_text(json.dumps(kept, indent=1) + "\n")
        (OUT / "class_size.md").write_text(page(kept))

    for submissions in options.submissions:
        for jobs in options.jobs or (1, 2):
            keep("real", real(submissions, jobs))
    for submissions in options.constant:
        keep("constant", constant(submissions, entered=not options.preview))


if __name__ == "__main__":
    main()
