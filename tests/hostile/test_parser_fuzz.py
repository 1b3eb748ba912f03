"""Malformed bytes at the outside's two parsers: a value or a refusal, never anything else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.checking.compare import compare
from autograder.pipeline.settings import Limits
from autograder.pipeline.submission import Unreadable, answers, read_notebook
from autograder.sandbox.wire import Limits as WireLimits
from autograder.sandbox.wire import Malformed, pack, unpack
from tests.hostile.attackers import NAME, Bench

CASES = settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))

SMALL = WireLimits(total_bytes=100_000, arrays=8, rank=3, text=2_000, depth=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
TREES = JSON | st.recursive(
    st.builds(lambda n: {"a": n}, st.integers(-1, 3) | st.text(max_size=3)) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.builds(lambda items: {"l": items}, st.lists(inner, max_size=4))
        | st.builds(lambda items: {"d": items}, st.dictionaries(st.text(max_size=5), inner, max_size=4))
    ),
    max_leaves=12,
)
DTYPES = st.sampled_from(["f4", "f8", "i1", "u8", "?", "c8", "S3", "U2", "M8[s]", "f2", "V4", "O", "f16", ">i4"])


def checked(data: bytes, limits: WireLimits = SMALL) -> Any:
    try:
        value = unpack(data, limits)
    except Malformed as error:
        assert len(str(error)) < 300
        return None
    plain(value, limits)
    json.dumps(str(value)).encode()
    compare(value, np.zeros((2, 3)))
    return value


def plain(value: Any, limits: WireLimits) -> None:
    if isinstance(value, np.ndarray):
        assert type(value) is np.ndarray
        assert value.dtype.kind in "biuf"
        assert value.ndim <= limits.rank
        assert value.nbytes <= limits.total_bytes
    elif isinstance(value, dict):
        for key, item in value.items():
            key.encode()
            plain(item, limits)
    elif isinstance(value, list):
        for item in value:
            plain(item, limits)
    elif isinstance(value, str):
        value.encode()
    else:
        assert value is None or isinstance(value, (bool, int, float))


@CASES
@given(st.binary(max_size=2_000))
def test_any_bytes(data: bytes) -> None:
    checked(data)


@CASES
@given(JSON, st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=8), st.integers(0, 2_000))
def test_an_answer_with_bytes_changed_or_cut_off(value: Any, changes: list[tuple[int, int]], end: int) -> None:
    data = bytearray(pack({"value": value, "array": np.arange(12.0).reshape(3, 4)}))
    for place, byte in changes:
        data[place % len(data)] = byte
    checked(bytes(data))
    checked(bytes(data[: end % len(data)]))


@CASES
@given(TREES, st.lists(st.tuples(DTYPES, st.lists(st.integers(0, 3), max_size=5)), max_size=4))
def test_any_tree_over_any_arrays(tree: Any, arrays: list[tuple[str, list[int]]]) -> None:
    file = io.BytesIO()
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    np.savez(file, tree=text, **{f"a{i}": np.zeros(shape, dtype) for i, (dtype, shape) in enumerate(arrays)})
    checked(file.getvalue())


@CASES
@given(
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.dictionaries(
        st.sampled_from(["tree", "tree.npy", "a0", "a0.npy", "../a1.npy", "/etc/x", "a" * 300, "a1.npy/"]),
        st.binary(max_size=60) | st.builds(lambda rest: b"\x93NUMPY\x01\x00v\x00" + rest, st.binary(max_size=130)),
        max_size=5,
    ),
)
def test_any_archive(kind: int, parts: dict[str, bytes]) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", kind) as archive:
        for name, content in {"tree.npy": npy(b'{"a": 0}'), **parts}.items():
            archive.writestr(name, content)
    checked(file.getvalue())


def npy(text: bytes) -> bytes:
    file = io.BytesIO()
    np.save(file, np.frombuffer(text, np.uint8))
    return file.getvalue()


@CASES
@given(
    st.sampled_from(
        ["'<f8'", "'|O'", "'|V0'", "'|S0'", "'<U0'", "[('a', '<f8')]", "('<f8', (9,))", "1", "-" * 900 + "1"]
    ),
    st.lists(st.integers(-3, 2**63), max_size=6) | st.just([10**9] * 4) | st.just([0] * 40),
    st.booleans(),
)
def test_any_header_of_an_array(dtype: str, shape: list[int], fortran: bool) -> None:
    header = f"{{'descr': {dtype}, 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}".encode()
    array = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("tree.npy", npy(b'{"a": 0}'))
        archive.writestr("a0.npy", array)
    checked(file.getvalue())


@pytest.mark.parametrize("count", [10, 70_000])
def test_an_archive_of_many_parts_is_refused_at_once(count: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(count):
            archive.writestr(f"a{number}.npy", b"")
    with pytest.raises(Malformed):
        unpack(file.getvalue(), WireLimits(arrays=5))


NOTEBOOKS = st.fixed_dictionaries(
    {},
    optional={
        "nbformat": st.just(4) | JSON,
        "metadata": JSON,
        "cells": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON,
                    "source": JSON,
                    "outputs": JSON,
                    "metadata": st.fixed_dictionaries(
                        {},
                        optional={
                            "tags": JSON,
                            "nbgrader": st.fixed_dictionaries(
                                {},
                                optional={
                                    "grade_id": st.sampled_from(["layer_norm", "LayerNorm"]) | JSON,
                                    "points": JSON,
                                },
                            )
                            | JSON,
                        },
                    )
                    | JSON,
                },
            )
            | JSON,
            max_size=4,
        )
        | JSON,
    },
)


def read(bench: Bench, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        notebook = read_notebook(path, Limits())
    except Unreadable as error:
        assert len(str(error)) < 500
        str(error).encode()
        return
    from autograder.pipeline.journal import key
    from autograder.pipeline.rebuild import rebuild
    from autograder.pipeline.release import template
    from autograder.pipeline.settings import Settings

    released = template(bench.source)
    submission = answers("mallory", notebook, released, NAME, Limits())
    for text in (submission.problem, *submission.notes.values(), *submission.answers.values()):
        assert isinstance(text, str)
        text.encode()
    key(rebuild(submission, released), Settings())


@CASES
@given(content=NOTEBOOKS)
def test_any_notebook(bench: Bench, tmp_path_factory: pytest.TempPathFactory, content: Any) -> None:
    read(bench, tmp_path_factory.getbasetemp() / f"{NAME}.ipynb", json.dumps(content).encode())


@CASES
@given(content=st.binary(max_size=500))
def test_any_file(bench: Bench, tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    read(bench, tmp_path_factory.getbasetemp() / f"{NAME}.ipynb", content)
