"""The comparison in section 6 of 06_transformer: the lecture's models, the reviews, the numbers that are told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest

from autograder.checking import Probe, judge
from autograder.exercises.transformer import BUILD_TRANSFORMER
from autograder.pipeline.corpora import load
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.local import ask_here
from benchmarks.compare import ASSIGNMENT, OUT, disagreement, namespace, table

COURSE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def source() -> SourceNotebook:
    return read_source(COURSE, ASSIGNMENT)


@pytest.fixture(scope="module")
def names(source: SourceNotebook) -> dict[str, Any]:
    """What the solved notebook defines."""
    return namespace(source)


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return json.loads((OUT / "comparison.json").read_text())


@pytest.mark.parametrize(("builder", "parameters"), [("lecture_cnn", 115_473), ("lecture_transformer", 59_337)])
def test_the_lectures_models_have_the_lectures_numbers_of_parameters(
    names: dict[str, Any], builder: str, parameters: int
):
    # 1,000 ids and 500 tokens, as the lecture reads IMDb
    assert names[builder](1_000, 500).count_params() == parameters


@pytest.mark.parametrize("builder", ["lecture_cnn", "lecture_transformer"])
def test_all_weights_of_the_lectures_models_learn(names: dict[str, Any], builder: str):
    # positions that are no part of the graph would be counted, and never trained
    model = names[builder](50, 30)
    before = [np.array(weight) for weight in model.get_weights()]
    rows = np.random.default_rng(0).integers(1, 50, (64, 30)).astype("int32")
    model.fit(rows, np.arange(64) % 2, epochs=2, verbose=0)
    assert len(model.trainable_weights) == len(before)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert not np.array_equal(old, new)


def test_a_third_of_the_reviews_is_of_each_kind_and_half_of_each_third_positive(names: dict[str, Any]):
    common, kinds = names["common_reviews"]("generated")
    assert len(common.x_train) == 7_500
    for kind in ("words", "phrases", "order"):
        assert np.sum(kinds == kind) == 600
        assert np.mean(common.y_test[kinds == kind]) == 0.5


def test_kinds_belong_to_their_rows(names: dict[str, Any]):
    common, kinds = names["common_reviews"]("generated")
    turn = common.vocabulary.index("promising")
    assert np.array_equal((common.x_test == turn).any(axis=1), kinds == "order")


def test_a_regression_on_words_knows_words_only(names: dict[str, Any]):
    common, kinds = names["common_reviews"]("generated")
    said, parameters, _ = names["compete"]("bag of words", common)
    right = (said >= 0.5) == common.y_test
    assert right[kinds == "words"].mean() > 0.98
    assert right[kinds != "words"].mean() < 0.6
    assert parameters <= common.num_words


def test_disagreement_is_counted_on_the_predictions():
    found = disagreement({"a": np.array([0.9, 0.5, 0.1, 0.2]), "b": np.array([0.6, 0.4, 0.7, 0.3])})
    assert found == [[0.0, 0.5], [0.5, 0.0]]


def test_the_page_is_what_its_numbers_give(kept: dict[str, Any]):
    assert (OUT / "comparison.md").read_text() == table(kept)


def test_the_notebook_tells_the_accuracies_that_were_measured(source: SourceNotebook, kept: dict[str, Any]):
    (text,) = (cell.source for cell in source.notebook.cells if cell.id == "compare-imdb")
    told = {name: float(number) for name, number in re.findall(r"^\| ([a-zCNNT' ]+) \| (0\.\d{3})", text, re.M)}
    seeds = kept["imdb"]["seeds"]
    assert told == {name: round(mean(seed[name]["accuracy"] for seed in seeds), 3) for name in seeds[0]}


@pytest.mark.slow
def test_the_lectures_transformer_is_no_answer_to_section_3(names: dict[str, Any]):
    # it stands in a cell that everybody can copy
    namespace = {**names, "build_transformer": names["lecture_transformer"]}
    report = judge(BUILD_TRANSFORMER, Probe(ask_here(namespace)), seed="test", student="ada", data=load("generated"))
    assert report.score <= 1
