"""Grade a class: submissions on many workers, one writer for gradebook, pages and results."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from traitlets.config import Config

from autograder.exercises import NAMES, assignment
from autograder.pipeline import corpora, gradebook
from autograder.pipeline.changes import Change, announced, changes
from autograder.pipeline.entering import Entering
from autograder.pipeline.gradebook import Entry, entries
from autograder.pipeline.grading import GradingError
from autograder.pipeline.journal import Journal
from autograder.pipeline.ledger import Ledger
from autograder.pipeline.nbgrader_stages import course_config, logged_to, register_changed
from autograder.pipeline.results import (
    Results,
    StudentOutcome,
    fingerprint,
    keep_previous,
    read_results,
    student_outcome,
    write_results,
)
from autograder.pipeline.roll import Roll
from autograder.pipeline.settings import Settings, UsageError
from autograder.pipeline.source import complete, read_source
from autograder.pipeline.stages import configure
from autograder.pipeline.standing import NOBODY, Audience
from autograder.pipeline.workers import Workers
from autograder.sandbox.wire import readable


@dataclass(frozen=True)
class Class:
    """What to grade and where the results go.

    Attributes:
        course: the course folder.
        submitted: folder with `<student>/<assignment>/<assignment>.ipynb`.
        out: folder for the gradebook, graded notebooks, feedback, journal and results.
        settings: seed, data, limits.
        jobs: workers on this machine; None for as many as it has cores and memory for.
        scheduler: address of the Dask scheduler whose workers grade; empty for workers on this machine.
        db_url: where the gradebook is; empty for what course.toml says, else `gradebook.db` in `out`.
    """

    course: Path
    submitted: Path
    out: Path
    settings: Settings
    jobs: int | None = None
    scheduler: str = ""
    db_url: str = ""


def students_of(group: Class, name: str, wanted: Sequence[str] = ()) -> list[str]:
    """Returns the students to grade, sorted.

    Raises:
        UsageError: there is no such assignment, folder or student.
    """
    if name not in NAMES:
        raise UsageError(f"There is no assignment {name!r}; there are {', '.join(NAMES)}.")
    if not group.submitted.is_dir():
        raise UsageError(
            f"{group.submitted} is not a folder: put submissions there as "
            f"STUDENT/{name}/{name}.ipynb, or name another folder with --submitted."
        )
    students = sorted(
        folder.name for folder in group.submitted.iterdir() if folder.is_dir() and not folder.name.startswith(".")
    )
    if unreadable := [student for student in students if readable(student) != student or not student.isprintable()]:
        named = ", ".join(map(ascii, unreadable[:3]))
        raise UsageError(f"{group.submitted} has folders whose names cannot be written into pages: rename {named}.")
    if unknown := sorted(set(wanted) - set(students)):
        raise UsageError(f"{group.submitted} has no folder for {', '.join(unknown)}.")
    students = [student for student in students if not wanted or student in wanted]
    if not students:
        raise UsageError(f"{group.submitted} holds no submission: expected STUDENT/{name}/{name}.ipynb in it.")
    return students


def forget(out: Path, names: Sequence[str]) -> None:
    """Forgets the results of every assignment, and that those of these were entered."""
    with writing_to(out):
        Journal(out / "journal").clear()
        for name in names:
            _ledger(out, name).clear()


def _ledger(out: Path, name: str) -> Ledger:
    return Ledger(out / name / "entered.jsonl")


def workers_of(group: Class) -> Workers:
    """Returns the workers that grade a class."""
    return Workers(group.settings, group.out / "workers.log", group.jobs, group.scheduler)


def grade_class(
    group: Class,
    name: str,
    students: Sequence[str],
    audience: Audience = NOBODY,
    workers: Workers | None = None,
) -> Results:
    """Grades an assignment of a class and writes everything that is to be written.

    Who gets other marks for the same notebook is announced before they are written.

    Args:
        group: what and where.
        name: of the assignment.
        students: whom.
        audience: whoever waits.
        workers: who grades; by default those of the class, for this assignment only.

    Returns:
        What was written to `OUT/<assignment>/results.json`.

    Raises:
        UsageError: something the user can mend.
        ClusterError, WorkerError: submissions could not be graded.
        GradebookError, StageError: marks could not be entered.
        Stopped: Ctrl-C.
    """
    with _graded(group, name, students, audience, workers) as graded:
        for line in announced(graded.changes()):
            audience.announce(f"{name}: {line}")
        return _results(group, name, graded.roll, graded.enter(), audience)


def preview_class(
    group: Class,
    name: str,
    students: Sequence[str],
    audience: Audience = NOBODY,
    workers: Workers | None = None,
) -> list[Change]:
    """Grades an assignment of a class, and writes no mark: the results wait in the journal.

    Args and errors are those of `grade_class`.

    Returns:
        Whose marks `grade_class` would change.
    """
    with _graded(group, name, students, audience, workers) as graded:
        return graded.changes()


@dataclass(frozen=True)
class _Graded:
    """A roll whose results are in the journal, and where they are to be entered."""

    config: Config
    name: str
    out: Path
    roll: Roll
    ledger: Ledger
    rules: str

    def changes(self) -> list[Change]:
        return changes(self.name, self.roll, entries(self.config.CourseDirectory.db_url, self.name), self.ledger)

    def enter(self) -> dict[str, Entry]:
        gradebook.index(self.config.CourseDirectory.db_url)
        register_changed(self.config, self.name, self.out)
        entering = Entering(self.config, self.name, self.roll, self.out, self.ledger, self.rules)
        return entering.enter(self.roll.show_entered)


@contextmanager
def _graded(
    group: Class, name: str, students: Sequence[str], audience: Audience, workers: Workers | None
) -> Generator[_Graded]:
    if not group.scheduler:
        corpora.check(group.settings)
    with (
        contextlib.nullcontext(workers) if workers else workers_of(group) as workers,
        writing_to(group.out),
        logged_to(group.out / "nbgrader.log"),
    ):
        roll = Roll(
            complete(read_source(group.course, name), assignment(name)),
            group.submitted,
            group.settings,
            Journal(group.out / "journal"),
            audience,
        )
        try:
            roll.call(students)
            config = course_config(group.course)
            rules = repr(config)
            configure(
                config,
                group.course,
                out=group.out,
                submitted=group.submitted,
                settings=group.settings,
                db_url=group.db_url,
            )
            gradebook.check(config.CourseDirectory.db_url)
            if roll.left:
                roll.grade(workers.wanted(len(roll.left) * roll.parts, audience))
            with gradebook.explained(config.CourseDirectory.db_url):
                yield _Graded(config, name, group.out, roll, _ledger(group.out, name), rules)
        except KeyboardInterrupt:
            raise Stopped(str(roll.standing)) from None
        if roll.changed:
            raise GradingError(
                f"{', '.join(roll.changed)}: handed in again while the class was graded, so that nothing was entered. "
                "The others are graded: run the same command again for these."
            )
        if roll.given_up:
            raise GradingError(
                f"{', '.join(roll.given_up)}: not graded, since every worker that tried was killed. The others are "
                "graded. Is memory short? Run the same command again with fewer --jobs, or without these --students."
            )


class Stopped(Exception):
    """Somebody pressed Ctrl-C; the message says how far it had got."""


def _results(group: Class, name: str, roll: Roll, entries: Mapping[str, Entry], audience: Audience) -> Results:
    """Writes results.json."""
    results = Results(
        assignment=name,
        profile=group.settings.profile,
        data=group.settings.data,
        trusted=group.settings.sandbox,
        seed=fingerprint(group.settings),
        students={
            student: student_outcome(roll.result(student), entries[student], assignment(name).written)
            for student in roll.graded
        },
    )
    path = group.out / name / "results.json"
    results = _with_others(path, results, audience)
    keep_previous(path)
    write_results(path, results)
    return results


def _with_others(path: Path, results: Results, audience: Audience) -> Results:
    """Returns the results with those of students whom this run did not grade, from the file that is there."""
    if not path.exists():
        return results
    try:
        before = read_results(path)
    except UsageError as error:
        audience.announce(f"The results of those who were not graded now are left out: {error}")
        return results
    others = {student: one for student, one in before.students.items() if student not in results.students}
    same = {"seed", "data", "profile", "trusted"}
    if before.model_dump(include=same) != results.model_dump(include=same):
        kept: dict[str, StudentOutcome] = {}
    else:
        questions = {_questions(one) for one in results.students.values()}
        kept = {student: one for student, one in others.items() if not questions or _questions(one) in questions}
    if left := [student for student in others if student not in kept]:
        audience.announce(
            f"{results.assignment}: left out of results.json until they are graded again, since their results are for "
            f"other questions, data or another seed: {', '.join(left[:20])}" + (" and others" if left[20:] else "")
        )
    return results.model_copy(update={"students": dict(sorted({**kept, **results.students}.items()))})


def _questions(outcome: StudentOutcome) -> tuple[str, ...]:
    return (*outcome.exercises, *outcome.written)


@contextmanager
def writing_to(out: Path) -> Generator[None]:
    """Holds the right to write to a results folder.

    Raises:
        UsageError: it can't be written to, or another grading is at work in it.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = os.open(out / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise UsageError(f"{out} cannot be written to ({error.strerror}): name another folder with --out.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise UsageError(
            f"Another grading is writing to {out}: wait for it to end, or name another folder with --out."
        ) from None
    try:
        yield
    finally:
        os.close(handle)
