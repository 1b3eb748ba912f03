"""The classes that the tests of every format export."""

import pytest

from autograder.pipeline.results import Results
from tests.graded.classes import a_class, hostile_class, late_class


@pytest.fixture(scope="session")
def results() -> Results:
    return a_class()


@pytest.fixture(scope="session")
def hostile() -> Results:
    return hostile_class()


@pytest.fixture(scope="session")
def late() -> Results:
    return late_class()
