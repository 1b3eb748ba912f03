"""Whose a submitted file is: what learning platforms say by the names they give to downloaded files.

Moodle    `Ada Lovelace_12345_assignsubmission_file/NAME.ipynb`, in older releases with one more underscore at the
          folder's end; without folders, `Ada Lovelace_12345_assignsubmission_file_NAME.ipynb`. The number belongs to
          person and assignment. Anonymous submissions come from `Participant_12345`.
Canvas    `lovelaceada_123_456_NAME.ipynb`, late ones `lovelaceada_LATE_123_456_NAME.ipynb`: last name and first, the
          person's number, the file's number, which grows with time. Anonymous ones have `anon_Ab1cD` in the place of
          name and number.
Folders   `ada/NAME.ipynb`: a folder for each student, also within a folder that holds them all, or as in nbgrader
          `ada/ASSIGNMENT/NAME.ipynb`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nbgrader.plugins import FileNameCollectorPlugin

_SILENT = logging.Logger("platforms", logging.CRITICAL)
"""The plugin complains of every name that it cannot read; `collect` says so once, in a sentence."""

Platform = Literal["Moodle", "Canvas", "folders"]

_MOODLE = (
    r"(?:.*/)?(?P<student_id>[^/]+)_(?P<number>\d+)_assignsubmission_file(?:_?/(?:.*/)?|_)(?P<file_id>[^/]+)\.ipynb$"
)
_CANVAS = (
    r"(?:(?!(?:LATE_|late_)?anon_)(?P<student_id>[\w-]+?)_)?(?:(?P<late>LATE|late)_)?"
    r"(?P<number>anon_[^_/]+|\d+)_(?P<attempt>\d+)_(?P<file_id>[^/]+)\.ipynb$"
)
_FOLDERS = r"(?:.*/)?(?P<student_id>[^/]+)/(?P<file_id>[^/]+)\.ipynb$"


@dataclass(frozen=True)
class Label:
    """What a file's path says.

    Attributes:
        student: the name as the platform writes it; empty where it keeps it secret.
        number: the platform's number of the student, or empty.
        attempt: the later of a student's files has the larger one; 0 if the platform does not number them.
        late: the platform says so.
        file: the name that the student gave, without `.ipynb`.
    """

    student: str
    number: str
    attempt: int
    late: bool
    file: str


def labels(paths: Sequence[str], assignment: str) -> tuple[Platform, dict[str, Label]]:
    """Returns which platform named these notebooks, and what each path says; paths that say nothing are left out."""
    if moodle := _read(_MOODLE, paths):
        return "Moodle", moodle
    plain = _students_folders(paths, assignment)
    folders = {path: label for path in paths for label in _read(_FOLDERS, [plain[path]]).values()}
    canvas = _read(_CANVAS, paths)
    return ("Canvas", canvas) if len(canvas) > len(folders) else ("folders", folders)


def _read(pattern: str, paths: Sequence[str]) -> dict[str, Label]:
    """Applies a pattern in the way of `nbgrader zip_collect`."""
    plugin = FileNameCollectorPlugin(named_regexp=pattern, log=_SILENT)
    found = {path: plugin.collect(path) for path in paths}
    return {path: _label(groups) for path, groups in found.items() if groups}


def _label(groups: dict[str, str | None]) -> Label:
    return Label(
        student=" ".join((groups["student_id"] or "").split()),
        number=groups.get("number") or "",
        attempt=int(groups.get("attempt") or 0),
        late=bool(groups.get("late")),
        file=str(groups["file_id"]),
    )


def _students_folders(paths: Sequence[str], assignment: str) -> dict[str, str]:
    """Returns each path as `student/file`, without folders above and below."""
    firsts, seconds = ({tuple(path.split("/")[:depth]) for path in paths} for depth in (1, 2))
    deep = all(path.count("/") > 1 for path in paths)
    wrapped = deep and (firsts == {(assignment,)} or (len(firsts) == 1 and len(seconds) > 1))
    plain: dict[str, str] = {}
    for path in paths:
        *folders, file = path.split("/")
        if assignment in folders[1:]:
            folders = folders[folders.index(assignment, 1) - 1 :]
        elif wrapped:
            folders = folders[1:]
        plain[path] = "/".join((*folders[:1], file))
    return plain
