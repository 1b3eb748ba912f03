"""junit: valid by the schema of Jenkins, every mark and every check in it."""

from pathlib import Path

import pytest
from lxml import etree

from autograder.export import junit
from autograder.export.questions import WAITING, points, questions
from autograder.pipeline.results import Results
from autograder.report.terminal import shown

SCHEMA = etree.XMLSchema(etree.parse(str(Path(__file__).parent / "junit-10.xsd")))


def parsed(results: Results) -> etree._Element:
    return etree.fromstring(junit.write(results).encode())


def suites(results: Results) -> dict[str, etree._Element]:
    return {suite.get("name"): suite for suite in parsed(results).iterfind("testsuite")}


def test_it_is_valid_by_the_schema(results: Results):
    SCHEMA.assertValid(parsed(results))


def test_it_stays_valid_whatever_students_are_called(hostile: Results):
    SCHEMA.assertValid(parsed(hostile))
    assert set(suites(hostile)) == {shown(name) for name in hostile.students}


def test_every_mark_is_a_property_of_the_suite(results: Results):
    for student, suite in suites(results).items():
        outcome = results.students[student]
        properties = {one.get("name"): one.get("value") for one in suite.iterfind("properties/property")}
        assert float(properties["score"]) == outcome.score
        assert float(properties["max_score"]) == outcome.max_score
        for question in questions(outcome):
            assert properties[f"score of {question.name}"] == points(question.score, WAITING)
            assert float(properties[f"max_score of {question.name}"]) == question.max_score


def test_every_check_is_a_case_that_passed_failed_or_was_skipped(results: Results):
    for student, suite in suites(results).items():
        cases = {(case.get("classname"), case.get("name")): case for case in suite.iterfind("testcase")}
        for symbol, exercise in results.students[student].exercises.items():
            for check in exercise.checks:
                (said,) = [child.tag for child in cases[f"{student}.{symbol}", check.name]] or ["passed"]
                assert said == ("skipped" if check.skipped else "passed" if check.passed else "failure")


def test_the_counts_are_those_of_the_cases(results: Results):
    for suite in suites(results).values():
        assert int(suite.get("tests", "")) == len(suite.findall("testcase"))
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count, "")) == len(suite.findall(f"testcase/{tag}"))


def test_an_answer_that_waits_is_skipped_and_one_that_is_marked_is_not(results: Results):
    marked = "testcase[@name='marked by hand']"
    assert suites(results)["solved"].find(f"{marked}/skipped").get("message") == WAITING
    assert suites(results)["blank"].find(f"{marked}/skipped") is None


@pytest.mark.parametrize(
    ("student", "symbol", "status"), [("crash", "layer_norm", "crashed"), ("endless-loop", "LayerNorm", "timeout")]
)
def test_an_exercise_that_ended_early_is_an_error(results: Results, student: str, symbol: str, status: str):
    error = suites(results)[student].find(f"testcase[@classname='{student}.{symbol}']/error")
    assert error.get("type") == status
    assert error.get("message") == results.students[student].exercises[symbol].reason
