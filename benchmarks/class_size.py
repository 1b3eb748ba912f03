"""What a class costs as it grows: real submissions on one worker and on two, then all but the student's work.

    .venv/bin/python -m benchmarks.class_size --submissions 20 --submissions 200
    .venv/bin/python -m benchmarks.class_size --submissions 1000 --jobs 2
    .venv/bin/python -m benchmarks.class_size --constant 1000 --constant 10000 --constant 100000

In the second case workers answer at once with the same result, so that what remains is ours: to pack, schedule, fetch,
write the journal and results.json. Every measurement is kept in docs/benchmarks/class_size.json; the page is made from
all of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from autograder.checking import CheckResult, Report
from autograder.exercises import assignment
from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import Journal, to_json
from autograder.pipeline.local_cluster import local_cluster
from autograder.pipeline.parts import parts_of
from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.results import Results, StudentOutcome, student_outcome, write_results
from autograder.pipeline.settings import read_settings
from autograder.pipeline.simulate import Handed, simulated_class
from autograder.pipeline.source import grade_id, is_solution, read_source
from autograder.pipeline.standing import Audience, Standing
from autograder.pipeline.submission import answers
from autograder.pipeline.work import Task, Work, pack
from autograder.sandbox.session import Output
from benchmarks.machine import idle_load
from tests.hostile.attackers import NAME, attack, put

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


def constant(submissions: int) -> dict[str, Any]:
    """Has so many results that cost nothing scheduled, fetched, kept and published."""
    from benchmarks import class_size  # workers find the function there, and not in __main__

    source, settings = read_source(COURSE, NAME), read_settings(COURSE)
    notebook = template(source)
    for cell in notebook.cells:
        if is_solution(cell) and cell.cell_type == "code":
            cell.source = source.solutions[str(grade_id(cell))]
    (part,) = parts_of(assignment(NAME), settings)
    rebuilt = rebuild(answers("student", notebook, template(source), NAME, settings.limits), template(source))

    def tasks() -> Iterator[Task]:
        for number in range(submissions):
            yield Task(f"student{number}", f"{number:064}", pack(Work(rebuilt, settings, part)))

    with tempfile.TemporaryDirectory() as name:
        folder, load = Path(name), idle_load()
        journal, kept = Journal(folder / "journal"), list[str]()
        with local_cluster(2, folder / "log") as cluster:
            cluster.grade = class_size.at_once
            cluster.grow(2)
            results = cluster.results(tasks(), print)
            for task, graded in itertools.islice(results, 1):
                assert graded is not None
                started, memory = time.monotonic(), resident()
                journal.keep(task.key, graded)
            for task, graded in results:
                assert graded is not None
                journal.keep(task.key, graded)
                kept.append(task.key)
            scheduled, memory_end = time.monotonic() - started, resident()
        started = time.monotonic()
        outcomes = {key: student_outcome(graded, {}) for key in kept if (graded := journal.recall(key)) is not None}
        write_results(
            folder / "results.json",
            Results(assignment=NAME, profile="cpu", data="generated", trusted=True, seed="0", students=outcomes),
        )
        published = time.monotonic() - started
    return {
        "submissions": submissions,
        "busy cores before": load,
        "scheduled": scheduled,
        "published": published,
        "memory": [memory, memory_end],
        "memory with results.json": resident(),
    }


_REAL = """# What a class costs as it grows

`{name}`, {cores} cores. How many of them were busy with other things stands in the last column: the times are worth no
more than that. Made by `.venv/bin/python -m benchmarks.class_size`.

## Real submissions

Right, wrong, blank, crashing, hanging and hostile ones in turn. *Graded*: from the first worker to the last result. *In
all*: with what one process does before and after, which is nbgrader's gradebook, feedback pages and results.json. *As
expected*: marks are lost where they should be and nowhere else.

| submissions | workers | graded, s each | in all, s each | coordinator's MB: first, middle, last | as expected | busy |
|---:|---:|---:|---:|---:|---:|---:|
"""

_CONSTANT = """
## All but the student's work

Two workers that answer at once. *Scheduled*: packed, sent, fetched and kept in the journal. *Published*: read from the
journal and written to results.json.

| submissions | scheduled a second | published a second | memory, MB, first and last result | with results.json | busy |
|---:|---:|---:|---:|---:|---:|
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
        count, (first, last), busy = one["submissions"], one["memory"], one["busy cores before"]
        rates = f"{count / one['scheduled']:.0f} | {count / one['published']:.0f}"
        memory = f"{first:.0f}, {last:.0f} | {one['memory with results.json']:.0f}"
        text += f"| {count:,} | {rates} | {memory} | {busy:.1f} |\n"
    return text


def main() -> None:
    """Measures, and writes the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--submissions", type=int, action="append", default=[])
    arguments.add_argument("--jobs", type=int, action="append", help="default: 1, then 2")
    arguments.add_argument("--constant", type=int, action="append", default=[])
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
        keep("constant", constant(submissions))


if __name__ == "__main__":
    main()
