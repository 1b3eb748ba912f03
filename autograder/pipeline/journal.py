"""Results of submissions as files, named by the hash of what determined them: journal and cache in one."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from autograder.pipeline.determinants import digest_for
from autograder.pipeline.grading import Graded
from autograder.pipeline.rebuild import RebuiltNotebook
from autograder.pipeline.settings import Settings

_GRADED = TypeAdapter(Graded)


def key(rebuilt: RebuiltNotebook, settings: Settings) -> str:
    """Returns the hash of everything that determines a submission's result."""
    submission = rebuilt.submission
    parts = [
        digest_for(submission.assignment), submission.student, submission.assignment, submission.problem,
        settings.seed, settings.data, settings.profile,
        str(settings.sandbox), repr(settings.limits),
    ]  # fmt: skip
    for cell in rebuilt.notebook.cells:
        parts += [
            cell.cell_type,
            cell.source,
            repr(sorted(cell.metadata.get("nbgrader", {}).items())),
        ]
    parts += [f"{name}={note}" for name, note in sorted(submission.notes.items())]
    parts += sorted(submission.answers)
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def key_of_part(whole: str, symbols: Sequence[str]) -> str:
    """Returns the hash of everything that determines the result of a part of a submission."""
    return hashlib.sha256("\x1f".join((whole, *symbols)).encode()).hexdigest()


def to_json(graded: Graded) -> bytes:
    """Returns a result as JSON."""
    return _GRADED.dump_json(graded)


def from_json(content: bytes) -> Graded:
    """Reads a result; raises `ValueError` if it is none."""
    return _GRADED.validate_json(content)


class Journal:
    """A folder of results."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self) -> None:
        """Forgets every result, and what runs that were killed had half written."""
        for path in [*self._folder.glob("*.json"), *self._folder.glob(".*.json.*")]:
            path.unlink()

    def recall(self, name: str) -> Graded | None:
        """Returns the result of that hash, or None; a damaged file counts as none."""
        try:
            return from_json((self._folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, name: str, graded: Graded) -> None:
        """Stores a result; readers never see half of one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self._folder / f"{name}.json", to_json(graded))

    def get(self, name: str, grade: Callable[[], Graded]) -> Graded:
        """Returns the result of that hash; grades if there is none yet."""
        graded = self.recall(name)
        if graded is None:
            graded = grade()
            self.keep(name, graded)
        return graded


def write_atomically(path: Path, content: bytes) -> None:
    """Writes a file in one step: it is the old one or the new one, never a part."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink()
        raise
