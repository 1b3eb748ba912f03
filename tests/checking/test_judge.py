"""Judging: points and gates, misconceptions named, the student's errors told, nothing earned by trivial code."""

import numpy as np
import pytest

from autograder.checking import (
    Broken,
    Check,
    Exercise,
    FunctionCase,
    Misconception,
    NoAnswer,
    Probe,
    Property,
    agrees,
    distinct_sizes,
    generator,
    holds,
    judge,
    rejects,
)
from autograder.sandbox.local import ask_here


def _double(x):
    return 2.0 * x


def _fresh(rng):
    return FunctionCase((rng.normal(3.0, 1.0, distinct_sizes(rng, 2)).astype(np.float32),))


def _whole(trial):
    trial.probe.call("double", "text")


DOUBLE = Exercise(
    "double",
    formula=_double,
    checks=(
        agrees("doubles", _fresh, points=2),
        rejects("refuses a text", _whole, cost=0.5, error="TypeError"),
    ),
    misconceptions=(
        Misconception("squares", "You square.", wrong=lambda x: x**2),
        Misconception("triples", "You triple.", wrong=lambda x: 3 * x),
    ),
    properties=(Property("the result is twice the argument in sum", lambda found, x: found.sum() == 2 * x.sum()),),
)


def _refusing(x):
    if isinstance(x, str):
        raise TypeError("no text")
    return x


def _judged(function, exercise=DOUBLE, student="ada"):
    return judge(exercise, Probe(ask_here({"double": function})), seed="s", student=student)


def test_a_right_solution_gets_all_points():
    assert _judged(lambda x: 2 * _refusing(x)).score == 2


def test_a_failed_gate_costs_points_but_leaves_the_rest():
    report = _judged(lambda x: 2 * x if not isinstance(x, str) else 0)
    assert report.score == 1.5
    assert report.first_failure is not None
    assert report.first_failure.name == "refuses a text"


def test_a_gate_alone_earns_nothing():
    def always(x):
        raise TypeError

    assert _judged(always).score == 0


def test_a_score_is_never_negative():
    assert _judged(lambda x: 0).score == 0


def test_a_misconception_is_named_with_its_hint():
    report = _judged(lambda x: 3 * _refusing(x))
    assert report.misconception == "triples"
    assert report.hint == "You triple."


def test_an_unknown_mistake_names_the_broken_property():
    report = _judged(lambda x: 2 * _refusing(x) + 1)
    assert report.misconception is None
    assert report.first_failure is not None
    assert "twice the argument in sum" in report.first_failure.message


def test_the_students_exception_is_told():
    report = _judged(lambda x: 1 / 0)
    assert report.first_failure is not None
    assert "ZeroDivisionError" in report.first_failure.message


def test_the_stub_is_said_to_be_missing_work():
    def stub(x):
        raise NotImplementedError

    report = _judged(stub)
    assert report.score == 0
    assert report.first_failure is not None
    assert report.first_failure.message == "Not implemented yet."


def test_a_missing_symbol_is_said_to_be_missing():
    report = judge(DOUBLE, Probe(ask_here({})), seed="s", student="ada")
    assert report.first_failure is not None
    assert "There is no double" in report.first_failure.message


def test_inputs_differ_between_students_and_repeat_for_each():
    seen: dict[str, list[bytes]] = {"ada": [], "bob": []}
    for student, record in [("ada", seen["ada"]), ("bob", seen["bob"]), ("ada", seen["ada"])]:
        _judged(
            lambda x, record=record: record.append(np.asarray(x).tobytes()) if not isinstance(x, str) else 0,
            student=student,
        )
    assert seen["ada"][0] == seen["ada"][1]
    assert seen["ada"][0] != seen["bob"][0]


def test_no_answer_reaches_the_caller():
    def silent(question):
        raise NoAnswer("timeout", "nothing came")

    with pytest.raises(NoAnswer):
        judge(DOUBLE, Probe(silent), seed="s", student="ada")


def test_an_answer_without_a_value_counts_as_none():
    with pytest.raises(NoAnswer):
        judge(DOUBLE, Probe(lambda question: {"surprise": 1}), seed="s", student="ada")


def test_part_of_the_points_can_be_earned():
    def half(trial):
        raise Broken("half of it", fraction=0.5)

    exercise = Exercise("double", checks=(holds("half", half, points=4),), misconceptions=())
    assert _judged(_double, exercise).score == 2


def test_a_check_without_its_data_is_skipped_and_the_score_scaled():
    exercise = Exercise(
        "double",
        checks=(
            holds("ran", lambda trial: None, points=1),
            Check("needs reviews", lambda trial: trial.data("imdb"), points=1, data="imdb"),
        ),
        misconceptions=(),
    )
    report = _judged(_double, exercise)
    assert report.score == report.max_score == 2
    assert report.checks[1].skipped


def test_two_checks_of_one_name_are_refused():
    check = holds("same", lambda trial: None, points=1)
    with pytest.raises(ValueError, match="two checks"):
        Exercise("double", checks=(check, check), misconceptions=())


def test_sizes_are_distinct_and_never_one():
    for seed in range(50):
        sizes = distinct_sizes(generator(str(seed)), 4)
        assert len(set(sizes)) == 4
        assert 1 not in sizes


def test_one_mistake_is_not_punished_twice():
    exercise = Exercise(
        "double",
        formula=_double,
        checks=(
            agrees("doubles", _fresh, points=1),
            holds("returns something", lambda trial: None, points=1),
            agrees("doubles again", _fresh, cost=1),
        ),
        misconceptions=DOUBLE.misconceptions,
    )
    assert _judged(lambda x: 3 * x, exercise).score == 1
    assert _judged(lambda x: 5 * x, exercise).score == 0
