"""nbgrader's exchange with our rule of what travels: whole releases out, one notebook in, feedback to its author.

The course's `CourseDirectory.ignore` keeps the other files of a submission out of grading. nbgrader's own exchange
obeys it too, and would release empty folders.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import (
    ExchangeCollect,
    ExchangeReleaseAssignment,
    ExchangeReleaseFeedback,
)

_RECEIPT = ("timestamp.txt", "submission_secret.txt")
"""What nbgrader's submit puts beside a notebook; feedback finds its way back by it."""


class ReleaseAssignment(ExchangeReleaseAssignment):
    """Releases a folder as nbgrader would by default."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copies a release."""
        shutil.copytree(src, dest, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "*.pyc"))


class Collect(ExchangeCollect):
    """Takes a student's notebook and its receipt, and no link to some other file."""

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copies a submission."""
        course: Any = self.coursedir
        Path(dest).mkdir(parents=True)
        for name in (f"{course.assignment_id}.ipynb", *_RECEIPT):
            _copy_file(Path(src) / name, Path(dest))


class ReleaseFeedback(ExchangeReleaseFeedback):
    """Releases feedback to those who handed in through the exchange."""

    def copy_files(self) -> None:
        """Lays the receipts beside the pages, where nbgrader looks for them; names who has none."""
        course: Any = self.coursedir
        name: str = course.assignment_id
        others: list[str] = []
        for folder in sorted(Path(course.feedback_directory).glob(f"*/{name}")):
            student = folder.parent.name
            submitted = Path(course.submitted_directory, student, name)
            for file in _RECEIPT:
                _copy_file(submitted / file, folder)
            if not all((folder / file).is_file() for file in _RECEIPT):
                others.append(student)
        if others:
            self.log.warning(
                "Not handed in through the exchange, so their pages in %s are yours to hand out: %s",
                course.feedback_directory,
                ", ".join(others),
            )
        course.student_id_exclude = ",".join(others)
        try:
            super().copy_files()
        finally:
            course.student_id_exclude = ""


def _copy_file(source: Path, folder: Path) -> None:
    """Copies a plain file that is there; a link could lead to a file of the instructor's."""
    if source.is_file() and not source.is_symlink():
        shutil.copy(source, folder)
