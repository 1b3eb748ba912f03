"""A small class for the tests of the pipeline, with every kind of bad input."""

import json
from pathlib import Path

import nbformat

from autograder.exercises import assignment
from autograder.pipeline.simulate import simulated_class
from autograder.pipeline.source import read_source

NAME = "05_layer_norm"
OTHER = "03_self_attention"


def hand_in(course: Path, submitted: Path) -> dict[str, object]:
    """Writes submissions and returns, by student, the symbols where marks are lost (None: all)."""
    expected: dict[str, object] = {}
    simulated = simulated_class(
        read_source(course, NAME), assignment(NAME), misconceptions=2, alternatives=course / "tests" / "alternatives"
    )
    for one in simulated:
        write(submitted, one.student, nbformat.writes(one.notebook))
        expected[one.student] = one.symbols
    solved = (submitted / "solved" / NAME / f"{NAME}.ipynb").read_text()
    bad = {
        "not-json": "{ this is not JSON",
        "not-a-notebook": json.dumps(["a", "list"]),
        "nan-in-json": '{"cells": NaN}',
        "old-format": json.dumps({**json.loads(solved), "nbformat": 3}),
        "another-assignment": (course / "release" / OTHER / f"{OTHER}.ipynb").read_text(),
        "no-answer-cells": json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}),
        "binary": "\x00\x01",
    }
    for student, text in bad.items():
        write(submitted, student, text)
        expected[student] = None
    (submitted / "empty-folder" / NAME).mkdir(parents=True)
    (submitted / "no-folder").mkdir()
    expected["empty-folder"] = expected["no-folder"] = None
    return expected


def write(submitted: Path, student: str, text: str) -> Path:
    """Writes one submitted file."""
    path = submitted / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
