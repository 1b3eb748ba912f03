"""Generated faults: which slips are made, how they are told, and that an endless one is ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.exercises import assignment
from autograder.pipeline.mutants import equivalents, mutants
from autograder.pipeline.proof import Variant, faults, prove_exercise, prove_fault
from autograder.pipeline.source import read_source
from tests.conftest import COURSE

NAME = "03_self_attention"
BUILDER = "01_sequence_cnn"


def changes(source: str) -> set[str]:
    return {mutant.change for mutant in mutants(source)}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("y = a + b", {"y = a - b"}),
        ("y = a - b", {"y = a + b", "y = b - a"}),
        ("y = a @ b", {"y = a * b", "y = b @ a"}),
        ("y = a < b", {"y = a <= b", "y = b < a"}),
        ("y = a == b", {"y = a != b"}),
        ("y = a < b <= c", {"y = a <= b <= c", "y = a < b < c", "y = b < a <= c", "y = a < c <= b"}),
        ("y = a in b is c", {"y = a not in b is c", "y = a in b is not c"}),
        ("y = a and b", {"y = a or b"}),
        ("y = a << b", {"y = b << a"}),
        ("y = -a", {"y = +a"}),
        ("y = not a", {"y = not not a"}),
        ("y = a[1:]", {"y = a[:]", "y = a[2:]", "y = a[0:]"}),
        ("y = f(a, b)", {"y = f(b, a)"}),
        ("y = f(a, axis=-1)", {"y = f(a)", "y = f(a, axis=+1)", "y = f(a, axis=-2)", "y = f(a, axis=-0)"}),
        ("y = f(a, flag=True)", {"y = f(a)", "y = f(a, flag=False)"}),
        ("y = ops.max(a)", {"y = ops.min(a)"}),
        ("y = 1.5", {"y = 3.0"}),
        ("y = a if b else c", {"y = a if not b else c"}),
        ("if a is None: b = 0", {"if not a is None:", "if a is not None:", "b = 1", "b = -1"}),
        ("self.build(a)", {"None"}),
        ('"""Says + and - and 1."""', set()),
        ('y = "same"', set()),
    ],
)
def test_a_line_gives_these_mutants(line: str, expected: set[str]):
    assert {change.partition(" -> ")[2] for change in changes(line)} == expected


def test_a_mutant_differs_in_one_line_and_is_told_by_it():
    solution = "def f(x):\n    y = x + 1\n    return y"
    found = {mutant.change: mutant.source for mutant in mutants(solution)}
    assert found["y = x + 1 -> y = x - 1"] == "def f(x):\n    y = x - 1\n    return y"


def test_pairs_of_misconceptions_are_combined_where_they_can_be():
    source, exercise = read_source(COURSE, NAME), assignment(NAME).exercise("scaled_dot_product_attention")
    pairs = [fault for fault in faults(source, exercise) if fault.kind == "pair"]
    assert pairs
    single = {wrong.name for wrong in exercise.misconceptions}
    for pair in pairs:
        first, _, second = pair.name.partition(" and ")
        assert {first, second} <= single
        assert pair.source != source.solutions[exercise.symbol]


def test_an_endless_mutant_loses_its_marks_in_time(monkeypatch: pytest.MonkeyPatch):
    source, exercise = read_source(COURSE, NAME), assignment(NAME).exercise("causal_mask")
    exec(source.setup, {})  # to import Keras may take longer than the limit of this test
    monkeypatch.setattr("autograder.pipeline.proof._MUTANT_SECONDS", 2.0)
    endless = Variant("causal_mask", "mutant", "endless", "def causal_mask(length):\n    while True:\n        pass")
    finding = prove_fault(source, exercise, endless, "0")
    assert finding.report.score < finding.report.max_score
    assert not finding.problem


def test_a_fault_that_a_check_without_training_notices_is_not_trained():
    source, exercise = read_source(COURSE, BUILDER), assignment(BUILDER).exercise("build_sequence_cnn")
    uncompiled = source.solutions["build_sequence_cnn"].replace("    model.compile(", "    dict(")
    fault = Variant("build_sequence_cnn", "mutant", "uncompiled", uncompiled)
    passed = {check.name: check.passed for check in prove_fault(source, exercise, fault, "0").report.checks}
    assert not passed["is compiled"]
    assert passed["learns what phrases say"]  # waived: a model that is not compiled cannot be trained


def test_a_mutant_that_is_endless_only_in_training_loses_its_marks_in_time():
    source, exercise = read_source(COURSE, BUILDER), assignment(BUILDER).exercise("build_sequence_cnn")
    solution = source.solutions["build_sequence_cnn"]
    endless = solution.replace(
        "    return model",
        "    def fit(*args, **how):\n        while True:\n            pass\n\n    model.fit = fit\n    return model",
    )
    fault = Variant("build_sequence_cnn", "mutant", "endless", endless)
    finding = prove_fault(source, replace(exercise, deadline=2.0), fault, "0")
    assert finding.report.score < finding.report.max_score
    assert not finding.problem


def test_a_mutant_that_cannot_be_defined_loses_its_marks():
    source, exercise = read_source(COURSE, NAME), assignment(NAME).exercise("causal_mask")
    broken = Variant("causal_mask", "mutant", "broken", "causal_mask = 1 / 0")
    assert prove_fault(source, exercise, broken, "0").report.score == 0


def test_a_mutant_listed_as_harmless_must_survive(tmp_path: Path):
    (tmp_path / "equivalents").mkdir()
    (tmp_path / "equivalents" / f"{NAME}.toml").write_text('[causal_mask]\n"a -> b" = "It is not there."\n')
    source, exercise = read_source(COURSE, NAME), assignment(NAME).exercise("causal_mask")
    proof = prove_exercise(source, exercise, tmp_path, 1, thorough=True)
    assert "a -> b is listed as harmless but does not survive" in proof.problems
    assert proof.row()["harmless"] == "1"


def test_every_argument_is_a_sentence():
    for path in (COURSE / "tests" / "equivalents").glob("*.toml"):
        for symbol, listed in equivalents(path.parent, path.stem).items():
            assert assignment(path.stem).exercise(symbol)
            for change, why in listed.items():
                assert why.endswith("."), (symbol, change)
