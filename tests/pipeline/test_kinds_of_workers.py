"""Workers with and without a GPU share a class; which there are changes no mark."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.settings import read_settings
from autograder.pipeline.source import read_source
from tests.hostile.attackers import handed_in
from tests.hostile.test_class import course_copy, without_times
from tests.pipeline.remote import Remote

NAME = "01_sequence_cnn"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("kinds of workers")]


def test_training_on_one_kind_and_the_rest_on_another_gives_the_marks_of_one_kind(course: Path, tmp_path: Path):
    own = course_copy(course, tmp_path)
    source = read_source(own, NAME)
    for student, answers in {"ada": {}, "zoe": {"conv1d": "def conv1d(x, w, b): return x"}}.items():
        path = tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(handed_in(source, answers)))
    settings = replace(read_settings(own), profile="gpu")
    alike = Class(own, tmp_path / "submitted", tmp_path / "alike", settings, jobs=1)
    remote = Remote(tmp_path)
    try:
        remote.worker("--resources", "GPU=1")
        remote.worker()
        mixed = replace(alike, jobs=None, scheduler=remote.address, out=tmp_path / "mixed")
        mixed_results, alike_results = (grade_class(group, NAME, ["ada", "zoe"]) for group in (mixed, alike))
    finally:
        remote.end()
    assert without_times(mixed_results.model_dump()) == without_times(alike_results.model_dump())
