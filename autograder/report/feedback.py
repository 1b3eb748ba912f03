"""What a student reads: the points, each answer with its report, what a person has written. One page of HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.report.pages import rendered


@dataclass(frozen=True)
class Points:
    """The points of a question.

    Attributes:
        earned: None while the answer waits for a person.
        most: points at stake.
        by_hand: whether a person gave them in the place of the grader's, or in addition.
    """

    earned: float | None
    most: float
    by_hand: bool = False

    @property
    def share(self) -> float:
        """The earned part of the points, from 0 to 1."""
        return min(max((self.earned or 0.0) / self.most, 0.0), 1.0) if self.most else 0.0


@dataclass(frozen=True)
class Heading:
    """A heading of the notebook.

    Attributes:
        level: 1 to 3.
        text: Markdown, of which backticks count.
    """

    kind: ClassVar = "heading"
    level: int
    text: str

    @property
    def html(self) -> Markup:
        """The text as HTML."""
        return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(Markup.escape(self.text))))


@dataclass(frozen=True)
class Code:
    """An answer in code.

    Attributes:
        name: of the cell.
        source: what the student wrote.
        printed: what it printed, and the error it raised.
        pictures: what it drew: PNG files, each in base64.
        comment: by a person, as HTML.
    """

    kind: ClassVar = "code"
    name: str
    source: str
    printed: str
    pictures: Sequence[str]
    comment: Markup

    @property
    def html(self) -> Markup:
        """The source as HTML, in which comments, keywords, texts and numbers have a class."""
        return Markup(highlight(self.source, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))


@dataclass(frozen=True)
class Judged:
    """An exercise's report.

    Attributes:
        name: the symbol.
        points: that count.
        report: as HTML.
    """

    kind: ClassVar = "judged"
    name: str
    points: Points
    report: Markup


@dataclass(frozen=True)
class Written:
    """An answer in words.

    Attributes:
        name: of the cell.
        points: given by a person.
        text: harmless HTML.
        comment: by a person, as HTML.
    """

    kind: ClassVar = "written"
    name: str
    points: Points
    text: Markup
    comment: Markup


Part = Heading | Code | Judged | Written


@dataclass(frozen=True)
class Feedback:
    """A student's page.

    Attributes:
        title: of the assignment.
        student: whose work it is about.
        score: points so far, the penalty taken off.
        max_score: points of the assignment.
        penalty: points lost for being late.
        parts: headings, answers and reports in the notebook's order.
    """

    title: str
    student: str
    score: float
    max_score: float
    penalty: float
    parts: Sequence[Part]

    @property
    def questions(self) -> list[Judged | Written]:
        """What gives points."""
        return [part for part in self.parts if isinstance(part, Judged | Written)]

    @property
    def waiting(self) -> float:
        """Points of answers that nobody has marked yet."""
        return sum(question.points.most for question in self.questions if question.points.earned is None)

    @property
    def has_formulas(self) -> bool:
        """Whether words of people may hold formulas, which take MathJax."""
        words = [part.comment for part in self.parts if isinstance(part, Code | Written)]
        words += [part.text for part in self.parts if isinstance(part, Written)]
        return any("$" in word or "\\(" in word or "\\[" in word for word in words)


def page(feedback: Feedback) -> str:
    """Returns the page."""
    return rendered("feedback.html.j2", feedback=feedback)


def below(html: str, level: int) -> Markup:
    """Returns HTML of people's words with its headings one level below that of the place where it stands."""
    return Markup(re.sub(r"<(/?)h[1-6]\b[^>]*>", rf"<\1h{min(level + 1, 6)}>", html))
