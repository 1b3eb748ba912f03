"""Whoever waits reads how far it has got, how fast it goes and what is left."""

import pytest

from autograder.pipeline.standing import Standing


@pytest.mark.parametrize(
    ("standing", "line"),
    [
        (Standing(40), "0 of 40 graded"),
        (Standing(40, kept=10), "10 of 40 graded, 10 of them earlier"),
        (
            Standing(40, kept=10, graded=15, seconds=10.0),
            "25 of 40 graded, 10 of them earlier, 1.5 a second, about 10 s left",
        ),
        # 30 s each
        (Standing(40, graded=4, failed=1, seconds=120.0), "4 of 40 graded, 30.0 s each, about 18 min left, 1 failed"),
        (Standing(1000, graded=10, seconds=300.0), "10 of 1000 graded, 30.0 s each, about 8.2 h left"),
        (Standing(40, graded=40, failed=2, seconds=20.0), "40 of 40 graded, 2.0 a second, 2 failed"),
        (Standing(40, graded=40, seconds=20.0, entered=0), "0 of 40 entered into the gradebook"),
        (
            Standing(40, graded=40, seconds=20.0, entered=20, entered_earlier=10, entering_seconds=5.0),
            "20 of 40 entered into the gradebook, 2.0 a second, about 10 s left",
        ),
    ],
)
def test_how_far_it_has_got_is_one_line(standing: Standing, line: str):
    assert str(standing) == line
