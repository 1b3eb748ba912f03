"""The released form of a source notebook, made by nbgrader's own preprocessors, in memory."""

from __future__ import annotations

from functools import cache

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)

from autograder.pipeline.source import SourceNotebook

STAGES = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
)


@cache
def _template_text(source: SourceNotebook) -> str:
    import nbformat

    notebook, resources = source.notebook, ResourcesDict()
    for stage in STAGES:
        notebook, resources = stage().preprocess(notebook, resources)
    return nbformat.writes(notebook)


def template(source: SourceNotebook) -> NotebookNode:
    """Returns the notebook as students get it: no solutions, no hidden tests, checksums in place."""
    import nbformat

    return nbformat.reads(_template_text(source), as_version=4)
