"""The IMDb reviews (Maas et al. 2011), from a compact pickle-free file or from Keras' own file.

Both sources hold the same reviews in the same raw order, all positive ones first, then all
negative ones; the order of the returned rows is that of `keras.datasets.imdb.load_data`.
"""

import hashlib
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .download import download
from .reviews import PAD, START, DataError, Ids, token_ids

COMPACT_VARIABLE = "SEQUENCE_DATA_IMDB"
COMPACT_SHA256 = "2102fb970ba14830d57a18678e17ef57091f8bc738f8ddd71c0a98d82ac9f09c"
COMPACT_WORDS = 20_000

KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
KERAS_SHA256 = {
    "imdb.npz": "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    "imdb_word_index.json": "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6",
}

REVIEWS_PER_SPLIT = 25_000
MAX_NUM_WORDS = COMPACT_WORDS + 4
"""The same for both sources, so that no result depends on which of them was at hand."""

SHUFFLE_SEED = 113
"""The default seed of `keras.datasets.imdb.load_data`."""


@dataclass(frozen=True, eq=False)
class Split:
    """Ragged reviews in raw order.

    Attributes:
        ranks: word ranks of all reviews end to end, shape (total,); 0 is a word without a rank.
        offsets: shape (N + 1,); review i is `ranks[offsets[i]:offsets[i + 1]]`.
        labels: shape (N,), 1 is positive.
    """

    ranks: NDArray[np.integer]
    offsets: NDArray[np.integer]
    labels: NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Source:
    """Both splits and the words in rank order, as one file holds them."""

    train: Split
    test: Split
    words: tuple[str, ...]


def read() -> Source:
    """Reads the file named by SEQUENCE_DATA_IMDB, else Keras' file, which is downloaded once."""
    named = os.environ.get(COMPACT_VARIABLE)
    if named:
        return read_compact(Path(named).expanduser())
    reviews, word_index = (_keras_file(name) for name in KERAS_SHA256)
    return read_keras(reviews, word_index)


def train_and_test(
    source: Source, sizes: tuple[int, int], num_words: int, sequence_length: int
) -> tuple[tuple[Ids, Ids], tuple[Ids, Ids]]:
    """The first reviews of each split in Keras' order.

    Args:
        source: what `read` returns.
        sizes: numbers of reviews, N and M.
        num_words: number of ids.
        sequence_length: tokens a review, L.

    Returns:
        (x_train (N, L), y_train (N,)) and (x_test (M, L), y_test (M,)), int32.
    """
    train_order = np.arange(len(source.train.labels))
    test_order = np.arange(len(source.test.labels))
    shuffle = np.random.RandomState(SHUFFLE_SEED).shuffle  # one stream: train first, then test
    shuffle(train_order)
    shuffle(test_order)
    return (
        _rows(source.train, train_order[: sizes[0]], num_words, sequence_length),
        _rows(source.test, test_order[: sizes[1]], num_words, sequence_length),
    )


def _rows(split: Split, chosen: NDArray[np.integer], num_words: int, sequence_length: int) -> tuple[Ids, Ids]:
    """The chosen reviews as ids (N, L), and their labels (N,)."""
    ids = token_ids(split.ranks, num_words)
    x = np.full((len(chosen), sequence_length), PAD, np.int32)
    for row, review in zip(x, chosen, strict=True):
        tokens = ids[split.offsets[review] : split.offsets[review + 1]]
        tokens = np.concatenate(([START], tokens))[-sequence_length:]
        row[: len(tokens)] = tokens
    return x, split.labels[chosen].astype(np.int32)


def read_compact(path: Path, sha256: str = COMPACT_SHA256, reviews: int = REVIEWS_PER_SPLIT) -> Source:
    """Reads the compact file, which holds no pickle.

    For split in train and test it holds `{split}_tokens` (uint16, ranks up to the number of
    words), `{split}_offsets` (uint32), `{split}_labels` (uint8), and for both `vocab_utf8`
    (uint8), the words in rank order joined by newlines.

    Args:
        path: the file.
        sha256: the hash it must have.
        reviews: the number of reviews it must have in each split.
    """
    content = _content(path, f"correct the environment variable {COMPACT_VARIABLE} or unset it")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in _COMPACT_DTYPES}
        words = tuple(arrays["vocab_utf8"].tobytes().decode().split("\n"))
    except Exception as error:  # whatever a damaged zip file makes its reader raise
        raise _foreign(path, f"incomplete or of another kind ({error})") from error
    for key, dtype in _COMPACT_DTYPES.items():
        if arrays[key].dtype != dtype or arrays[key].ndim != 1:
            raise _foreign(path, f"{key} is not a vector of {dtype}")
    splits = [
        Split(*(arrays[f"{name}_{part}"] for part in ("tokens", "offsets", "labels"))) for name in ("train", "test")
    ]
    for name, split in zip(("train", "test"), splits, strict=True):
        ends = split.offsets.astype(np.int64)
        if len(split.labels) != reviews or len(ends) != reviews + 1:
            raise _foreign(path, f"{name} does not hold {reviews:,} reviews")
        if ends[0] != 0 or ends[-1] != len(split.ranks) or (np.diff(ends) < 0).any():
            raise _foreign(path, f"{name}_offsets do not divide {name}_tokens into reviews")
        if split.ranks.max(initial=0) > len(words):
            raise _foreign(path, f"{name}_tokens holds ranks beyond the {len(words):,} words")
        if split.labels.max(initial=0) > 1:
            raise _foreign(path, f"{name}_labels holds more than 0 and 1")
    _verify(path, content, sha256)
    return Source(splits[0], splits[1], words)


def read_keras(reviews: Path, word_index: Path, sha256: Mapping[str, str] = KERAS_SHA256) -> Source:
    """Reads Keras' imdb.npz and imdb_word_index.json.

    The former holds pickled lists. What is unpickled is the very bytes whose hash was verified.

    Args:
        reviews: imdb.npz.
        word_index: imdb_word_index.json, word to rank.
        sha256: the hashes that the two must have, by the names in `KERAS_SHA256`.
    """
    advice = "move what stands there away and run again"
    content, index = _content(reviews, advice), _content(word_index, advice)
    _verify(reviews, content, sha256["imdb.npz"])
    _verify(word_index, index, sha256["imdb_word_index.json"])
    with np.load(io.BytesIO(content), allow_pickle=True) as file:
        train, test = (_ragged(file[f"x_{name}"], file[f"y_{name}"]) for name in ("train", "test"))
    ranks: dict[str, int] = json.loads(index)
    return Source(train, test, tuple(sorted(ranks, key=ranks.__getitem__)[:COMPACT_WORDS]))


_COMPACT_DTYPES = {
    "train_tokens": "uint16",
    "train_offsets": "uint32",
    "train_labels": "uint8",
    "test_tokens": "uint16",
    "test_offsets": "uint32",
    "test_labels": "uint8",
    "vocab_utf8": "uint8",
}


def _ragged(reviews: Sequence[list[int]], labels: NDArray[np.integer]) -> Split:
    """Keras' array of lists, end to end."""
    offsets = np.cumsum([0, *map(len, reviews)])
    ranks = np.fromiter(chain.from_iterable(reviews), np.int32, offsets[-1])
    return Split(ranks, offsets, labels)


def _keras_file(name: str) -> Path:
    """The file in our cache, else in Keras' own, else downloaded into ours."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sequence-data"
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    for folder in (cache, keras):
        if (folder / name).exists():
            return folder / name
    return download(KERAS_URL + name, cache / name, KERAS_SHA256[name])


def _content(path: Path, advice: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = "does not exist" if isinstance(error, FileNotFoundError) else "can't be read"
        raise DataError(f"The IMDb file {path} {problem}: {advice}.") from error


def _verify(path: Path, content: bytes, sha256: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise DataError(
            f"IMDb file has wrong hash: {path} has SHA-256 {found[:12]}… instead of "
            f"{sha256[:12]}…, so it is incomplete or another file; move it away and get it anew."
        )


def _foreign(path: Path, reason: str) -> DataError:
    return DataError(f"{path} is not the compact IMDb file: {reason}.")
