"""Both IMDb sources give the arrays of Keras, and every wrong file is answered in a sentence."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sequence_data import DataError, imdb, load_reviews

N = 40
WORDS = [f"word{rank}" for rank in range(1, 21)]
"""The words that the toy files know; their reviews also hold the ranks 21 to 30."""

Toy = dict[str, tuple[list[list[int]], np.ndarray]]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def toy() -> Toy:
    """Random reviews of 1 to 15 ranks, raw order: all positive, then all negative."""
    rng = np.random.default_rng(0)
    labels = np.repeat([1, 0], N // 2)
    return {
        split: ([rng.integers(1, 31, rng.integers(1, 16)).tolist() for _ in labels], labels)
        for split in ("train", "test")
    }


def compact_arrays(toy: Toy) -> dict[str, np.ndarray]:
    arrays = {"vocab_utf8": np.frombuffer("\n".join(WORDS).encode(), np.uint8)}
    for split, (reviews, labels) in toy.items():
        ranks = np.concatenate(reviews)
        arrays[f"{split}_tokens"] = np.where(ranks > len(WORDS), 0, ranks).astype(np.uint16)
        arrays[f"{split}_offsets"] = np.cumsum([0, *map(len, reviews)]).astype(np.uint32)
        arrays[f"{split}_labels"] = labels.astype(np.uint8)
    return arrays


@pytest.fixture
def compact(tmp_path: Path, toy: Toy) -> Path:
    path = tmp_path / "compact.npz"
    np.savez_compressed(path, **compact_arrays(toy))  # pyright: ignore[reportArgumentType]
    return path


@pytest.fixture
def keras_files(tmp_path: Path, toy: Toy) -> tuple[Path, Path, dict[str, str]]:
    """The toy reviews as Keras ships them, pickled lists, with the word index and the hashes."""
    reviews, index = tmp_path / "imdb.npz", tmp_path / "imdb_word_index.json"
    arrays: dict[str, np.ndarray] = {}
    for split, (lists, labels) in toy.items():
        arrays[f"x_{split}"] = np.array([*lists, None], object)[:-1]
        arrays[f"y_{split}"] = labels
    np.savez(reviews, **arrays)  # pyright: ignore[reportArgumentType]
    shuffled = np.random.default_rng(1).permutation(len(WORDS)).tolist()
    index.write_text(json.dumps({WORDS[i]: i + 1 for i in shuffled}))
    return reviews, index, {path.name: sha256(path) for path in (reviews, index)}


def test_both_sources_give_the_same_arrays_and_words(compact: Path, keras_files: tuple[Path, Path, dict[str, str]]):
    ours = imdb.read_compact(compact, sha256(compact), N)
    theirs = imdb.read_keras(*keras_files)
    assert ours.words == theirs.words == tuple(WORDS)
    # num_words 24 is the most that 20 words allow: their ids are 4 to 23.
    for num_words, length in ((24, 200), (12, 200), (24, 8)):
        for one, other in zip(
            imdb.train_and_test(ours, (N, N - 3), num_words, length),
            imdb.train_and_test(theirs, (N, N - 3), num_words, length),
            strict=True,
        ):
            np.testing.assert_array_equal(one[0], other[0])
            np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("length", [200, 8])
def test_arrays_are_those_of_keras_load_data(
    length: int,
    keras_files: tuple[Path, Path, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
):
    keras: Any = pytest.importorskip("keras")
    module = pytest.importorskip("keras.src.datasets.imdb")

    def toy_file(**_: object) -> str:
        return str(keras_files[0])

    monkeypatch.setattr(module, "get_file", toy_file)
    expected = keras.datasets.imdb.load_data(num_words=24)
    pad = keras.utils.pad_sequences
    for ours, (x, y) in zip(
        imdb.train_and_test(imdb.read_keras(*keras_files), (N, N), 24, length),
        expected,
        strict=True,
    ):
        padded = pad(x, maxlen=length, padding="post", truncating="pre")
        np.testing.assert_array_equal(ours[0], padded)
        np.testing.assert_array_equal(ours[1], y)


def test_a_long_review_keeps_its_end_and_a_short_one_its_start():
    ranks = np.array([5, 6, 7, 8, 9, 5])
    split = imdb.Split(ranks, np.array([0, 5, 6]), np.array([1, 0]))
    (x, _), _ = imdb.train_and_test(imdb.Source(split, split, ()), (2, 2), 100, 4)
    assert sorted(x.tolist()) == [[1, 8, 0, 0], [9, 10, 11, 12]]


def test_a_missing_compact_file_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEQUENCE_DATA_IMDB", str(tmp_path / "gone.npz"))
    with pytest.raises(DataError, match=r"gone\.npz does not exist: correct .*SEQUENCE_DATA_IMDB"):
        load_reviews("imdb")


def test_a_folder_in_place_of_the_compact_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SEQUENCE_DATA_IMDB", str(tmp_path))
    with pytest.raises(DataError, match="can't be read"):
        load_reviews("imdb")


def test_a_well_formed_compact_file_with_another_hash_is_refused(compact: Path):
    with pytest.raises(DataError, match=r"IMDb file has wrong hash: .*compact\.npz has SHA-256"):
        imdb.read_compact(compact, "0" * 64, N)


@pytest.mark.parametrize("kept", [0, 10, 500, -1])
def test_a_truncated_compact_file_is_refused_and_left_alone(compact: Path, kept: int):
    content = compact.read_bytes()[:kept]
    compact.write_bytes(content)
    with pytest.raises(DataError, match="not the compact IMDb file: incomplete"):
        imdb.read_compact(compact, reviews=N)
    assert compact.read_bytes() == content


def test_a_flipped_bit_is_found(compact: Path):
    content = bytearray(compact.read_bytes())
    content[len(content) // 2] ^= 1
    compact.write_bytes(content)
    with pytest.raises(DataError):
        imdb.read_compact(compact, reviews=N)


def test_a_text_file_is_refused(tmp_path: Path):
    path = tmp_path / "page.npz"
    path.write_text("<html>404</html>")
    with pytest.raises(DataError, match="not the compact IMDb file"):
        imdb.read_compact(path)


def test_a_lone_array_is_refused(tmp_path: Path):
    path = tmp_path / "array.npy"
    np.save(path, np.arange(3))
    with pytest.raises(DataError, match="not the compact IMDb file"):
        imdb.read_compact(path)


class Bomb:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_opened_as_the_compact_file(tmp_path: Path, toy: Toy):
    arrays = compact_arrays(toy)
    arrays["train_tokens"] = np.array([Bomb(tmp_path / "exploded")], object)
    path = tmp_path / "bomb.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match="not the compact IMDb file"):
        imdb.read_compact(path, sha256(path), N)
    assert not (tmp_path / "exploded").exists()


def test_a_keras_file_with_the_wrong_hash_is_never_unpickled(
    tmp_path: Path, keras_files: tuple[Path, Path, dict[str, str]]
):
    reviews, index, hashes = keras_files
    np.savez(reviews, x_train=np.array([Bomb(tmp_path / "exploded")], object))
    content = reviews.read_bytes()
    with pytest.raises(DataError, match="IMDb file has wrong hash"):
        imdb.read_keras(reviews, index, hashes)
    assert not (tmp_path / "exploded").exists()
    assert reviews.read_bytes() == content


def test_a_wrong_word_index_is_refused(keras_files: tuple[Path, Path, dict[str, str]]):
    keras_files[1].write_text("{}")
    with pytest.raises(DataError, match=r"wrong hash: .*imdb_word_index\.json"):
        imdb.read_keras(*keras_files)


def without(key: str) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda arrays: arrays.pop(key)


def changed(key: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict[str, np.ndarray]], object]:
    return lambda arrays: arrays.update({key: change(arrays[key])})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (without("test_labels"), "test_labels"),
        (without("vocab_utf8"), "vocab_utf8"),
        (changed("train_tokens", lambda a: a.astype(np.int64)), "not a vector of uint16"),
        (changed("train_labels", lambda a: a[:, None]), "not a vector of uint8"),
        (changed("train_labels", lambda a: a[1:]), "train does not hold 40 reviews"),
        (changed("test_offsets", lambda a: a[1:]), "test does not hold 40 reviews"),
        (changed("train_offsets", lambda a: a[::-1]), "do not divide train_tokens"),
        (changed("test_tokens", lambda a: a[1:]), "do not divide test_tokens"),
        (changed("test_tokens", lambda a: a + np.uint16(9)), "ranks beyond the 20 words"),
        (changed("test_labels", lambda a: a + np.uint8(1)), "more than 0 and 1"),
        (changed("vocab_utf8", lambda a: a | np.uint8(128)), "can't decode"),
    ],
)
def test_a_foreign_structure_is_named_before_the_hash(
    tmp_path: Path,
    toy: Toy,
    spoil: Callable[[dict[str, np.ndarray]], object],
    reason: str,
):
    arrays = compact_arrays(toy)
    spoil(arrays)
    path = tmp_path / "foreign.npz"
    np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]
    with pytest.raises(DataError, match=f"foreign.npz is not the compact IMDb file: .*{reason}"):
        imdb.read_compact(path, reviews=N)


@pytest.mark.parametrize("folder", ["cache/sequence-data", "keras/datasets"])
def test_keras_files_are_found_offline(
    folder: str,
    tmp_path: Path,
    keras_files: tuple[Path, Path, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
):
    reviews, index, hashes = keras_files
    home = tmp_path / folder
    home.mkdir(parents=True)
    reviews.rename(home / reviews.name)
    index.rename(home / index.name)
    monkeypatch.delenv("SEQUENCE_DATA_IMDB", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name, value in hashes.items():
        monkeypatch.setitem(imdb.KERAS_SHA256, name, value)
    reviews = load_reviews("imdb", num_words=24, train_size=N, test_size=N)
    assert reviews.x_train.shape == (N, 200)
    assert reviews.vocabulary[4:] == tuple(WORDS)


@pytest.mark.imdb
def test_the_real_reviews_have_the_known_shape_and_text():
    reviews = load_reviews("imdb")
    assert reviews.x_train.shape == reviews.x_test.shape == (25_000, 200)
    assert reviews.y_train.mean() == reviews.y_test.mean() == 0.5
    # The labels and the first review that `keras.datasets.imdb.load_data` begins with.
    assert reviews.y_train[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    assert reviews.y_test[:10].tolist() == [0, 1, 1, 0, 1, 1, 1, 0, 0, 1]
    first = load_reviews("imdb", sequence_length=300, train_size=1, test_size=1)
    assert first.x_train[0, :8].tolist() == [1, 14, 22, 16, 43, 530, 973, 1622]
    assert first.decode(first.x_train[0]).startswith("[start] this film was just brilliant casting")


@pytest.mark.imdb
def test_what_the_datasheet_counts_is_so():
    reviews = load_reviews("imdb", num_words=imdb.MAX_NUM_WORDS, sequence_length=2_500)
    train, test = ([row.tobytes() for row in rows] for rows in (reviews.x_train, reviews.x_test))
    assert (len(set(train)), len(set(test))) == (24_902, 24_801)
    assert len(set(train) & set(test)) == 123
    words = [(rows > 1).sum(axis=1) for rows in (reviews.x_train, reviews.x_test)]
    assert [(found.min(), np.median(found), round(found.mean()), found.max()) for found in words] == [
        (10, 177, 238, 2_493),
        (6, 173, 230, 2_314),
    ]
    ten_thousand = load_reviews("imdb", sequence_length=2_500)
    outside = [100 * (rows == 2).sum() / (rows > 1).sum() for rows in (ten_thousand.x_train, ten_thousand.x_test)]
    assert outside == [pytest.approx(5.7, abs=0.05), pytest.approx(5.2, abs=0.05)]


@pytest.mark.imdb
def test_fewer_real_reviews_are_the_first_ones():
    few = load_reviews("imdb", train_size=100, test_size=50)
    more = load_reviews("imdb", train_size=200, test_size=60)
    np.testing.assert_array_equal(few.x_train, more.x_train[:100])
    np.testing.assert_array_equal(few.y_test, more.y_test[:50])


@pytest.mark.skipif(
    not os.environ.get("SEQUENCE_DATA_IMDB"), reason="SEQUENCE_DATA_IMDB does not name the compact IMDb file"
)
def test_the_real_compact_file_cut_short_is_refused(tmp_path: Path):
    path = tmp_path / "imdb.npz"
    path.write_bytes(Path(os.environ["SEQUENCE_DATA_IMDB"]).read_bytes()[:1_000_000])
    with pytest.raises(DataError, match="not the compact IMDb file: incomplete"):
        imdb.read_compact(path)
