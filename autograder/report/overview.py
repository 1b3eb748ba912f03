"""A class's results as one HTML page: students by exercises, and what went wrong most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from autograder.report.cell import number


@dataclass(frozen=True)
class Mark:
    """A student's mark for an exercise."""

    score: float
    max_score: float
    status: str
    note: str

    @property
    def share(self) -> float:
        """The earned part of the points, from 0 to 1."""
        return self.score / self.max_score if self.max_score else 0.0


@dataclass(frozen=True)
class Row:
    """A student of the table; the full name may be empty."""

    student: str
    full_name: str
    status: str
    score: float
    max_score: float
    marks: Sequence[Mark]
    feedback: str | None
    problem: str


@dataclass(frozen=True)
class Table:
    """An assignment of the page.

    Attributes:
        assignment: its name.
        symbols: its exercises and their points.
        max_score: points of the assignment.
        rows: its students.
        misconceptions: symbol, name, hint and how many students hold it, the most frequent first.
        unmarked: how many written answers wait for a person.
    """

    assignment: str
    symbols: Sequence[tuple[str, float]]
    max_score: float
    rows: Sequence[Row]
    misconceptions: Sequence[tuple[str, str, str, int]]
    unmarked: int

    @property
    def mean(self) -> float:
        """Mean score of the class."""
        return sum(row.score for row in self.rows) / len(self.rows) if self.rows else 0.0


def most_frequent(found: Sequence[tuple[str, str, str]]) -> list[tuple[str, str, str, int]]:
    """Returns (symbol, misconception, hint) with their counts, the most frequent first."""
    return [(*one, count) for one, count in Counter(found).most_common()]


def page(title: str, tables: Sequence[Table], stamp: str) -> str:
    """Returns the overview as one page of HTML that needs nothing else."""
    environment = Environment(
        loader=PackageLoader("autograder.report"),
        autoescape=select_autoescape(["html.j2", "html"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["breakable"] = breakable
    return environment.get_template("overview.html.j2").render(title=title, tables=tables, stamp=stamp)


def breakable(symbol: str) -> Markup:
    """Returns a symbol as HTML that may be broken where its words meet."""
    return Markup("<wbr>").join(re.split(r"(?<=[a-z])(?=[A-Z_])", symbol))


def relative(path: Path, start: Path) -> str | None:
    """Returns a link from one file to another, or None if that one is not there."""
    return path.relative_to(start).as_posix() if path.is_file() else None
