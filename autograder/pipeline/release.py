"""The released form of a source notebook, made by nbgrader's own preprocessors, in memory."""

from __future__ import annotations

import json
from functools import cache

import nbformat
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
    notebook, resources = source.notebook, ResourcesDict()
    for stage in STAGES:
        notebook, resources = stage().preprocess(notebook, resources)
    nbformat.validate(notebook)
    return json.dumps(notebook)


def template(source: SourceNotebook) -> NotebookNode:
    """Returns the notebook as students get it: no solutions, no hidden tests, checksums in place."""
    return json.loads(_template_text(source), object_hook=NotebookNode)
