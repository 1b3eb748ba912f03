"""The corpora that training exercises are graded on, by the names that exercises use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from autograder.checking import Split
from autograder.pipeline.settings import Data, UsageError

GENERATED = frozenset({"order", "phrases"})
"""Corpora every run has."""


def available(data: Data) -> frozenset[str]:
    """Returns the names of the corpora that a run with this data has."""
    return GENERATED | ({"imdb"} if data == "imdb" else set())


def load(data: Data) -> Callable[[str], Split]:
    """Returns the source of corpora for a run: a function from a name to its rows."""

    def corpus(name: str) -> Split:
        if name not in available(data):
            raise LookupError(f"a run with --data {data} has no corpus {name!r}")
        return _split(name)

    return corpus


def check(data: Data) -> None:
    """Raises `UsageError` if the corpora cannot be had, before anything is graded."""
    if data == "imdb":
        _split("imdb")


@cache
def _split(name: str) -> Split:
    from sequence_data import DataError, load_reviews

    try:
        reviews = load_reviews(name)
    except DataError as error:
        raise UsageError(str(error)) from error
    return Split(reviews.x_train, reviews.y_train, reviews.x_test, reviews.y_test, reviews.num_words)
