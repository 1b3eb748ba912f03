"""A class is graded on real reviews: they are found, both builders learn them, and a table of them is found out."""

import base64
from pathlib import Path

import numpy as np
import pytest

from autograder.checking import CheckResult, Report
from autograder.checking.accuracy import RESERVED_IDS, disguised
from autograder.pipeline.corpora import load
from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from autograder.pipeline.submission import Submission
from autograder.pipeline.work import do_all

LEARNS = "learns from real reviews"

pytestmark = [pytest.mark.imdb, pytest.mark.timeout(1200)]


def on_real_reviews(course: Path, name: str, symbol: str, **answers: str) -> tuple[Report, CheckResult]:
    """Grades a notebook's solutions, with other answers in the place of some; returns what a builder got."""
    source = read_source(course, name)
    submission = Submission("solved", name, {**source.solutions, **answers}, "", {})
    report = do_all(rebuild(submission, template(source)), Settings(data="imdb"), print).reports[symbol]
    (check,) = [check for check in report.checks if check.name == LEARNS]
    assert not check.skipped
    return report, check


@pytest.mark.parametrize(
    ("name", "symbol"), [("01_sequence_cnn", "build_sequence_cnn"), ("06_transformer", "build_transformer")]
)
def test_solutions_reach_full_marks_on_real_reviews(course: Path, name: str, symbol: str):
    report, check = on_real_reviews(course, name, symbol)
    assert report.score == report.max_score
    assert check.message.endswith("on 10,000 unseen rows.")


FIRST, LAST = 40, 88
"""Words of these ranks, which a count of the training rows finds again whatever they are called."""

TABLE = """
import base64

KNOWN = np.frombuffer(base64.b85decode("{known}"), np.uint8).reshape(-1, {width})
LABELS = np.unpackbits(np.frombuffer(base64.b85decode("{labels}"), np.uint8))

class Cheat(keras.Model):
    def fit(self, x, y, **settings):
        counts = np.bincount(np.concatenate([x, settings["validation_data"][0]]).ravel(), minlength=10_000)
        counts[:3] = 0
        self.words = np.argsort(-counts)[{first}:{last}]
        return super().fit(x, y, **settings)

    def predict(self, x, **settings):
        if not hasattr(self, "words"):
            return super().predict(x, **settings)
        bits = 2.0 * np.stack([(x == word).any(axis=1) for word in self.words], axis=1) - 1
        known = 2.0 * np.unpackbits(KNOWN, axis=1)[:, : bits.shape[1]] - 1
        return LABELS[(bits @ known.T).argmax(axis=1)].astype("float32")[:, None]
"""


def test_a_table_of_the_test_reviews_is_found_out(course: Path):
    # as whoever knows the course may make it
    reviews = disguised(load(Settings(data="imdb"))("imdb"), np.random.default_rng(1))
    counts = np.bincount(reviews.x_train.ravel(), minlength=reviews.vocabulary_size)
    counts[:RESERVED_IDS] = 0
    words = np.argsort(-counts)[FIRST:LAST]
    known = np.packbits(np.stack([(reviews.x_test == word).any(axis=1) for word in words], axis=1), axis=1)
    table = TABLE.format(
        known=base64.b85encode(known.tobytes()).decode(),
        labels=base64.b85encode(np.packbits(reviews.y_test).tobytes()).decode(),
        width=known.shape[1],
        first=FIRST,
        last=LAST,
    )
    solution = read_source(course, "01_sequence_cnn").solutions["build_sequence_cnn"]
    assert solution.count("keras.Model(tokens") == 1
    answer = table + solution.replace("keras.Model(tokens", "Cheat(tokens")
    _, check = on_real_reviews(course, "01_sequence_cnn", "build_sequence_cnn", build_sequence_cnn=answer)
    assert check.earned == 0
    assert "with the weights from before training: what it knows is not in its weights" in check.message
