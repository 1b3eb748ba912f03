"""The corpora that training exercises are graded on, by the names that exercises use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from autograder.checking import Split
from autograder.pipeline.settings import Data, Profile, UsageError

GENERATED = frozenset({"order", "phrases"})
"""Corpora every run has."""

SMALL = {"train_size": 12_500, "test_size": 10_000, "sequence_length": 128}
"""What of IMDb a machine without a GPU is asked to learn."""


def available(data: Data) -> frozenset[str]:
    """Returns the names of the corpora that a run with this data has."""
    return GENERATED | ({"imdb"} if data == "imdb" else set())


def load(data: Data, profile: Profile = "cpu") -> Callable[[str], Split]:
    """Returns the source of corpora for a run: a function from a name to its rows, which are fewer in profile cpu."""

    def corpus(name: str) -> Split:
        if name not in available(data):
            raise LookupError(f"a run with --data {data} has no corpus {name!r}")
        return _split(name, small=name == "imdb" and profile == "cpu")

    return corpus


def check(data: Data, profile: Profile) -> None:
    """Raises `UsageError` if the corpora cannot be had, before anything is graded."""
    if data == "imdb":
        load(data, profile)("imdb")


@cache
def _split(name: str, *, small: bool) -> Split:
    from sequence_data import DataError, load_reviews

    try:
        reviews = load_reviews(name, **(SMALL if small else {}))
    except DataError as error:
        raise UsageError(str(error)) from error
    return Split(reviews.x_train, reviews.y_train, reviews.x_test, reviews.y_test, reviews.num_words, small)
