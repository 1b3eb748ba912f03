"""The accuracy protocol: rows that nobody can have seen before, predictions that are looked at before they count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from autograder.checking import Broken, Check, Exercise, Probe, Split, Trial, accuracy, reaches_accuracy
from autograder.checking.accuracy import RESERVED_IDS, Learned, disguised, learn, score
from autograder.sandbox.local import ask_here

WORDS = 5_000


def reviews(rows: int = 400, length: int = 120) -> Split:
    """Rows whose words are as rare as real ones: the word of rank r stands in a share of 1 / r."""
    rng = np.random.default_rng(0)
    ranks = np.arange(1, WORDS - RESERVED_IDS + 1)
    x = rng.choice(ranks + RESERVED_IDS - 1, (rows, length), p=1 / ranks / (1 / ranks).sum()).astype(np.int32)
    x[:, -7:] = 0
    y = rng.integers(0, 2, rows)
    return Split(x, y, x[::-1], y[::-1], WORDS, public=True)


def pattern(row: np.ndarray) -> tuple[int, ...]:
    """What renaming leaves of a row: which places hold the same word."""
    seen: dict[int, int] = {}
    return tuple(seen.setdefault(token, len(seen)) if token >= RESERVED_IDS else -1 for token in row.tolist())


def recognised(split: Split, *, start: int, stop: int) -> float:
    """The part of the disguised rows that a table of the patterns of the known ones finds."""
    known = {pattern(row[start:stop]) for row in split.x_train}
    found = disguised(split, np.random.default_rng(1)).x_test
    return float(np.mean([pattern(row[start:stop]) in known for row in found]))


def test_renaming_alone_leaves_rows_recognisable():
    assert recognised(replace(reviews(), public=False), start=0, stop=120) == 1.0


@pytest.mark.parametrize(("start", "stop"), [(0, 120), (0, 60), (60, 110)])
def test_public_rows_are_not_recognised_by_what_repeats_in_them(start: int, stop: int):
    assert recognised(reviews(), start=start, stop=stop) < 0.05


def test_public_rows_lose_some_frequent_words_and_no_others():
    split = reviews()
    found = disguised(split, np.random.default_rng(1))
    before, after = (split.x_train != 0).sum(), (found.x_train != 0).sum()
    assert 0.85 < after / before < 0.98
    assert np.array_equal(found.y_train, split.y_train)
    rare = np.bincount(split.x_train.ravel(), minlength=WORDS)[200:]
    kept = np.bincount(found.x_train.ravel(), minlength=WORDS)[RESERVED_IDS:]
    assert set(rare) <= set(kept)
    assert np.sort(rare).sum() <= kept.sum()
    ends = np.argmin(found.x_train != 0, axis=1)
    for row, end in zip(found.x_train, ends, strict=True):  # padding stays at the end
        assert not row[end:].any()


def test_rows_keep_their_last_tokens_and_spare_ones_fill_the_gaps():
    split = replace(reviews(), spare=20)
    found = disguised(split, np.random.default_rng(1)).x_test
    assert found.shape == (400, 100)
    assert (found != 0).mean() > 0.98
    longer = disguised(replace(split, spare=0), np.random.default_rng(1)).x_test
    for row, whole in zip(found, longer, strict=True):
        words = whole[whole != 0]
        assert np.array_equal(row[row != 0], words[-100:])


def test_reserved_ids_stay():
    split = replace(reviews(), public=False)
    split.x_train[:, 0], split.x_train[:, 5] = 1, 2
    found = disguised(split, np.random.default_rng(1)).x_train
    assert (found[:, 0] == 1).all()
    assert np.array_equal(found == 2, split.x_train == 2)
    assert np.array_equal(found == 0, split.x_train == 0)


LABELS = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    ("probabilities", "sentence"),
    [
        (np.ones((3, 1)), r"shape \(3, 1\), expected \(4, 1\)"),
        (np.ones((4, 2)), r"shape \(4, 2\)"),
        (np.array([0.0, 1.0, np.nan, 0.0]), "not all finite"),
        (np.array([0.0, 1.0, np.inf, 0.0]), "not all finite"),
        (np.array([0, 1, 1, 0]), "not all finite"),
        (np.array([0.0, 1.0, 1.5, 0.0]), "between 0.00 and 1.50"),
        (np.array([0.0, -1.0, 1.0, 0.0]), "between -1.00 and 1.00"),
    ],
)
def test_predictions_that_cannot_count_are_named(probabilities: np.ndarray, sentence: str):
    with pytest.raises(Broken, match=sentence):
        score(LABELS, probabilities)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_a_half_is_positive(shape: tuple[int, ...]):
    assert score(LABELS, np.array([0.49, 0.5, 1.0, 0.5]).reshape(shape)) == 0.75


UNBUILT = """
import keras

def build(vocabulary_size, sequence_length):
    model = keras.Sequential([
        keras.layers.Embedding(vocabulary_size, 4),
        keras.layers.GlobalAveragePooling1D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ])
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model
"""
CLASSIFIER = """
import keras

def build(vocabulary_size, sequence_length):
    tokens = keras.Input((sequence_length,), dtype="int32")
    x = keras.layers.Dropout(0.2)(keras.layers.Embedding(vocabulary_size, 4)(tokens))
    x = keras.layers.GlobalAveragePooling1D()(x)
    model = keras.Model(tokens, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(loss="binary_crossentropy", optimizer="adam")
    return model
"""


@pytest.mark.parametrize("cell", [CLASSIFIER, UNBUILT], ids=["functional", "without an input"])
def test_the_same_seed_trains_the_same_model(cell: str):
    namespace: dict[str, Any] = {"__name__": "cell"}
    exec(cell, namespace)
    exercise = Exercise("build", (Check("holds", lambda trial: None, points=1),), ())
    one, again, other = (
        learn(Trial(exercise, Probe(ask_here(namespace)), np.random.default_rng(seed), lambda name: reviews()), "any")
        for seed in (1, 1, 2)
    )
    assert (len(one.probabilities), len(one.untrained)) == (320, 80)
    assert np.sort([*one.labels, *one.untrained_labels]).tolist() == np.sort(reviews().y_test).tolist()
    np.testing.assert_allclose(one.probabilities, again.probabilities, atol=1e-6)
    assert np.abs(one.probabilities - other.probabilities).max() > 1e-4


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a check on a model that is right about so many of a hundred rows."""

    def run(right: int, *, small: bool = False, untrained: Any = (1.0, 0.0, 1.0, 0.0), **settings: Any) -> str | None:
        labels = np.arange(100) % 2
        found = np.where(np.arange(100) < right, labels, 1 - labels).astype(np.float32)
        split = replace(reviews(), small=small)
        model: Any = None
        learned = Learned(model, split, found, labels, np.array(untrained, np.float32), np.array([0, 1, 0, 1]))
        monkeypatch.setattr(accuracy, "learn", lambda trial, corpus: learned)
        check = reaches_accuracy("learns", corpus="any", points=4, floor=0.6, full=0.8, small=(0.5, 0.7), **settings)
        return check.run(Any)  # type: ignore[arg-type]

    return run


def test_from_a_threshold_on_everything_is_earned_and_what_was_reached_is_said(judged: Any):
    assert judged(80) == "The model reached an accuracy of 0.800 on 100 unseen rows."


@pytest.mark.parametrize(
    ("right", "small", "fraction"),
    [(79, False, 0.95), (70, False, 0.5), (60, False, 0.0), (3, False, 0.0), (60, True, 0.5), (50, True, 0.0)],
)
def test_below_it_points_rise_from_another_one(judged: Any, right: int, small: bool, fraction: float):
    with pytest.raises(Broken, match=f"accuracy of 0.{right:02}0 on 100 unseen rows; points rise from") as broken:
        judged(right, small=small, diagnose=lambda probabilities: "too-few")
    assert broken.value.fraction == pytest.approx(fraction)
    assert broken.value.misconceptions == ("too-few",)


def test_cut_down_rows_have_thresholds_of_their_own(judged: Any):
    assert judged(70, small=True)


def test_a_trained_model_that_is_not_what_it_should_be_loses_a_quarter(judged: Any):
    def after(*_: object) -> None:
        raise Broken("It reads the first token only.", "first-token")

    with pytest.raises(Broken, match=r"unseen rows\. It reads the first token only") as broken:
        judged(90, after=after)
    assert (broken.value.fraction, broken.value.misconceptions) == (0.75, ("first-token",))
    with pytest.raises(Broken, match=r"points rise from 0\.60 to 0\.80\. It reads the first token only") as broken:
        judged(70, after=after)
    assert (broken.value.fraction, broken.value.misconceptions) == (pytest.approx(0.375), ("first-token",))


@pytest.mark.parametrize(("right", "small"), [(75, False), (90, False), (60, True)])
def test_who_knows_as_much_with_the_weights_from_before_training_earns_nothing(judged: Any, right: int, small: bool):
    known = rf"0\.{right}0 on 100 unseen rows, and 0\.750 with the weights from before training"
    with pytest.raises(Broken, match=known) as broken:
        judged(right, small=small, untrained=(0.0, 1.0, 0.0, 0.0))
    assert broken.value.fraction == 0.0


@pytest.mark.parametrize("untrained", [(np.nan, 1.0, 0.0, 1.0), (0.0, 1.0), (0.0, 1.0, 0.0, 9.0)])
def test_an_untrained_model_need_not_give_probabilities(judged: Any, untrained: tuple[float, ...]):
    assert judged(90, untrained=untrained)


@pytest.mark.parametrize(
    ("one", "other"),
    [((4, 1), (4, 2)), ((4, 1), (1,)), ((), (4,)), ((4,), (4, 1)), ((4, 1), (8, 1)), ((8, 1), (4, 1))],
)
def test_a_part_of_the_rows_gets_one_answer_for_each_of_them(one: tuple[int, ...], other: tuple[int, ...]):
    parts = [np.zeros((4, 3)), np.zeros((4, 3))]
    with pytest.raises(Broken, match=r"predictions for 4 rows have shape \(.*\), expected \(4, 1\)"):
        accuracy._joined([np.ones(one), np.ones(other)], parts)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2), (4, 3, 1)])
def test_parts_that_fit_are_joined_whatever_they_are_then_found_to_be(shape: tuple[int, ...]):
    parts = [np.zeros((4, 3)), np.zeros((4, 3))]
    assert accuracy._joined([np.ones(shape), np.ones(shape)], parts).shape == (8, *shape[1:])
