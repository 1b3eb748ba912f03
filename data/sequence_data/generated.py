"""Generated corpora: review-like texts whose sentiment hangs on one known thing.

Each text is made of neutral filler words, drawn by Zipf's law, in which cues are planted:

- "words": cues of one polarity ("good", "moving" ... or "bad", "dull" ...).
- "phrases": pairs of cues, one plain, one negated. A positive review says "good" and "not bad",
  its negative twin "not good" and "bad": the same words, so counting words tells nothing.
- "order": two cues far apart in either order. A review is positive when "disappointing" comes
  before "promising": again the same words, and too far apart for one small filter.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .reviews import INDEX_FROM, PAD, START, Ids, token_ids
from .vocabulary import NEGATIONS, NEGATIVE_WORDS, POSITIVE_WORDS, TURNS, word_list

Ranks = NDArray[np.int64]
Plant = Callable[["Texts", Ids, np.random.Generator], None]

CELL = 4
"""Tokens that each planted cue has to itself, so that cues never touch."""

TOKENS_PER_CUE = 16
"""A text of the corpora "words" and "phrases" holds one cue, or pair of cues, for so many."""

MINIMUM_GAP = 24
"""Between the cues of "order": more than a few small filters see, and so much that a cue's place
nearly tells whether it is the first, so that learned positions also get there in three epochs."""

MARGIN = 8
"""The cues of "order" keep away from either end, which a small filter could recognise."""

ZIPF_EXPONENT = 1.1
MAX_NUM_WORDS = INDEX_FROM + 1 + len(word_list())


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts in the making: `ranks` (N, T) of words, of which `lengths` (N,) will be kept."""

    ranks: Ranks
    lengths: Ranks


def _ranks_of(words: tuple[str, ...]) -> Ranks:
    return np.array([word_list().index(word) + 1 for word in words])


def _random_cells(texts: Texts, count: int, rng: np.random.Generator) -> Ranks:
    """First positions of `count` distinct random cells inside each text, shape (N, count)."""
    cells = texts.lengths // CELL  # (N,)
    keys = rng.random((len(cells), int(cells.max())))
    keys[np.arange(keys.shape[1]) >= cells[:, None]] = 2.0  # cells beyond the end come last
    return CELL * np.argsort(keys, axis=1)[:, :count]


def _plant_words(texts: Texts, labels: Ids, rng: np.random.Generator) -> None:
    count = max(1, texts.ranks.shape[1] // TOKENS_PER_CUE)
    at = _random_cells(texts, count, rng)  # (N, count)
    positive = rng.choice(_ranks_of(POSITIVE_WORDS), at.shape)
    negative = rng.choice(_ranks_of(NEGATIVE_WORDS), at.shape)
    rows = np.arange(len(labels))[:, None]
    texts.ranks[rows, at + 1] = np.where(labels[:, None] == 1, positive, negative)


def _plant_phrases(texts: Texts, labels: Ids, rng: np.random.Generator) -> None:
    pairs = max(1, texts.ranks.shape[1] // TOKENS_PER_CUE)
    at = _random_cells(texts, 2 * pairs, rng)  # (N, 2 * pairs)
    plain, negated = at[:, :pairs], at[:, pairs:]
    positive = rng.choice(_ranks_of(POSITIVE_WORDS), plain.shape)
    negative = rng.choice(_ranks_of(NEGATIVE_WORDS), plain.shape)
    is_positive = labels[:, None] == 1
    rows = np.arange(len(labels))[:, None]
    texts.ranks[rows, plain + 1] = np.where(is_positive, positive, negative)
    texts.ranks[rows, negated] = rng.choice(_ranks_of(NEGATIONS), negated.shape)
    texts.ranks[rows, negated + 1] = np.where(is_positive, negative, positive)


def _plant_order(texts: Texts, labels: Ids, rng: np.random.Generator) -> None:
    room = texts.lengths - 2 * MARGIN  # (N,)
    gap = rng.integers(MINIMUM_GAP, room)
    first = MARGIN + rng.integers(0, room - gap)
    promising, disappointing = _ranks_of(TURNS)
    ends_well = labels == 1
    rows = np.arange(len(labels))
    texts.ranks[rows, first] = np.where(ends_well, disappointing, promising)
    texts.ranks[rows, first + gap] = np.where(ends_well, promising, disappointing)


@dataclass(frozen=True)
class Corpus:
    """How a generated corpus is made.

    Attributes:
        plant: writes the cues into the texts.
        shortest: the shortest text as a fraction of the longest.
        minimum_length: the smallest `sequence_length` that has room for the cues.
    """

    plant: Plant
    shortest: float
    minimum_length: int


CORPORA = {
    "words": Corpus(_plant_words, shortest=0.5, minimum_length=8),
    "phrases": Corpus(_plant_phrases, shortest=0.5, minimum_length=20),
    "order": Corpus(_plant_order, shortest=0.85, minimum_length=50),
}


def train_and_test(
    corpus: str, sizes: tuple[int, int], num_words: int, sequence_length: int, seed: int
) -> tuple[tuple[Ids, Ids], tuple[Ids, Ids]]:
    """Draws the training and the test reviews, which have no review in common.

    Args:
        corpus: one of `CORPORA`.
        sizes: numbers of reviews, N and M; half of each are positive.
        num_words: number of ids.
        sequence_length: tokens a review, L.
        seed: the same seed gives the same reviews.

    Returns:
        (x_train (N, L), y_train (N,)) and (x_test (M, L), y_test (M,)), int32.
    """
    plan = CORPORA[corpus]
    train_rng, test_rng = (np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(2))
    y_train, y_test = _labels(sizes[0], train_rng), _labels(sizes[1], test_rng)
    x_train = _draw(plan, y_train, num_words, sequence_length, train_rng)
    x_test = _draw(plan, y_test, num_words, sequence_length, test_rng)
    seen = {row.tobytes() for row in x_train}
    while again := [i for i, row in enumerate(x_test) if row.tobytes() in seen]:
        x_test[again] = _draw(plan, y_test[again], num_words, sequence_length, test_rng)
    return (x_train, y_train), (x_test, y_test)


def _labels(size: int, rng: np.random.Generator) -> Ids:
    """Labels in random order, half of them 1; of an odd number, the smaller half."""
    return rng.permutation(np.arange(size) % 2).astype(np.int32)


def _draw(plan: Corpus, labels: Ids, num_words: int, sequence_length: int, rng: np.random.Generator) -> Ids:
    """One review for each label, shape (N, L)."""
    N, T = len(labels), sequence_length - 1  # the start takes one place
    texts = Texts(
        ranks=_filler_ranks((N, T), rng),
        lengths=rng.integers(math.ceil(plan.shortest * T), T + 1, N),
    )
    plan.plant(texts, labels, rng)
    ids = token_ids(texts.ranks, num_words)  # (N, T)
    ids[np.arange(T) >= texts.lengths[:, None]] = PAD
    return np.insert(ids, 0, START, axis=1)  # (N, L)


def _filler_ranks(shape: tuple[int, int], rng: np.random.Generator) -> Ranks:
    """Ranks of neutral words, drawn by Zipf's law over the whole vocabulary."""
    ranks, cumulative = _filler()
    drawn = np.searchsorted(cumulative, rng.random(shape), side="right")
    return ranks[np.minimum(drawn, len(ranks) - 1)]  # the sum may round below 1


@cache
def _filler() -> tuple[Ranks, NDArray[np.float64]]:
    """Ranks of the neutral words, and the cumulative probability of each."""
    cues = _ranks_of((*POSITIVE_WORDS, *NEGATIVE_WORDS, *NEGATIONS, *TURNS))
    ranks = np.setdiff1d(np.arange(1, len(word_list()) + 1), cues)
    weights = ranks**-ZIPF_EXPONENT
    return ranks, np.cumsum(weights / weights.sum())
