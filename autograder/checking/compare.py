"""Tell two results apart, and say in words how they differ: structure, shape, dtype, NaN, numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = np.ndarray
Value = Any
"""An array, a number, or a tuple, list or dict of values: what a student's symbol may return."""


@dataclass(frozen=True)
class Tolerance:
    """How far a result may lie from the formula: `|found - expected| <= atol + rtol * |expected|`."""

    rtol: float
    atol: float


FLOAT32 = Tolerance(rtol=1e-4, atol=1e-5)
"""For float32 inputs: a float32 formula stays within about 1e-6 of the float64 one."""
FLOAT64 = Tolerance(rtol=1e-8, atol=1e-10)
"""For float64 inputs: anything computed in float32 on the way is about 1e-7 off and fails."""

Kind = Literal["structure", "shape", "dtype", "nan", "numbers"]


@dataclass(frozen=True)
class Difference:
    """How a result differs from the expected one.

    Attributes:
        kind: which of the properties is the first that differs.
        message: the difference in a sentence for the student; never holds an expected value.
        largest: the largest absolute error, for `kind="numbers"`.
    """

    kind: Kind
    message: str
    largest: float = 0.0


def compare(
    found: Value, expected: Value, tolerance: Tolerance = FLOAT32, *, name: str = "the result"
) -> Difference | None:
    """Returns the first difference between a found and an expected value, or None.

    Args:
        found: what the student's symbol returned.
        expected: what the formula returned.
        tolerance: how far numbers may lie apart.
        name: how a message names the found value.

    Returns:
        None if they agree; else a `Difference` of the first kind that shows, in the order
        structure, shape, dtype, NaN, numbers.
    """
    if isinstance(expected, Mapping):
        return _compare_mappings(found, expected, tolerance, name)
    if isinstance(expected, (tuple, list)):
        return _compare_sequences(found, expected, tolerance, name)
    if found is None:
        return Difference("structure", f"{name} is None: is there a return statement?")
    if isinstance(found, (Mapping, tuple, list, str)):
        kind = type(found).__name__
        return Difference("structure", f"{name} is a {kind} where one array was expected.")
    return _compare_arrays(np.asarray(found), np.asarray(expected), tolerance, name)


def _compare_mappings(
    found: Value, expected: Mapping[str, Value], tolerance: Tolerance, name: str
) -> Difference | None:
    keys = ", ".join(expected)
    if not isinstance(found, Mapping):
        kind = type(found).__name__
        return Difference("structure", f"{name} is a {kind}, expected a dict with {keys}.")
    if set(found) != set(expected):
        have = ", ".join(map(str, found)) or "none"
        return Difference("structure", f"{name} has the keys {have}; expected {keys}.")
    for key, value in expected.items():
        if difference := compare(found[key], value, tolerance, name=f"{name}[{key!r}]"):
            return difference
    return None


def _compare_sequences(found: Value, expected: Sequence[Value], tolerance: Tolerance, name: str) -> Difference | None:
    if not isinstance(found, (tuple, list)) or len(found) != len(expected):
        have = f"{len(found)} values" if isinstance(found, (tuple, list)) else "one value"
        return Difference("structure", f"{name} is {have}, expected {len(expected)} values.")
    ordinals = ("first", "second", "third", "fourth", "fifth")
    for index, (one, other) in enumerate(zip(found, expected, strict=True)):
        part = ordinals[index] if index < len(ordinals) else f"number {index + 1}"
        if difference := compare(one, other, tolerance, name=f"the {part} returned value"):
            return difference
    return None


def _compare_arrays(found: np.ndarray, expected: np.ndarray, tolerance: Tolerance, name: str) -> Difference | None:
    if found.shape != expected.shape:
        return Difference("shape", f"{name} has shape {found.shape}, expected shape {expected.shape}.")
    if difference := _compare_dtypes(found.dtype, expected.dtype, name):
        return difference
    if expected.dtype.kind in "biu":
        return _compare_exactly(found, expected, name)
    return _compare_numbers(found.astype(np.float64), expected, tolerance, name)


def _compare_dtypes(found: np.dtype, expected: np.dtype, name: str) -> Difference | None:
    if expected.kind == "b" and found.kind != "b":
        return Difference("dtype", f"{name} has dtype {found}, expected bool (True and False).")
    if expected.kind in "iu" and found.kind not in "iu":
        return Difference("dtype", f"{name} has dtype {found}, expected integers.")
    if expected.kind == "f" and (found.kind != "f" or found.itemsize < 4):
        return Difference("dtype", f"{name} has dtype {found}, expected float32 or wider.")
    return None


def _compare_exactly(found: np.ndarray, expected: np.ndarray, name: str) -> Difference | None:
    wrong = found != expected
    if not wrong.any():
        return None
    where = _position(wrong)
    return Difference(
        "numbers",
        f"{int(wrong.sum())} of {wrong.size} entries of {name} are wrong, the first at {where}.",
        float(np.abs(found.astype(np.float64) - expected.astype(np.float64)).max()),
    )


def _compare_numbers(found: np.ndarray, expected: np.ndarray, tolerance: Tolerance, name: str) -> Difference | None:
    expected_nan = np.isnan(expected)
    surprising = ~np.isfinite(found) & ~expected_nan & np.isfinite(expected)
    if surprising.any():
        what = "NaN" if np.isnan(found[surprising]).any() else "infinity"
        where = _position(surprising)
        return Difference("nan", f"{name} holds {what} in {int(surprising.sum())} places, first at {where}.")
    missing = expected_nan & ~np.isnan(found)
    if missing.any():
        return Difference("nan", f"{name} should be NaN at {_position(missing)}.")
    error = np.where(expected_nan | (found == expected), 0.0, np.abs(found - expected))
    allowed = tolerance.atol + tolerance.rtol * np.abs(expected)
    wrong = ~expected_nan & (error > allowed)
    if not wrong.any():
        return None
    largest = float(error.max())
    where = _position(error == error.max())
    return Difference(
        "numbers",
        f"{int(wrong.sum())} of {wrong.size} numbers in {name} are off; "
        f"the largest error is {largest:.3g}, at {where}.",
        largest,
    )


def _position(wrong: np.ndarray) -> str:
    if wrong.ndim == 0:
        return "the only entry"
    index = np.argwhere(wrong)[0]
    return "index [" + ", ".join(str(int(i)) for i in index) + "]"
