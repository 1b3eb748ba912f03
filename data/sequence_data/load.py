"""`load_reviews`: one door to every corpus."""

import operator
from dataclasses import dataclass

from . import generated, imdb
from .reviews import Reviews, vocabulary_of
from .vocabulary import word_list


@dataclass(frozen=True)
class Defaults:
    """The values for arguments left out, and the bounds of those given."""

    num_words: int
    sequence_length: int
    train_size: int
    test_size: int
    minimum_words: int
    maximum_words: int
    minimum_length: int
    maximum_size: int | None = None


_IMDB = Defaults(
    num_words=10_000,
    sequence_length=200,
    train_size=imdb.REVIEWS_PER_SPLIT,
    test_size=imdb.REVIEWS_PER_SPLIT,
    minimum_words=5,  # at least one word beside the special ids
    maximum_words=imdb.MAX_NUM_WORDS,
    minimum_length=8,
    maximum_size=imdb.REVIEWS_PER_SPLIT,
)


def _generated(corpus: str) -> Defaults:
    return Defaults(
        num_words=2_000,
        sequence_length=64,
        train_size=8_000,
        test_size=2_000,
        minimum_words=100,  # all cues have lower ids
        maximum_words=generated.MAX_NUM_WORDS,
        minimum_length=generated.CORPORA[corpus].minimum_length,
    )


CORPORA = ("imdb", *generated.CORPORA)


def load_reviews(
    corpus: str = "phrases",
    *,
    num_words: int | None = None,
    sequence_length: int | None = None,
    train_size: int | None = None,
    test_size: int | None = None,
    seed: int = 0,
) -> Reviews:
    """Loads or generates a corpus of labelled reviews.

    In every corpus id 0 pads a review at its end, 1 starts it, 2 stands for a word outside the
    vocabulary, and a word's id is 3 + its rank, ranks counted from 1. A review longer than
    `sequence_length` keeps its last tokens.

    Args:
        corpus: one of
            "imdb", 25,000 + 25,000 real reviews (Maas et al. 2011), in the order of
            `keras.datasets.imdb.load_data`;
            "words", generated: the sentiment hangs on single words;
            "phrases", generated: it hangs on phrases such as "not bad", and counting words says
            nothing about it;
            "order", generated: it hangs on which of two distant words comes first.
        num_words: number of ids; rarer words become 2. Default 10,000 for "imdb", of 5 to 20,000 or so; else 2,000, of
            100 to 10,000 or so.
        sequence_length: tokens a review, L. Default 200 for "imdb", else 64; at least 8, for "phrases" 20 and for
            "order" 50.
        train_size: number of training reviews, N. Default 25,000 for "imdb" (fewer: the first
            ones), else 8,000.
        test_size: number of test reviews, M. Default 25,000 for "imdb", else 2,000.
        seed: draws a generated corpus; "imdb" is the same for every seed.

    Returns:
        `Reviews` with x_train (N, L), y_train (N,), x_test (M, L), y_test (M,), all int32.

    Raises:
        ValueError: an argument that cannot be used.
        DataError: a file of "imdb" that is missing, incomplete, or not the expected one.

    Example:
    >>> reviews = load_reviews("phrases", train_size=100, test_size=20)
    >>> reviews.x_train.shape, reviews.y_test.shape
    ((100, 64), (20,))
    """
    if corpus not in CORPORA:
        raise ValueError(f"corpus must be one of {', '.join(CORPORA)}, received {corpus!r}.")
    default = _IMDB if corpus == "imdb" else _generated(corpus)
    num_words = _checked("num_words", num_words, default.num_words, default.minimum_words, default.maximum_words)
    sequence_length = _checked("sequence_length", sequence_length, default.sequence_length, default.minimum_length)
    train_size = _checked("train_size", train_size, default.train_size, 1, default.maximum_size)
    test_size = _checked("test_size", test_size, default.test_size, 1, default.maximum_size)
    seed = _checked("seed", seed, 0, 0)

    if corpus == "imdb":
        source = imdb.read()
        words = source.words
        train, test = imdb.train_and_test(source, (train_size, test_size), num_words, sequence_length)
    else:
        words = word_list()
        train, test = generated.train_and_test(corpus, (train_size, test_size), num_words, sequence_length, seed)
    return Reviews(corpus, *train, *test, vocabulary_of(words, num_words), num_words, sequence_length)


def _checked(name: str, value: int | None, default: int, minimum: int, maximum: int | None = None) -> int:
    if value is None:
        return default
    try:
        value = operator.index(value)  # refuses floats and strings
    except TypeError:
        raise ValueError(f"{name} must be an integer, received {value!r}.") from None
    if value < minimum or (maximum is not None and value > maximum):
        wanted = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise ValueError(f"{name} must be {wanted} for this corpus, received {value}.")
    return value
