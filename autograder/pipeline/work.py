"""A piece of grading as a value that can travel: what it takes to grade a part of one submission, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import nbformat
from pydantic import TypeAdapter

from autograder.exercises import assignment
from autograder.pipeline import corpora
from autograder.pipeline.grading import Graded, grade_submission, unreadable
from autograder.pipeline.parts import Part, joined, parts_of
from autograder.pipeline.rebuild import RebuiltNotebook
from autograder.pipeline.settings import Settings
from autograder.pipeline.submission import Submission
from autograder.sandbox.kernels import shared_interpreter

Tell = Callable[[str], None]
"""Is told, in a line, how a training gets on."""


@dataclass(frozen=True)
class Work:
    """A part of one submission to grade.

    Attributes:
        rebuilt: the student's answers in the pristine notebook.
        settings: seed, data and limits.
        part: the exercises to judge.
    """

    rebuilt: RebuiltNotebook
    settings: Settings
    part: Part


@dataclass(frozen=True)
class Task:
    """Work to hand to a worker.

    Attributes:
        student: who handed in.
        key: the hash of everything that determines its result.
        packed: the work.
        gpu: whether a worker with a GPU is wanted, if there is one.
    """

    student: str
    key: str
    packed: bytes
    gpu: bool = False


@dataclass(frozen=True)
class _Packed:
    submission: Submission
    notebook: dict[str, Any]
    settings: Settings
    part: Part


_PACKED = TypeAdapter(_Packed)


def pack(work: Work) -> bytes:
    """Returns the work as JSON."""
    packed = _Packed(work.rebuilt.submission, work.rebuilt.notebook, work.settings, work.part)
    return _PACKED.dump_json(packed)


def unpack(content: bytes) -> Work:
    """Returns the work that was packed."""
    packed = _PACKED.validate_json(content)
    notebook: Any = nbformat.from_dict(packed.notebook)
    return Work(RebuiltNotebook(packed.submission, notebook), packed.settings, packed.part)


def do(work: Work, tell: Tell) -> Graded:
    """Grades a part of a submission in this process's own kernels.

    Raises:
        GradingError: our own cells failed.
        UsageError: a corpus cannot be had on this machine.
        WarmInterpreterError: no kernel could be had, or the walls cannot be raised on this machine.
    """
    settings, wanted = work.settings, assignment(work.rebuilt.submission.assignment)
    asked = [exercise for exercise in wanted.exercises if exercise.symbol in work.part.symbols]
    if any(check.data for exercise in asked for check in exercise.checks):
        corpora.check(settings)  # outside the time of an exercise, and only where it is needed
    return grade_submission(
        work.rebuilt,
        wanted,
        settings,
        shared_interpreter(walls=settings.sandbox, gpu=work.part.gpu),
        corpora.load(settings),
        tell,
        work.part.symbols,
    )


def do_all(rebuilt: RebuiltNotebook, settings: Settings, tell: Tell = lambda line: None) -> Graded:
    """Grades all parts of a submission, one after the other; see `do`."""
    wanted = assignment(rebuilt.submission.assignment)
    if rebuilt.submission.problem:
        return unreadable(rebuilt.submission, wanted)
    return joined(wanted, [do(Work(rebuilt, settings, part), tell) for part in parts_of(wanted, settings)])
