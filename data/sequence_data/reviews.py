"""What a corpus is once it is loaded, and the conventions that all corpora share."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PAD, START, UNKNOWN = 0, 1, 2
INDEX_FROM = 3
"""A word's id is INDEX_FROM + its rank; ranks count from 1, so the first word has id 4."""

SPECIAL_TOKENS = ("[pad]", "[start]", "[unknown]", "[unused]")

Ids = NDArray[np.int32]


class DataError(Exception):
    """A data file is missing, incomplete or not the expected one; says in a sentence what to do."""


@dataclass(frozen=True, eq=False)
class Reviews:
    """Reviews as token ids with their labels, split into train and test.

    Attributes:
        name: the corpus, as given to `load_reviews`.
        x_train: int32, shape (N, L); ids from 0 to `num_words` - 1, padded with 0 at the end.
        y_train: int32, shape (N,); 1 is positive, 0 negative.
        x_test: int32, shape (M, L).
        y_test: int32, shape (M,).
        vocabulary: the word of each id; its first four entries are no words.
        num_words: number of ids, the `input_dim` of an embedding.
        sequence_length: L.
    """

    name: str
    x_train: Ids
    y_train: Ids
    x_test: Ids
    y_test: Ids
    vocabulary: tuple[str, ...]
    num_words: int
    sequence_length: int

    def decode(self, row: ArrayLike) -> str:
        """The text of one review.

        Args:
            row: token ids, shape (L,). Padding (0) is dropped; 1 reads "[start]", 2 "[unknown]".

        Returns:
            The words, joined by spaces.
        """
        ids = np.asarray(row, np.int32)
        if ids.ndim != 1:
            raise ValueError(f"decode takes one review, shape (L,), received shape {ids.shape}.")
        kept: list[int] = ids[ids != PAD].tolist()
        return " ".join(self.vocabulary[i] for i in kept)


def vocabulary_of(words: Iterable[str], num_words: int) -> tuple[str, ...]:
    """The word of each id below `num_words`, from the words in rank order."""
    return (*SPECIAL_TOKENS, *words)[:num_words]


def token_ids(ranks: NDArray[np.integer], num_words: int) -> Ids:
    """Ids of words given by rank; rank 0 and ids from `num_words` on become UNKNOWN."""
    ids = ranks.astype(np.int32) + INDEX_FROM
    return np.where((ranks == 0) | (ids >= num_words), UNKNOWN, ids).astype(np.int32)
