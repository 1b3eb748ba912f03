"""What was entered for whom, so that it is not entered again: a file with a line for each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from autograder.pipeline.journal import write_atomically


@dataclass(frozen=True)
class Entered:
    """What was entered for a student, as fingerprints.

    Attributes:
        marks: of what the marks in the gradebook follow from.
        page: of what the feedback page follows from.
        handed_in: of the student's file; empty where an earlier version did not note it.
    """

    marks: str
    page: str
    handed_in: str = ""


_LINE = TypeAdapter(tuple[str, Entered])


class Ledger:
    """By student, what was entered last.

    A line is written after the fact. So a run that is killed may enter something again, but never leaves it out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, Entered] = {}
        lines = path.read_bytes().splitlines() if path.is_file() else []
        for line in lines:
            try:
                student, entered = _LINE.validate_json(line)
            except ValueError:
                continue  # cut off when a run was killed
            self._known[student] = entered
        if len(lines) > 2 * len(self._known):
            write_atomically(path, _lines(self._known))

    def last(self, student: str) -> Entered | None:
        """Returns what was entered last, or None."""
        return self._known.get(student)

    def note(self, entered: Mapping[str, Entered]) -> None:
        """Notes what has just been entered."""
        self._known.update(entered)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(b"\n" + _lines(entered))  # apart from what a killed run may have left

    def clear(self) -> None:
        """Forgets what was entered, though not for which files."""
        self._known = {student: Entered("", "", entered.handed_in) for student, entered in self._known.items()}
        if self._path.is_file():
            write_atomically(self._path, _lines(self._known))


def _lines(entered: Mapping[str, Entered]) -> bytes:
    return b"".join(_LINE.dump_json(item) + b"\n" for item in entered.items())
