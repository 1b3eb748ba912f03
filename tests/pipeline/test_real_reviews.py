"""A class is graded on real reviews: they are found, both builders learn them, and what they reach is said."""

from pathlib import Path

import pytest

from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from autograder.pipeline.submission import Submission
from autograder.pipeline.work import do_all

LEARNS = "learns from real reviews"

pytestmark = [pytest.mark.imdb, pytest.mark.timeout(1200)]


@pytest.mark.parametrize(
    ("name", "symbol"), [("01_sequence_cnn", "build_sequence_cnn"), ("06_transformer", "build_transformer")]
)
def test_solutions_reach_full_marks_on_real_reviews(course: Path, name: str, symbol: str):
    source = read_source(course, name)
    submission = Submission("solved", name, dict(source.solutions), "", {})
    graded = do_all(rebuild(submission, template(source)), Settings(data="imdb"), print)
    report = graded.reports[symbol]
    assert report.score == report.max_score
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert not check.skipped
    assert check.message.endswith("on 10,000 unseen rows.")
