"""The corpora that training exercises are graded on, by the names that exercises use."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from autograder.checking import Split, generator
from autograder.pipeline.settings import Data, Settings, UsageError

GENERATED = frozenset({"order", "phrases"})
"""Corpora every run has."""

SIZES = {"gpu": (25_000, 25_000, 200), "cpu": (12_500, 12_500, 128)}
"""What of IMDb each profile learns: reviews to train on, reviews to ask about, tokens."""
GENERATED_TEST = 2_500
"""Generated rows to ask about. A fifth of all such rows is for what a model knows before training."""
SPARE = 8
"""For so many tokens one more is read, to take the place of one that is left out."""


def available(data: Data) -> frozenset[str]:
    """Returns the names of the corpora that a run with this data has."""
    return GENERATED | ({"imdb"} if data == "imdb" else set())


def load(settings: Settings) -> Callable[[str], Split]:
    """Returns the source of corpora for a run: a function from a name to its rows, which are fewer in profile cpu."""

    def corpus(name: str) -> Split:
        if name not in available(settings.data):
            raise LookupError(f"a run with --data {settings.data} has no corpus {name!r}")
        if name == "imdb":
            return _imdb(*SIZES[settings.profile], small=settings.profile == "cpu")
        return _generated(name, drawn_from(settings, name))

    return corpus


def drawn_from(settings: Settings, name: str) -> int:
    """Returns the seed of a generated corpus: the course's own, so that nobody else can draw its rows."""
    return int(generator(settings.seed, name).integers(2**63))


def check(settings: Settings) -> None:
    """Raises `UsageError` if the corpora cannot be had, before anything is graded."""
    if settings.data == "imdb":
        load(settings)("imdb")


@cache
def _generated(name: str, seed: int) -> Split:
    from sequence_data import load_reviews

    reviews = load_reviews(name, test_size=GENERATED_TEST, seed=seed)
    return Split(reviews.x_train, reviews.y_train, reviews.x_test, reviews.y_test, reviews.num_words)


@cache
def _imdb(train_size: int, test_size: int, length: int, *, small: bool) -> Split:
    from sequence_data import DataError, load_reviews

    spare = length // SPARE
    try:
        reviews = load_reviews("imdb", train_size=train_size, test_size=test_size, sequence_length=length + spare)
    except DataError as error:
        raise UsageError(str(error)) from error
    return Split(
        reviews.x_train,
        reviews.y_train,
        reviews.x_test,
        reviews.y_test,
        reviews.num_words,
        small=small,
        public=True,
        spare=spare,
    )
