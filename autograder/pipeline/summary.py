"""The overview of a class, written from its results."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from autograder.pipeline.anonymous import pseudonyms, renamed
from autograder.pipeline.gradebook import check
from autograder.pipeline.journal import write_atomically
from autograder.pipeline.results import Results, previous_results, read_results
from autograder.pipeline.roster import names
from autograder.pipeline.sections import section
from autograder.pipeline.settings import UsageError
from autograder.pipeline.stages import gradebook_url
from autograder.report.overview import Section, page, relative


def write_overview(out: Path, title: str, db_url: str = "") -> Path:
    """Writes `OUT/overview.html` about every assignment graded there and returns its path; see `overview`."""
    path = out / "overview.html"
    write_atomically(path, overview(title, graded_in(out), out, db_url).encode())
    return path


def graded_in(out: Path) -> list[Path]:
    """Returns the results of every assignment graded into a folder.

    Raises:
        UsageError: there are none.
    """
    paths = sorted(out.glob("*/results.json"))
    if not paths:
        raise UsageError(f"{out} holds no ASSIGNMENT/results.json: grade first, or name the files.")
    return paths


def overview(title: str, graded: Sequence[Path], folder: Path, db_url: str = "", *, hide_names: bool = False) -> str:
    """Returns the overview as HTML.

    Args:
        title: its heading.
        graded: results of the assignments it is about, `OUT/<assignment>/results.json`.
        folder: where the page will lie, for its links to feedback pages.
        db_url: the gradebook that knows people's names; by default the one beside the results, if it is there.
        hide_names: numbers stand for students, and nothing that a student wrote is shown.

    Raises:
        UsageError: results or gradebook cannot be read.
    """
    runs = [(read_results(path), previous_results(path)) for path in graded]
    if hide_names:
        return page(title, [section(now, before, lambda _: None, {}) for now, before in _without_names(runs)])
    sections: list[Section] = []
    for path, (now, before) in zip(graded, runs, strict=True):
        out = path.parent.parent
        people: dict[str, str] = {}
        if db_url or (out / "gradebook.db").is_file():
            check(db_url or gradebook_url(out))
            people = names(db_url or gradebook_url(out))
        sections.append(section(now, before, partial(_link, folder, out, now.assignment), people))
    return page(title, sections)


def _link(folder: Path, out: Path, name: str, student: str) -> str | None:
    return relative(feedback_page(out, student, name), folder)


def _without_names(runs: Sequence[tuple[Results, Results | None]]) -> list[tuple[Results, Results | None]]:
    every = [results for run in runs for results in run if results]
    called = pseudonyms((student for results in every for student in results.students), random.SystemRandom())
    return [(renamed(now, called), renamed(before, called) if before else None) for now, before in runs]


def feedback_page(out: Path, student: str, name: str) -> Path:
    """Returns where a student's feedback page lies."""
    return out / "feedback" / student / name / f"{name}.html"
