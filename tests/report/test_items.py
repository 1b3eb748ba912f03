"""Item analysis, compared with numbers worked by hand."""

from math import sqrt

import pytest

from autograder.report.items import Item, analysed

EXERCISES = (("a", 2.0), ("b", 4.0), ("c", 1.0))
SCORES = ((2.0, 4.0, 1.0), (2.0, 2.0, 1.0), (0.0, 2.0, 1.0), (0.0, 0.0, 0.0))


def test_difficulty_is_the_mean_share_of_the_points():
    assert [item.difficulty for item in analysed(EXERCISES, SCORES)] == [4 / 8, 8 / 16, 3 / 4]


def test_discrimination_is_the_correlation_with_the_points_of_all_others():
    # a: deviations (1, 1, -1, -1), of b + c (2.25, 0.25, 0.25, -2.75): 5 / √(4 · 12.75)
    # b: (2, 0, 0, -2), of a + c (1.25, 1.25, -0.75, -1.75): 6 / √(8 · 6.75)
    # c: (0.25, 0.25, 0.25, -0.75), of a + b (3, 1, -1, -3): 3 / √(0.75 · 20)
    expected = [5 / sqrt(4 * 12.75), 6 / sqrt(8 * 6.75), 3 / sqrt(0.75 * 20)]
    assert [item.discrimination for item in analysed(EXERCISES, SCORES)] == pytest.approx(expected)


def test_the_exercise_itself_has_no_part_in_what_it_is_compared_with():
    # with its own points in the total, b would correlate with it
    _, b = analysed((("a", 1.0), ("b", 1.0)), ((0.0, 1.0), (1.0, 1.0), (1.0, 0.0), (0.0, 0.0)))
    assert b.discrimination == pytest.approx(0)


def test_an_exercise_that_the_weak_solve_discriminates_negatively():
    _, b = analysed((("a", 2.0), ("b", 2.0)), ((2.0, 0.0), (1.0, 1.0), (0.0, 2.0)))
    assert b.discrimination == pytest.approx(-1)
    assert b.verdict == "poor"


@pytest.mark.parametrize(
    "scores",
    [
        ((2.0, 1.0), (2.0, 2.0), (2.0, 0.0)),  # everybody has all points of a
        ((0.0, 1.0), (1.0, 1.0), (2.0, 1.0)),  # nothing else differs
        ((0.0, 0.0), (2.0, 2.0)),  # two submissions always lie on a line
    ],
)
def test_where_nothing_differs_there_is_no_discrimination(scores: tuple[tuple[float, float], ...]):
    a, _ = analysed((("a", 2.0), ("b", 2.0)), scores)
    assert a.discrimination is None
    assert a.verdict == "nothing to compare"


def test_all_points_and_no_points_are_counted():
    assert [(item.full, item.nothing) for item in analysed(EXERCISES, SCORES)] == [(2, 2), (1, 1), (3, 1)]


def test_a_class_of_which_nothing_could_be_read_has_no_items():
    assert analysed(EXERCISES, ()) == []


@pytest.mark.parametrize(
    ("discrimination", "word"),
    [(0.4, "very good"), (0.39, "good"), (0.3, "good"), (0.29, "marginal"), (0.2, "marginal"), (0.19, "poor")],
)
def test_the_words_are_those_of_ebel_and_frisbie(discrimination: float, word: str):
    assert Item("a", 1.0, 0.5, discrimination, 0, 0).verdict == word
