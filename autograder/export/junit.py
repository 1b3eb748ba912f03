"""junit: a suite for each student and a case for each check, for CI servers.

There is no one standard; this is what Jenkins accepts,
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd.
Marks stand in a suite's properties.
"""

from __future__ import annotations

from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from autograder.export.questions import PENALTY, WAITING, Question, points, questions
from autograder.pipeline.results import CheckOutcome, Results, StudentOutcome
from autograder.report.terminal import shown


def write(results: Results) -> str:
    """Returns the results of a class as XML; an answer that is not marked yet is a skipped case."""
    document = JUnitXml(results.assignment)
    for student, outcome in results.students.items():
        document.append(_suite(shown(student), outcome))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document.tostring().decode()}\n'


def _suite(student: str, outcome: StudentOutcome) -> TestSuite:
    suite = TestSuite(student)
    suite.add_property("score", points(outcome.score))
    suite.add_property("max_score", points(outcome.max_score))
    suite.add_property("status", outcome.status)
    if outcome.penalty:
        suite.add_property(PENALTY, points(outcome.penalty))
    for question in questions(outcome):
        suite.add_property(f"score of {question.name}", points(question.score, WAITING))
        suite.add_property(f"max_score of {question.name}", points(question.max_score))
        suite.add_testcases(list(_cases(student, question)))
    suite.time = outcome.seconds
    return suite


def _cases(student: str, question: Question) -> Iterator[TestCase]:
    name = f"{student}.{question.name}"
    if question.exercise is None:
        case = TestCase("marked by hand", name)
        if question.score is None:
            case.append(Skipped(WAITING))
        yield case
        return
    for check in question.exercise.checks:
        yield _case(name, check)
    if question.status != "graded":
        case = TestCase("could be graded", name, question.exercise.seconds)
        case.append(Error(shown(question.exercise.reason), question.status))
        yield case


def _case(name: str, check: CheckOutcome) -> TestCase:
    case = TestCase(check.name, name)
    if check.skipped:
        case.append(Skipped("not graded in this run"))
    elif not check.passed:
        case.append(Failure(shown(check.message), check.misconception))
    return case
