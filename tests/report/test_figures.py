"""The plots: right numbers, told in words too, and nothing in them that a page has to fetch."""

import pytest
from lxml import etree

from autograder.report.figures import difficulty_and_discrimination, distribution, marks
from autograder.report.items import Item

ITEMS = [Item("softmax", 4.0, 0.5, 0.25, 1, 1), Item("causal_mask", 2.0, 1.0, None, 2, 0)]
PLOTS = [marks(distribution([0, 1, 1, 4], 4)), difficulty_and_discrimination(ITEMS)]


def test_every_student_is_in_one_bar():
    shown = distribution([0, 0.5, 1, 3.9, 4], 4)
    assert shown.edges == [0, 1, 2, 3, 4]
    assert shown.counts == [2, 1, 0, 2]


@pytest.mark.parametrize(("most", "width"), [(4, 1), (16, 1), (17, 2), (28, 2), (40, 5), (100, 10), (333, 50), (0, 1)])
def test_there_are_never_more_bars_than_can_be_read(most: float, width: float):
    shown = distribution([most, 0], most)
    assert shown.edges[1] - shown.edges[0] == width
    assert len(shown.counts) <= 16
    assert sum(shown.counts) == 2


def test_a_score_above_the_maximum_is_shown():
    assert sum(distribution([5.5], 4).counts) == 1


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_is_a_picture_with_a_description(plot: str):
    root = etree.fromstring(plot)
    assert root.get("role") == "img"
    assert len(root.get("aria-label", "")) > 40


def test_the_descriptions_hold_the_numbers():
    assert "0 to 1 points: 1; 1 to 2 points: 2; 2 to 3 points: 0; 3 to 4 points: 1." in PLOTS[0]
    assert "softmax 0.50 and 0.25; causal_mask 1.00 and none." in PLOTS[1]


@pytest.mark.parametrize("plot", PLOTS)
def test_a_plot_takes_the_colours_of_the_page_and_nothing_from_elsewhere(plot: str):
    assert "var(--bar)" in plot
    for foreign in ("#00000", "url(", "href", "<style", " id=", "font-family", "<script"):
        assert foreign not in plot
