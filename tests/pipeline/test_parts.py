"""With a GPU training is graded apart, and the parts make the same whole."""

from dataclasses import replace

import pytest

from autograder.checking import Report
from autograder.exercises import NAMES, assignment
from autograder.pipeline.grading import Graded
from autograder.pipeline.parts import Part, joined, parts_of
from autograder.pipeline.settings import Settings
from autograder.sandbox.session import Output

CPU, GPU = Settings(), Settings(profile="gpu")


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_is_in_exactly_one_part(name: str):
    for settings in (CPU, GPU):
        symbols = [symbol for part in parts_of(assignment(name), settings) for symbol in part.symbols]
        assert sorted(symbols) == sorted(exercise.symbol for exercise in assignment(name).exercises)


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("01_sequence_cnn", {"build_sequence_cnn"}),
        ("05_layer_norm", set()),
        ("06_transformer", {"build_transformer"}),
        ("07_tiny_gpt", {"build_gpt"}),
    ],
)
def test_what_trains_gets_the_gpu_and_nothing_else(name: str, training: set[str]):
    with_gpu = {symbol for part in parts_of(assignment(name), GPU) if part.gpu for symbol in part.symbols}
    assert with_gpu == training


def test_without_a_gpu_there_is_one_part():
    (part,) = parts_of(assignment("01_sequence_cnn"), CPU)
    assert not part.gpu


def test_an_assignment_that_trains_nothing_is_one_part_even_with_a_gpu():
    assert parts_of(assignment("05_layer_norm"), GPU) == (
        Part(tuple(exercise.symbol for exercise in assignment("05_layer_norm").exercises)),
    )


def test_joined_parts_are_the_whole_in_the_notebooks_order():
    wanted = assignment("01_sequence_cnn")
    symbols = [exercise.symbol for exercise in wanted.exercises]
    outputs = {"conv1d": Output(text="printed")}
    whole = Graded("ada", wanted.name, {symbol: Report(symbol, 4.0) for symbol in symbols}, outputs, seconds=7.0)
    training, others = (
        replace(whole, reports={symbol: whole.reports[symbol] for symbol in part.symbols}, seconds=3.5)
        for part in parts_of(wanted, GPU)
    )
    for parts in ([training, others], [others, training]):
        assert joined(wanted, parts) == whole
        assert list(joined(wanted, parts).reports) == symbols
