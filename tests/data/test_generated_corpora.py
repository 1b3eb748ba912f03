"""The generated corpora: what they look like, and which models can learn them."""

import os
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sequence_data import Reviews, load_reviews
from sequence_data.generated import CORPORA, MARGIN, MINIMUM_GAP
from sequence_data.vocabulary import (
    NEGATIONS,
    NEGATIVE_WORDS,
    POSITIVE_WORDS,
    TURNS,
    word_list,
)
from sklearn.linear_model import LogisticRegression

GENERATED = tuple(CORPORA)


@pytest.fixture(scope="module", params=GENERATED)
def reviews(request: pytest.FixtureRequest) -> Reviews:
    return load_reviews(request.param)


def test_shapes_and_dtypes_are_those_promised(reviews: Reviews):
    assert reviews.x_train.shape == (8000, 64)
    assert reviews.x_test.shape == (2000, 64)
    arrays = reviews.x_train, reviews.y_train, reviews.x_test, reviews.y_test
    assert {array.dtype for array in arrays} == {np.dtype(np.int32)}
    assert len(reviews.vocabulary) == reviews.num_words == 2000


def test_half_of_the_reviews_are_positive(reviews: Reviews):
    assert reviews.y_train.sum() == 4000
    assert reviews.y_test.sum() == 1000


def test_labels_are_shuffled(reviews: Reviews):
    # A tenth kept for validation from the end must hold both classes.
    assert 0.4 < reviews.y_train[-800:].mean() < 0.6


def test_each_review_starts_with_one_and_is_padded_only_at_the_end(reviews: Reviews):
    x = reviews.x_train
    assert (x[:, 0] == 1).all()
    assert (x[:, 1:] != 1).all()
    is_pad = x == 0
    assert (np.diff(is_pad.astype(int), axis=1) >= 0).all()
    assert len(np.unique(is_pad.sum(axis=1))) >= 10


def test_ids_are_words_or_the_special_ones_in_use(reviews: Reviews):
    used = np.unique(reviews.x_train)
    assert used.max() == reviews.num_words - 1
    assert 2 in used
    assert 3 not in used


def test_neutral_words_follow_zipf(reviews: Reviews):
    counts = np.bincount(reviews.x_train[reviews.x_train > 3], minlength=2000)
    the, of = (counts[reviews.vocabulary.index(word)] for word in ("the", "of"))
    assert the / of == pytest.approx(4**1.1, rel=0.1)  # "of" has rank 4


def test_train_and_test_share_no_review(reviews: Reviews):
    train = {row.tobytes() for row in reviews.x_train}
    assert not train & {row.tobytes() for row in reviews.x_test}


def test_train_and_test_share_no_review_even_where_few_exist():
    # 8 tokens, most of them unknown or "the": many draws coincide.
    reviews = load_reviews("words", sequence_length=8, num_words=100, train_size=20_000)
    train = {row.tobytes() for row in reviews.x_train}
    assert len(train) < 20_000
    assert not train & {row.tobytes() for row in reviews.x_test}


@pytest.mark.parametrize("corpus", GENERATED)
def test_the_same_seed_gives_the_same_reviews_and_another_seed_others(corpus: str):
    first, again, other = (load_reviews(corpus, train_size=50, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(first.x_train, again.x_train)
    np.testing.assert_array_equal(first.y_test, again.y_test)
    assert (first.x_train != other.x_train).any()


def test_these_very_reviews_are_drawn_on_every_machine():
    reviews = load_reviews("phrases", train_size=3, test_size=1, sequence_length=24)
    assert [reviews.decode(row) for row in reviews.x_train] == [
        "[start] to prison the that around boring henville a never good the [unknown] [unknown] "
        "the he dialogue the for",
        "[start] and oakcroft east in towards those milthorne i that charming with is not clumsy "
        "just and [unknown] green",
        "[start] hardly good then and was i week [unknown] after to again birthday garey the up "
        "[unknown] was dull the and raventhwaite cinema talks",
    ]
    assert reviews.y_train.tolist() == [0, 1, 0]


@pytest.mark.parametrize("corpus", GENERATED)
def test_a_smaller_vocabulary_only_hides_rare_words(corpus: str):
    wide, narrow = (load_reviews(corpus, num_words=n, test_size=9) for n in (2000, 500))
    np.testing.assert_array_equal(np.where(wide.x_train >= 500, 2, wide.x_train), narrow.x_train)


@pytest.mark.parametrize("corpus", GENERATED)
@pytest.mark.parametrize("extra", [0, 1, 7, 150])
def test_every_length_from_the_minimum_on_has_room_for_the_cues(corpus: str, extra: int):
    length = CORPORA[corpus].minimum_length + extra
    reviews = load_reviews(corpus, sequence_length=length, train_size=500, test_size=1)
    assert reviews.x_train.shape == (500, length)
    cues = [reviews.vocabulary.index(w) for w in (*POSITIVE_WORDS, *NEGATIVE_WORDS, *TURNS)]
    per_review = np.isin(reviews.x_train, cues).sum(axis=1)
    assert per_review.min() == per_review.max() >= 1


def test_words_are_distinct_and_cues_are_among_the_hundred_most_frequent():
    words = word_list()
    assert len(set(words)) == len(words) >= 9_996
    for cue in (*POSITIVE_WORDS, *NEGATIVE_WORDS, *NEGATIONS, *TURNS):
        assert 3 + words.index(cue) + 1 < 100


def test_a_phrase_decides_and_its_words_do_not():
    reviews = load_reviews("phrases", test_size=1)
    for row, label in zip(reviews.x_train[:200], reviews.y_train[:200], strict=True):
        text = reviews.decode(row).split()
        plain: list[bool] = []
        for before, word in pairwise(text):
            if word in POSITIVE_WORDS + NEGATIVE_WORDS:
                plain.append((word in POSITIVE_WORDS) != (before in NEGATIONS))
        assert plain == [bool(label)] * 6
        assert sum(word in POSITIVE_WORDS for word in text) == 3
        assert sum(word in NEGATIONS for word in text) == 3


def test_the_cues_of_order_are_far_apart_and_far_from_either_end():
    reviews = load_reviews("order", test_size=1)
    promising, disappointing = ((reviews.x_train == reviews.vocabulary.index(word)).argmax(axis=1) for word in TURNS)
    np.testing.assert_array_equal(promising > disappointing, reviews.y_train == 1)
    assert np.abs(promising - disappointing).min() == MINIMUM_GAP
    lengths = (reviews.x_train > 0).sum(axis=1)
    assert np.minimum(promising, disappointing).min() > MARGIN
    assert (lengths - 1 - np.maximum(promising, disappointing)).min() >= MARGIN


def bag_of_words_accuracy(reviews: Reviews) -> float:
    def counts(x: np.ndarray) -> np.ndarray:
        return np.stack([np.bincount(row, minlength=reviews.num_words) for row in x])

    model = LogisticRegression(C=0.01, max_iter=1000).fit(counts(reviews.x_train), reviews.y_train)
    return float(model.score(counts(reviews.x_test), reviews.y_test))


def test_a_bag_of_words_solves_words():
    assert bag_of_words_accuracy(load_reviews("words", train_size=2000)) >= 0.99


@pytest.mark.parametrize("corpus", ["phrases", "order"])
def test_a_bag_of_words_is_at_chance_on_phrases_and_order(corpus: str):
    assert 0.44 < bag_of_words_accuracy(load_reviews(corpus, train_size=4000)) < 0.56


def convolution_accuracy(reviews: Reviews, width: int) -> float:
    """One Conv1D with global max pooling, two epochs on renamed ids."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras: Any = pytest.importorskip("keras")
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Embedding(reviews.num_words, 32),
            layers.Conv1D(32, width, padding="same", activation="relu"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("adam", "binary_crossentropy")
    # The grader renames ids the same way: 0, 1 and 2 stay.
    renamed = np.arange(reviews.num_words)
    renamed[3:] = np.random.default_rng(1).permutation(renamed[3:])
    model.fit(renamed[reviews.x_train], reviews.y_train, batch_size=64, epochs=2, verbose=0)
    probabilities = model.predict(renamed[reviews.x_test], batch_size=256, verbose=0)[:, 0]
    return float(np.mean((probabilities >= 0.5) == reviews.y_test))


def test_a_small_convolution_of_width_two_solves_phrases():
    assert convolution_accuracy(load_reviews("phrases", train_size=6000), width=2) >= 0.97


def test_a_convolution_of_width_one_is_at_chance_on_phrases():
    assert convolution_accuracy(load_reviews("phrases", train_size=6000), width=1) < 0.56
