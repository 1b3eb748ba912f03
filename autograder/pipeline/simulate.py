"""A simulated class: what students hand in, from perfect to hopeless, made from the source notebook."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.checking import Assignment, Exercise
from autograder.pipeline.proof import edited
from autograder.pipeline.release import template
from autograder.pipeline.source import SourceNotebook, grade_id, is_solution


@dataclass(frozen=True)
class Handed:
    """What one simulated student hands in.

    Attributes:
        student: a name that says what to expect.
        notebook: the notebook.
        symbols: where marks are lost: all other exercises are solved. None where everything is lost.
    """

    student: str
    notebook: NotebookNode
    symbols: frozenset[str] | None = frozenset()


def simulated_class(
    source: SourceNotebook,
    assignment: Assignment,
    *,
    misconceptions: int = 8,
    alternatives: Path | None = None,
) -> Iterator[Handed]:
    """Yields a class of at least 16 submissions of an assignment.

    Args:
        source: the assignment's notebook.
        assignment: its exercises.
        misconceptions: how many students hold one, spread over the exercises.
        alternatives: folder of correct but odd solutions, `<assignment>/<symbol>__<name>.py`.
    """
    solved = source.solutions
    exercises = assignment.exercises
    first, last = exercises[0].symbol, exercises[-1].symbol
    yield Handed("solved", _laid(source, solved))
    yield Handed("solved-in-a-hurry", _laid(source, solved, written=""))
    yield Handed("blank", template(source), None)
    for exercise, name in _spread(exercises, misconceptions):
        wrong = {**solved, exercise.symbol: edited(solved[exercise.symbol], exercise, name)}
        yield Handed(
            f"{exercise.symbol}-{name}".lower().replace("_", "-"),
            _laid(source, wrong),
            frozenset({exercise.symbol}),
        )
    yield from _odd_but_right(source, solved, alternatives)
    crash = f"{solved[first]}\n\nimport os\n\nos.abort()"
    yield Handed("crash", _laid(source, {**solved, first: crash}), frozenset({first}))
    loop = f"{solved[last]}\n\nwhile True:\n    pass"
    yield Handed("endless-loop", _laid(source, {**solved, last: loop}), frozenset({last}))
    yield Handed("deleted-cell", _deleted(_laid(source, solved), first), frozenset({first}))
    yield Handed("copied-cell", _copied(_laid(source, solved), first))


def write_class(handed: Iterator[Handed], name: str, submitted: Path) -> list[Handed]:
    """Writes submissions as nbgrader collects them: `<student>/<assignment>/<assignment>.ipynb`."""
    written: list[Handed] = []
    for one in handed:
        folder = submitted / one.student / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.ipynb").write_text(nbformat.writes(one.notebook), encoding="utf-8")
        written.append(one)
    return written


def _spread(exercises: tuple[Exercise, ...], count: int) -> list[tuple[Exercise, str]]:
    """Returns misconceptions taken from the exercises in turn."""
    longest = max(len(exercise.misconceptions) for exercise in exercises)
    turns = [
        (exercise, exercise.misconceptions[place].name)
        for place in range(longest)
        for exercise in exercises
        if place < len(exercise.misconceptions)
    ]
    return turns[:count]


def _odd_but_right(source: SourceNotebook, solved: dict[str, str], alternatives: Path | None) -> Iterator[Handed]:
    if alternatives is None:
        return
    paths = [path for symbol in solved for path in sorted((alternatives / source.name).glob(f"{symbol}__*.py"))]
    # the first and the last: one of a function, one of a layer or builder
    for path in (paths[:1] + paths[-1:]) if len(paths) > 1 else paths:
        symbol, _, name = path.stem.partition("__")
        answers = {**solved, symbol: path.read_text(encoding="utf-8")}
        yield Handed(f"odd-{symbol}-{name}".lower().replace("_", "-"), _laid(source, answers))


def _laid(source: SourceNotebook, answers: dict[str, str], written: str = "An answer in my own words.") -> NotebookNode:
    notebook = template(source)
    for cell in notebook.cells:
        if is_solution(cell) and cell.cell_type == "code":
            cell.source = answers[str(grade_id(cell))]
        elif is_solution(cell) and written:
            cell.source = written
    return notebook


def _deleted(notebook: NotebookNode, symbol: str) -> NotebookNode:
    gone = {symbol, f"test_{symbol}"}
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) not in gone]
    return notebook


def _copied(notebook: NotebookNode, symbol: str) -> NotebookNode:
    twins = [cell for cell in notebook.cells if grade_id(cell) in (symbol, f"test_{symbol}")]
    for twin in map(copy.deepcopy, twins):
        twin["id"] = twin["id"] + "-copy"
        notebook.cells.append(twin)
    return notebook
