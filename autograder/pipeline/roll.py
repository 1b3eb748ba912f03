"""The roll of a class: whose result is there, and who is still to be graded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.exercises import assignment
from autograder.pipeline.grading import Graded, GradingError, unreadable
from autograder.pipeline.journal import Journal, key, key_of_part
from autograder.pipeline.parts import joined, parts_of
from autograder.pipeline.rebuild import RebuiltNotebook
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import SourceNotebook
from autograder.pipeline.stages import rebuilt_from
from autograder.pipeline.standing import Audience, Standing
from autograder.pipeline.work import Task, Work, pack

if TYPE_CHECKING:
    from autograder.pipeline.cluster import Cluster


class Roll:
    """The submissions of an assignment and their results, which lie in a journal and not in memory.

    Args:
        source: the assignment's notebook.
        submitted: folder with `<student>/<assignment>/<assignment>.ipynb`.
        settings: seed, data and limits.
        journal: where results are, and go.
        audience: whoever waits.

    Attributes:
        students: all of them.
        left: whose result was not there when the roll was called.
        given_up: those of them whose workers were killed too often.
        changed: who handed in something else after the roll was called.
        standing: how far it has got.
        parts: tasks that a submission is graded in.
    """

    def __init__(
        self, source: SourceNotebook, submitted: Path, settings: Settings, journal: Journal, audience: Audience
    ) -> None:
        self._source = source
        self._submitted = submitted
        self._settings = settings
        self._journal = journal
        self._audience = audience
        self._assignment = assignment(source.name)
        self._parts = parts_of(self._assignment, settings)
        self.parts = len(self._parts)
        self._keys: dict[str, str] = {}
        self._handed_in: dict[str, str] = {}
        self.students: Sequence[str] = ()
        self.left: list[str] = []
        self.given_up: list[str] = []
        self.changed: list[str] = []
        self.standing = Standing(0)
        self._entering_since = 0.0

    def call(self, students: Sequence[str]) -> None:
        """Reads every submission, and finds out whose result is there."""
        self.students = students
        self.standing = Standing(len(students))
        for student in students:
            rebuilt = self._rebuilt(student)
            self._keys[student] = self._key(rebuilt)
            self._handed_in[student] = rebuilt.submission.problem or _digest(self.path(student))
            graded = self._recalled(student)
            if graded is None and rebuilt.submission.problem:
                graded = unreadable(rebuilt.submission, self._assignment)
                self._journal.keep(self._keys[student], graded)
            if graded is None:
                self.left.append(student)
            else:
                self._count(graded, kept=True)
        self._audience.show(self.standing)

    def path(self, student: str) -> Path:
        """Returns where a student's notebook is."""
        return self._submitted / student / self._source.name / f"{self._source.name}.ipynb"

    @property
    def graded(self) -> list[str]:
        """The students whose result is there, for the file that is there."""
        without = {*self.given_up, *self.changed}
        return [student for student in self.students if student not in without]

    def is_there(self, student: str) -> bool:
        """Tells whether there is a file of a student's, readable or not."""
        try:
            return self.path(student).is_file()
        except OSError:  # in a folder that nobody may look into
            return False

    def still(self, students: Sequence[str]) -> list[str]:
        """Returns those whose file is the one that the roll was called for, and notes who changed it."""
        changed = [student for student in students if self._key(self._rebuilt(student)) != self._keys[student]]
        self.changed += [student for student in changed if student not in self.changed]
        return [student for student in students if student not in changed]

    def key(self, student: str) -> str:
        """Returns the hash of everything that determines a student's result."""
        return self._keys[student]

    def handed_in(self, student: str) -> str:
        """Returns the hash of a student's file, or why it cannot be read."""
        return self._handed_in[student]

    def show_entered(self, count: int) -> None:
        """Shows that so many results are entered into the gradebook."""
        if self.standing.entered is None:
            self._entering_since = time.monotonic()
            self.standing = replace(self.standing, entered_earlier=count)
        seconds = time.monotonic() - self._entering_since
        self.standing = replace(self.standing, entered=count, entering_seconds=seconds)
        self._audience.show(self.standing)

    def result(self, student: str) -> Graded:
        """Returns a student's result.

        Raises:
            GradingError: somebody took it away.
        """
        if (graded := self._journal.recall(self._keys[student])) is None:
            raise GradingError(f"the journal has lost the result of {student}: run the same command again.")
        return graded

    def grade(self, cluster: Cluster) -> None:
        """Has the submissions that are left graded.

        Raises:
            ClusterError, WorkerError: it cannot go on; what was graded is in the journal.
        """
        started = time.monotonic()
        waiting = set(self.left)
        for task, graded in cluster.results(self._tasks(), self._audience.tell):
            if graded is None:
                if task.student not in self.given_up:
                    self.given_up.append(task.student)
                continue
            self._journal.keep(task.key, graded)
            if task.student in waiting and (whole := self._recalled(task.student)) is not None:
                waiting.remove(task.student)
                self.standing = replace(self.standing, seconds=time.monotonic() - started)
                self._count(whole)
                self._audience.show(self.standing)

    def _key(self, rebuilt: RebuiltNotebook) -> str:
        return key(rebuilt, self._settings)

    def _rebuilt(self, student: str) -> RebuiltNotebook:
        return rebuilt_from(self._source, student, self.path(student), self._settings)

    def _keys_of_parts(self, student: str) -> list[str]:
        whole = self._keys[student]
        return [whole] if len(self._parts) == 1 else [key_of_part(whole, part.symbols) for part in self._parts]

    def _recalled(self, student: str) -> Graded | None:
        """Returns the result that is there, put together from those of its parts if need be."""
        whole = self._keys[student]
        graded = self._journal.recall(whole)
        if graded is not None or len(self._parts) == 1:
            return graded
        parts = [graded for part in self._keys_of_parts(student) if (graded := self._journal.recall(part)) is not None]
        if len(parts) < len(self._parts):
            return None
        graded = joined(self._assignment, parts)
        self._journal.keep(whole, graded)
        return graded

    def _tasks(self) -> Iterator[Task]:
        for student in self.left:
            rebuilt = self._rebuilt(student)
            if self._key(rebuilt) != self._keys[student]:
                self.changed.append(student)
                continue
            for part, name in zip(self._parts, self._keys_of_parts(student), strict=True):
                if self._journal.recall(name) is None:
                    yield Task(student, name, pack(Work(rebuilt, self._settings, part)), gpu=part.gpu)

    def _count(self, graded: Graded, *, kept: bool = False) -> None:
        now = self.standing
        self.standing = replace(
            now,
            kept=now.kept + kept,
            graded=now.graded + (not kept),
            failed=now.failed + (graded.status != "graded"),
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
