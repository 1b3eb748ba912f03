"""nbgrader's feedback stage with our parts in it: from a graded notebook and the gradebook to a student's page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbconvert.filters.markdown import markdown2html
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import default

from autograder.pipeline.gradebook import entries
from autograder.pipeline.source import grade_id, graded_symbol, is_solution
from autograder.report.answers import harmless
from autograder.report.feedback import Code, Feedback, Heading, Judged, Part, Points, Written, below, page


class KeepAnswersAndMarks(NbGraderPreprocessor):
    """Leaves of a graded notebook what feedback is about: headings, answers and reports."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Drops the teaching text, figures and visible checks, which the student has."""
        kept: list[NotebookNode] = []
        for cell in nb.cells:
            if graded_symbol(cell) is not None or is_solution(cell):
                kept.append(cell)
            elif cell.cell_type == "markdown" and (heading := _HEADING.match(cell.source)):
                _drop_empty_sections(kept, _level(cell))
                cell.source = heading.group()
                kept.append(cell)
        _drop_empty_sections(kept, 0)
        nb.cells = kept
        return nb, resources


_HEADING = re.compile(r"#{1,3} [^\n]+")


def _level(cell: NotebookNode) -> int:
    return len(cell.source) - len(cell.source.lstrip("#"))


def _drop_empty_sections(cells: list[NotebookNode], level: int) -> None:
    """Takes headings of this level or below away from the end: nothing of the student's stands under them."""
    while cells and not is_solution(cells[-1]) and graded_symbol(cells[-1]) is None and _level(cells[-1]) >= level:
        cells.pop()


class ReadMarks(NbGraderPreprocessor):
    """Reads points, comments and the penalty from the gradebook; of points also who gave them."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Writes into the cells' metadata what nbgrader's GetGrades would, in three queries instead of forty."""
        where = resources["nbgrader"]
        entry = entries(where["db_url"], where["assignment"], [where["student"]]).get(where["student"])
        if entry is None:
            raise MissingEntry(
                f"The gradebook has no marks of {where['student']} for {where['assignment']}: grade first."
            )
        for cell in nb.cells:
            name = str(grade_id(cell))
            if mark := entry.marks.get(name):
                cell.metadata.nbgrader |= {
                    "score": mark.score or 0.0,
                    "points": mark.max_score,
                    "waits": mark.score is None,
                    "by_hand": mark.by_hand,
                }
            if name in entry.comments:
                cell.metadata.nbgrader["comment"] = entry.comments[name]
        where["late_penalty"] = entry.penalty or 0.0
        where["score"] = sum(mark.score or 0.0 for mark in entry.marks.values()) - where["late_penalty"]
        where["max_score"] = sum(mark.max_score for mark in entry.marks.values())
        return nb, resources


class PageExporter(Exporter):
    """Writes a student's page."""

    @default("file_extension")
    def _html(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kwargs: Any) -> Any:
        """Returns the page of a graded notebook."""
        notebook, resources = super().from_notebook_node(nb, resources, **kwargs)
        return page(feedback(notebook, resources["nbgrader"])), resources


def feedback(notebook: NotebookNode, marks: dict[str, Any]) -> Feedback:
    """Returns what a graded notebook tells its author.

    Args:
        notebook: headings, answers and reports, with the marks in their metadata.
        marks: whose it is, and the points of all.
    """
    parts = list(_parts(notebook))
    title = next((part.text for part in parts if isinstance(part, Heading) and part.level == 1), marks["notebook"])
    return Feedback(
        title=title,
        student=marks["student"],
        score=max(float(marks["score"]), 0.0),
        max_score=float(marks["max_score"]),
        penalty=float(marks["late_penalty"]),
        parts=[part for part in parts if not isinstance(part, Heading) or part.level > 1],
    )


def _parts(notebook: NotebookNode) -> Iterator[Part]:
    level = 1
    for cell in notebook.cells:
        name, symbol = str(grade_id(cell)), graded_symbol(cell)
        if symbol is not None:
            yield Judged(symbol, _points(cell), _report(cell))
        elif not is_solution(cell):
            level = _level(cell)
            yield Heading(level, cell.source.lstrip("# "))
        elif cell.cell_type == "code":
            yield Code(name, cell.source, _printed(cell), _pictures(cell), _comment(cell, level))
        else:
            yield Written(name, _points(cell), below(harmless(cell.source), level), _comment(cell, level))


def _points(cell: NotebookNode) -> Points:
    marks = cell.metadata.nbgrader
    return Points(None if marks["waits"] else float(marks["score"]), float(marks["points"]), bool(marks["by_hand"]))


def _report(cell: NotebookNode) -> Markup:
    shown = (output.data["text/html"] for output in cell.outputs if "text/html" in output.get("data", {}))
    return Markup(next(shown, ""))


def _printed(cell: NotebookNode) -> str:
    texts = [output.text for output in cell.outputs if output.output_type == "stream"]
    texts += ["\n".join(output.traceback) for output in cell.outputs if output.output_type == "error"]
    return "\n".join(text.rstrip("\n") for text in texts)


def _pictures(cell: NotebookNode) -> list[str]:
    return [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]


def _comment(cell: NotebookNode, level: int) -> Markup:
    return below(markdown2html(cell.metadata.nbgrader.get("comment") or ""), level)
