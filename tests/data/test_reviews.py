"""The door `load_reviews` and the `Reviews` behind it."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from sequence_data import CORPORA, Reviews, load_reviews
from sequence_data.reviews import token_ids


def test_an_unknown_corpus_is_answered_with_the_choices():
    with pytest.raises(ValueError, match="imdb, words, phrases, order, received 'reuters'"):
        load_reviews("reuters")


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_sequence_length_below_eight_is_refused_before_any_data_is_touched(corpus: str):
    with pytest.raises(ValueError, match=r"sequence_length must be at least .* received 7"):
        load_reviews(corpus, sequence_length=7)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("num_words", 99),
        ("num_words", 10**6),
        ("train_size", 0),
        ("test_size", -1),
        ("seed", -1),
        ("sequence_length", 64.0),
        ("sequence_length", "64"),
    ],
)
def test_an_argument_that_cannot_be_used_is_named(argument: str, value: object):
    with pytest.raises(ValueError, match=rf"^{argument} must be .*received '?{value}"):
        load_reviews("phrases", **{argument: value})  # pyright: ignore[reportArgumentType]


def test_more_imdb_reviews_than_there_are_is_refused():
    with pytest.raises(ValueError, match="train_size must be from 1 to 25000"):
        load_reviews("imdb", train_size=25_001)


def test_a_numpy_integer_is_as_good_as_a_python_one():
    size = np.int64(10)
    assert len(load_reviews("words", train_size=size, test_size=size).x_train) == 10  # pyright: ignore


def test_rank_one_has_id_four_and_ids_from_num_words_on_are_unknown():
    # Ids are 3 + rank: with num_words 10 rank 6 (id 9) is the last one known.
    np.testing.assert_array_equal(token_ids(np.array([1, 6, 7, 0]), 10), [4, 9, 2, 2])


def test_the_largest_uint16_rank_does_not_wrap_around():
    assert token_ids(np.array([65_535], np.uint16), 70_000) == 65_538


def test_decode_drops_padding_and_names_the_special_ids():
    empty = np.zeros((0, 6), np.int32)
    words = ("[pad]", "[start]", "[unknown]", "[unused]", "the", "film")
    reviews = Reviews("toy", empty, empty[:, 0], empty, empty[:, 0], words, 6, 6)
    assert reviews.decode([1, 4, 2, 5, 0, 0]) == "[start] the [unknown] film"
    with pytest.raises(ValueError, match=r"received shape \(0, 6\)"):
        reviews.decode(empty)


def test_reviews_are_frozen():
    reviews = load_reviews("words", train_size=2, test_size=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        reviews.num_words = 3  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_the_package_imports_no_framework():
    program = (
        "import sys, sequence_data; sequence_data.load_reviews(train_size=2, test_size=2);"
        "print({'keras', 'tensorflow', 'torch', 'jax', 'sklearn'} & set(sys.modules))"
    )
    path = f"import sys; sys.path[:] = {sys.path!r};"
    done = subprocess.run([sys.executable, "-c", path + program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
