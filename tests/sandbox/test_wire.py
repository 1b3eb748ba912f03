"""Messages between the grader and a kernel: what goes in comes out, and nothing else is taken."""

import contextlib
import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox.wire import Limits, Malformed, pack, unpack


def test_values_and_arrays_come_back():
    message = {"a": [1, 2.5, None, True, "text"], "b": {"c": np.arange(6, dtype=np.int32).reshape(2, 3)}}
    found = unpack(pack(message))
    assert found["a"] == message["a"]
    assert found["b"]["c"].dtype == np.int32
    assert np.array_equal(found["b"]["c"], message["b"]["c"])


def test_nan_and_infinity_come_back():
    assert np.isnan(unpack(pack({"x": float("nan")}))["x"])
    assert unpack(pack({"x": np.array([np.inf])}))["x"][0] == np.inf


@pytest.mark.parametrize("value", [object(), np.array([object()]), np.array(["text"]), b"bytes", {1, 2}])
def test_what_is_no_number_is_refused_when_packed(value: object):
    with pytest.raises(TypeError):
        pack({"value": value})


class _Bomb:
    fired = False

    def __reduce__(self):
        return (setattr, (_Bomb, "fired", True))


def test_a_pickle_in_the_archive_is_not_read():
    data = io.BytesIO()
    np.savez(data, tree=np.frombuffer(b'{"a": 0}', np.uint8), a0=np.array([_Bomb()], dtype=object))
    with pytest.raises(Malformed):
        unpack(data.getvalue())
    assert not _Bomb.fired


def test_a_bare_pickle_is_not_read():
    with pytest.raises(Malformed):
        unpack(pickle.dumps(_Bomb()))
    assert not _Bomb.fired


@pytest.mark.parametrize(
    ("message", "limits"),
    [
        ({"x": np.zeros(1000)}, Limits(total_bytes=1000)),
        ({"x": [np.zeros(1)] * 5}, Limits(arrays=3)),
        ({"x": np.zeros((1,) * 5)}, Limits(rank=4)),
        ({"x": "long" * 100}, Limits(text=100)),
        ({"x": [[[[[1]]]]]}, Limits(depth=3)),
    ],
)
def test_a_message_beyond_a_limit_is_refused(message: object, limits: Limits):
    with pytest.raises(Malformed):
        unpack(pack(message), limits)


def test_a_compressed_archive_is_refused_before_it_is_unpacked():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.npy", b"\0" * 50_000_000)
    assert len(data.getvalue()) < 100_000
    with pytest.raises(Malformed, match="compressed"):
        unpack(data.getvalue(), Limits(total_bytes=10_000_000))


@given(st.binary(max_size=2000))
def test_arbitrary_bytes_are_refused_and_nothing_else(data: bytes):
    with pytest.raises(Malformed):
        unpack(data)


@given(st.data())
def test_a_damaged_message_is_refused_or_read_never_worse(data: st.DataObject):
    good = bytearray(pack({"x": np.arange(5.0), "y": [1, {"z": "t"}]}))
    for _ in range(data.draw(st.integers(1, 8))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        unpack(bytes(good))
