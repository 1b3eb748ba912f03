"""Make release/ and solutions/ with nbgrader's own stages, and verify what was made."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from autograder.checking import Assignment
from autograder.exercises import assignment
from autograder.pipeline.corpora import load
from autograder.pipeline.grading import Graded, grade_submission
from autograder.pipeline.journal import write_atomically
from autograder.pipeline.nbgrader_stages import generate_assignment, generate_solution
from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Settings, UsageError
from autograder.pipeline.source import (
    SourceNotebook,
    grade_id,
    is_solution,
    is_visible_check,
    notebook_text,
    read_source,
)
from autograder.pipeline.stages import configure, gradebook_url, write_outputs
from autograder.pipeline.submission import Submission
from autograder.sandbox.kernels import shared_interpreter

MARKERS = (
    ("### BEGIN SOLUTION", "### END SOLUTION"),
    ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"),
    ("=== BEGIN MARK SCHEME ===", "=== END MARK SCHEME ==="),
)


class BuildError(Exception):
    """A source notebook or what was built from it is not as it must be; the message lists why."""


@dataclass(frozen=True)
class Built:
    """An assignment that was built and verified."""

    name: str
    points: float
    release: Path
    solution: Path


def build(course: Path, name: str, release: Path, solutions: Path, settings: Settings) -> Built:
    """Builds and verifies one assignment.

    Args:
        course: the course folder.
        name: of the assignment.
        release: folder that gets `<name>/<name>.ipynb` for students.
        solutions: folder that gets the solved notebook, executed.
        settings: of the gradings that verify it.

    Raises:
        BuildError: something does not hold that must; nothing is replaced then.
    """
    source, wanted = read_source(course, name), assignment(name)
    problems = list(source_problems(source, wanted))
    if problems:
        raise BuildError("\n".join(f"{name}: {problem}" for problem in problems))
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        config = Config()
        configure(config, course, out=made, db_url=gradebook_url(made))
        config.CourseDirectory.release_directory = str(made / "release")
        config.CourseDirectory.solution_directory = str(made / "solutions")
        generate_assignment(config, name)
        released = nbformat.read(made / "release" / name / f"{name}.ipynb", as_version=4)
        solved, blank = (_grade(source, wanted, settings, who) for who in ("solved", "blank"))
        problems = [*release_problems(source, released), *mark_problems(solved, blank)]
        if problems:
            raise BuildError("\n".join(f"{name}: {problem}" for problem in problems))
        generate_solution(config, name)
        executed = nbformat.read(made / "solutions" / name / f"{name}.ipynb", as_version=4)
        problems = list(solution_problems(executed))
        if problems:
            raise BuildError("\n".join(f"{name}: {problem}" for problem in problems))
    write_outputs(executed, replace(solved, outputs={}))
    target, solution = release / name / f"{name}.ipynb", solutions / name / f"{name}.ipynb"
    _write(target, released)
    _write(solution, steadied(executed))
    return Built(name, wanted.points, target, solution)


def is_fresh(course: Path, name: str, release: Path, solutions: Path) -> list[str]:
    """Returns what is stale: the released notebook's bytes, the solved notebook's sources."""
    source = read_source(course, name)
    stale: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        config = Config()
        configure(config, course, out=Path(folder), db_url=gradebook_url(Path(folder)))
        config.CourseDirectory.release_directory = str(Path(folder) / "release")
        generate_assignment(config, name)
        fresh = nbformat.read(Path(folder) / "release" / name / f"{name}.ipynb", as_version=4)
    path = release / name / f"{name}.ipynb"
    if not path.is_file() or path.read_bytes() != _text(fresh).encode():
        stale.append(f"{path} is not what source/{name} gives: run `autograder build {name}`")
    path = solutions / name / f"{name}.ipynb"
    if _sources_of(path) != _sources(source.notebook):
        stale.append(f"{path} is not what source/{name} gives: run `autograder build {name}`")
    return stale


def _sources_of(path: Path) -> list[str] | None:
    """Returns what stands in the cells of a notebook; None if the file is none."""
    try:
        return _sources(nbformat.reads(notebook_text(path, "build it again"), as_version=4))
    except UsageError:
        return None


def _sources(notebook: NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def source_problems(source: SourceNotebook, wanted: Assignment) -> Iterator[str]:
    """Yields what is wrong with a source notebook."""
    ids: list[str] = []
    points: dict[str, float] = {}
    for cell in source.notebook.cells:
        key = grade_id(cell)
        name = key or cell.get("id", "?")
        if key is not None:
            ids.append(key)
        if cell.cell_type == "code" and (cell.outputs or cell.execution_count):
            yield f"cell {name} has outputs; the source has none (make strip)"
        for begin, end in MARKERS:
            if not _balanced(cell.source, begin, end):
                yield f"cell {name} has {begin!r} and {end!r} that do not pair up"
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("grade") and not is_visible_check(cell):
            points[str(key)] = float(settings.get("points", -1))
    for key in sorted({key for key in ids if ids.count(key) > 1}):
        yield f"two cells have the grade_id {key!r}"
    expected = {f"test_{exercise.symbol}": exercise.points for exercise in wanted.exercises}
    expected |= wanted.written
    for key in sorted(expected.keys() - points.keys()):
        yield f"no cell has the grade_id {key!r}"
    for key in sorted(points.keys() - expected.keys()):
        yield f"cell {key!r} is graded, but the assignment has no such exercise"
    for key in sorted(points.keys() & expected.keys()):
        if points[key] != expected[key]:
            yield f"cell {key!r} is worth {points[key]:g} points, its checks {expected[key]:g}"
    for exercise in wanted.exercises:
        if exercise.symbol not in source.solutions:
            yield f"no solution cell has the grade_id {exercise.symbol!r}"


def _balanced(text: str, begin: str, end: str) -> bool:
    open_, words = False, re.findall(f"{re.escape(begin)}|{re.escape(end)}", text)
    for word in words:
        if (word == begin) == open_:
            return False
        open_ = word == begin
    return not open_


def solution_lines(source: SourceNotebook) -> set[str]:
    """Returns the telling lines of all solutions: long enough, and found nowhere else in the source."""
    inside: set[str] = set()
    outside: list[str] = []
    for cell in source.notebook.cells:
        hidden = False
        for line in cell.source.splitlines():
            if any(begin in line for begin, _ in MARKERS):
                hidden = True
            elif any(end in line for _, end in MARKERS):
                hidden = False
            elif hidden or _is_written(cell):
                inside.add(_squeezed(line))
            else:
                outside.append(_squeezed(line))
    shown = "\n".join(outside)
    return {line for line in inside if len(line) >= 12 and line not in shown}


def _is_written(cell: NotebookNode) -> bool:
    return cell.cell_type == "markdown" and is_solution(cell)


def _squeezed(line: str) -> str:
    return "".join(line.split())


def plain(text: str) -> str:
    """Returns the text of a file, a notebook's JSON too, in the form in which telling lines are looked for."""
    return _squeezed(text.replace("\\n", "").replace('\\"', '"').replace("\\\\", "\\"))


def release_problems(source: SourceNotebook, released: NotebookNode) -> Iterator[str]:
    """Yields what a release must not hold: solutions, hidden tests, oracles, outputs, attachments."""
    text = nbformat.writes(released)
    squeezed = plain(text)
    for line in sorted(solution_lines(source)):
        if line in squeezed:
            yield f"the release holds a line of a solution: {line}"
    for word in (
        "BEGIN SOLUTION",
        "END SOLUTION",
        "HIDDEN TESTS",
        "MARK SCHEME",
        "from autograder",
        "import autograder",
    ):
        if word in text:
            yield f"the release holds {word!r}"
    for cell in released.cells:
        if cell.get("outputs"):
            yield f"cell {grade_id(cell) or cell.get('id')} of the release has outputs"
        if cell.get("attachments"):
            yield f"cell {grade_id(cell) or cell.get('id')} of the release has attachments"
    if _sources(released) != _sources(template(source)):
        yield "the release differs from what submissions are laid into"


def mark_problems(solved: Graded, blank: Graded) -> Iterator[str]:
    """Yields a sentence if the solved notebook does not get everything, or the untouched one something."""
    for symbol, report in solved.reports.items():
        if report.score != report.max_score:
            failure = report.first_failure
            why = report.reason or (f"{failure.name}: {failure.message}" if failure else "")
            yield f"the solved {symbol} gets {report.score:g} of {report.max_score:g}: {why}"
    for symbol, report in blank.reports.items():
        if report.score:
            yield f"the untouched {symbol} gets {report.score:g} points"


def _grade(source: SourceNotebook, wanted: Assignment, settings: Settings, who: Literal["solved", "blank"]) -> Graded:
    """Grades the solved or the untouched notebook as if somebody had handed it in."""
    released = template(source)
    stubs = {
        str(grade_id(cell)): cell.source for cell in released.cells if is_solution(cell) and cell.cell_type == "code"
    }
    rebuilt = rebuild(Submission(who, source.name, source.solutions if who == "solved" else stubs), released)
    return grade_submission(rebuilt, wanted, settings, shared_interpreter(walls=settings.sandbox), load(settings))


def solution_problems(solved: NotebookNode) -> Iterator[str]:
    """Yields the cells of an executed solution that raised."""
    for cell in solved.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {grade_id(cell) or cell.id} of the solution raised {output.ename}: {output.evalue}"


_VARYING = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"[^\n]*\x08+"), ""),
    (re.compile(r"(\b\d+s )?\b\d+(\.\d+)?(us|µs|ms|s)/step( - )?"), ""),
    (re.compile(r"\b\d+(\.\d+)?(us|µs|ms|s)\b"), "…"),
    (re.compile(r"0x[0-9a-f]{6,}"), "0x…"),
)
"""What differs from one execution to the next: times, terminal colours, addresses."""


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Returns outputs without stderr, and in one piece what was printed: it arrives in pieces as time would have it."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and output.name == "stderr":
            continue
        if joined and output.output_type == joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def steadied(notebook: NotebookNode) -> NotebookNode:
    """Returns an executed notebook without what differs between two executions."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                for pattern, replacement in _VARYING:
                    output.text = pattern.sub(replacement, output.text)
    notebook.metadata.pop("widgets", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    return notebook


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def _write(path: Path, notebook: NotebookNode) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = _text(notebook)
    if not path.is_file() or path.read_bytes() != text.encode():
        write_atomically(path, text.encode())
