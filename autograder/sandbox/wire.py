"""Values as bytes: JSON with arrays beside it in one npz, read back without trust.

The reading side never unpickles: an array is a header that NumPy reads and plain numbers, within limits on size,
count, rank and dtype.
"""

from __future__ import annotations

import functools
import io
import json
import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Limits:
    """What an answer may hold at most.

    Attributes:
        total_bytes: of the message, packed and unpacked.
        arrays: number of arrays.
        rank: number of axes of an array.
        text: characters of the JSON part.
        depth: nesting of the JSON part.
    """

    total_bytes: int = 64 * 2**20
    arrays: int = 256
    rank: int = 8
    text: int = 200_000
    depth: int = 12


class Malformed(Exception):
    """Bytes that are no message, or one beyond the limits."""


_PLAIN_KINDS = "biuf"


def readable(text: str) -> str:
    """Returns a text that can be written as UTF-8: JSON may name halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


def pack(message: Any) -> bytes:
    """Returns a message of dicts, lists, numbers, strings, None and arrays as bytes.

    Raises:
        TypeError: it holds something else, e.g. an array of objects.
    """
    arrays: list[np.ndarray] = []
    tree = _flattened(message, arrays)
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(tree, allow_nan=True).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, tree=text, **{f"a{i}": a for i, a in enumerate(arrays)})
    return buffer.getvalue()


def _flattened(value: Any, arrays: list[np.ndarray]) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {"d": {str(key): _flattened(item, arrays) for key, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"l": [_flattened(item, arrays) for item in value]}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind not in _PLAIN_KINDS:
            raise TypeError(f"an array of dtype {array.dtype} is not a result of numbers")
        arrays.append(array)
        return {"a": len(arrays) - 1}
    raise TypeError(f"a {type(value).__name__} is not a result of numbers")


def unpack(data: bytes, limits: Limits | None = None) -> Any:
    """Returns the message in the bytes.

    Raises:
        Malformed: the bytes are no message, or break a limit.
    """
    limits = limits or Limits()
    if len(data) > limits.total_bytes:
        raise Malformed(f"the message has {len(data)} bytes, more than {limits.total_bytes}")
    try:
        # each entry of the list at the archive's end begins so: counted before a list of a million is made
        if data.count(b"PK\x01\x02") > limits.arrays + 64:
            raise Malformed(f"the message has more than {limits.arrays} parts")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries, limits)
            arrays = {entry.filename.removesuffix(".npy"): _array(archive.read(entry), limits) for entry in entries}
        text = arrays.pop("tree")
        if text.dtype != np.uint8 or text.size > limits.text:
            raise Malformed("the message's text is too long")
        tree = json.loads(text.tobytes().decode())
    except Malformed:
        raise
    except Exception as error:
        raise Malformed(f"the message cannot be read ({type(error).__name__})") from None
    return _rebuilt(tree, arrays, limits.depth)


def _check_entries(entries: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise Malformed("the message is compressed")
    if len(entries) > limits.arrays + 1:
        raise Malformed(f"the message has {len(entries)} parts, more than {limits.arrays}")
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise Malformed(f"the message unpacks to more than {limits.total_bytes} bytes")


def _array(content: bytes, limits: Limits) -> np.ndarray:
    """Returns the array of an .npy file: NumPy's reader of headers, remembered, and the numbers as they lie there."""
    start = 10 + int.from_bytes(content[8:10], "little")
    shape, by_column, dtype = _form(content[:start])
    if dtype.kind not in _PLAIN_KINDS or len(shape) > limits.rank:
        raise Malformed(f"an array of dtype {dtype} and rank {len(shape)} is not allowed")
    if math.prod(shape) * dtype.itemsize != len(content) - start:
        raise Malformed(f"an array of shape {shape} has {len(content) - start} bytes")
    flat = np.frombuffer(content, dtype, offset=start)
    return np.array(flat.reshape(shape, order="F" if by_column else "C"))


@functools.lru_cache(256)
def _form(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Returns shape, whether columns lie together, and dtype. To evaluate a header takes longer than all the rest."""
    file = io.BytesIO(header)
    if np.lib.format.read_magic(file) != (1, 0):
        raise Malformed("an array's form is not version 1 of NumPy's")
    return np.lib.format.read_array_header_1_0(file)


def _rebuilt(tree: Any, arrays: Mapping[str, np.ndarray], depth: int) -> Any:
    if depth < 0:
        raise Malformed("the message is nested too deeply")
    if tree is None or isinstance(tree, (bool, int, float)):
        return tree
    if isinstance(tree, str):
        return readable(tree)
    if isinstance(tree, dict) and len(tree) == 1:
        ((kind, content),) = tree.items()
        if kind == "d" and isinstance(content, dict):
            return {readable(key): _rebuilt(item, arrays, depth - 1) for key, item in content.items()}
        if kind == "l" and isinstance(content, list):
            return [_rebuilt(item, arrays, depth - 1) for item in content]
        if kind == "a" and f"a{content}" in arrays:
            return arrays[f"a{content}"]
    raise Malformed("the message is not in the agreed form")
