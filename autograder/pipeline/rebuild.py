"""Rebuild, don't repair: a student's answers laid into the pristine notebook."""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from autograder.pipeline.source import grade_id, is_solution
from autograder.pipeline.submission import Submission


@dataclass(frozen=True)
class RebuiltNotebook:
    """The released notebook with a student's answers in it; nothing else of theirs is left.

    Attributes:
        submission: where the answers come from.
        notebook: released cells, tags and metadata; the sources of solution cells are the student's.
    """

    submission: Submission
    notebook: NotebookNode


def rebuild(submission: Submission, template: NotebookNode) -> RebuiltNotebook:
    """Lays a submission's answers into the released notebook (which is changed)."""
    for cell in template.cells:
        answer = submission.answers.get(str(grade_id(cell)))
        if is_solution(cell) and answer is not None:
            cell.source = answer
    return RebuiltNotebook(submission, template)
