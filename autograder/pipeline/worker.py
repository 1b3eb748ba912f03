"""What runs on a Dask worker: it takes bytes, gives bytes, and knows nothing of a course, a class or a gradebook."""

from __future__ import annotations

from distributed import get_worker

from autograder.pipeline.determinants import grader_digest
from autograder.pipeline.grading import GradingError
from autograder.pipeline.journal import to_json
from autograder.pipeline.settings import UsageError
from autograder.pipeline.work import do, unpack
from autograder.sandbox.kernels import WarmInterpreterError


class WorkerError(Exception):
    """A worker cannot do what it was asked; the message names the worker, the reason and what to do."""


def grade_on_worker(digest: str, packed: bytes, topic: str) -> bytes:
    """Grades a part of a submission.

    Args:
        digest: of the grader that asks, which must be the grader here.
        packed: the work.
        topic: where to log, in lines, how a training gets on.

    Raises:
        WorkerError: this worker cannot grade.
    """
    worker = get_worker()
    if digest != grader_digest():
        raise WorkerError(
            f"The worker {worker.address} has another version of the grader ({grader_digest()[:8]}) than the one that "
            f"asks ({digest[:8]}): install the same commit with the same packages there, and start it again."
        )
    work = unpack(packed)
    student = work.rebuilt.submission.student
    try:
        return to_json(do(work, lambda line: worker.log_event(topic, f"{student}, {line}")))
    except (GradingError, UsageError, WarmInterpreterError) as error:
        raise WorkerError(f"The worker {worker.address} cannot grade: {error}") from error
