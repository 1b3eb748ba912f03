"""Where the rows come from that models are trained on."""

from __future__ import annotations

import numpy as np
import pytest
from sequence_data import load_reviews

from autograder.pipeline.corpora import GENERATED, available, load
from autograder.pipeline.settings import Settings, UsageError


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_generated_rows_follow_the_courses_seed(name: str):
    one, again, other = (load(Settings(seed))(name) for seed in ("one", "one", "other"))
    assert np.array_equal(one.x_train, again.x_train)
    assert not np.array_equal(one.x_train, other.x_train)
    assert not np.array_equal(one.y_test, other.y_test)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_what_students_can_load_is_something_else(name: str):
    graded = {row.tobytes() for row in load(Settings())(name).x_test}
    theirs = {row.tobytes() for row in load_reviews(name).x_test}
    assert len(graded) > 1_900
    assert not graded & theirs


def test_reviews_are_not_had_in_a_run_without_them():
    assert available("generated") == GENERATED
    with pytest.raises(LookupError, match="--data generated has no corpus 'imdb'"):
        load(Settings())("imdb")


def test_a_file_of_reviews_that_is_none_is_the_users_to_mend(monkeypatch: pytest.MonkeyPatch, tmp_path: object):
    monkeypatch.setenv("SEQUENCE_DATA_IMDB", f"{tmp_path}/nothing.npz")
    with pytest.raises(UsageError, match="does not exist"):
        load(Settings(data="imdb"))("imdb")
