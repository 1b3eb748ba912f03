"""Comparison tells structure, shape, dtype, NaN and numbers apart, in that order, and says so in words."""

import numpy as np
import pytest

from autograder.checking import FLOAT32, FLOAT64, compare


def _array(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def test_equal_arrays_have_no_difference():
    assert compare(_array(2, 3), _array(2, 3)) is None


def test_a_missing_return_is_named():
    difference = compare(None, _array(2))
    assert difference is not None
    assert "return statement" in difference.message


def test_one_value_for_two_is_a_difference_of_structure():
    difference = compare(_array(2), (_array(2), _array(2)))
    assert difference is not None
    assert difference.kind == "structure"


def test_a_shape_is_told_before_a_dtype():
    difference = compare(np.zeros((3, 2), np.int64), np.zeros((2, 3)))
    assert difference is not None
    assert difference.kind == "shape"
    assert "(3, 2)" in difference.message
    assert "(2, 3)" in difference.message


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (np.zeros(2, np.float16), np.zeros(2)),
        (np.zeros(2, np.int32), np.zeros(2)),
        (np.zeros(2), np.zeros(2, bool)),
        (np.zeros(2), np.zeros(2, np.int64)),
    ],
)
def test_a_wrong_dtype_is_told(found: np.ndarray, expected: np.ndarray):
    difference = compare(found, expected)
    assert difference is not None
    assert difference.kind == "dtype"


def test_float32_may_stand_for_float64_but_not_in_its_precision():
    expected = np.array([1 / 3])
    assert compare(expected.astype(np.float32), expected, FLOAT32) is None
    assert compare(expected.astype(np.float32), expected, FLOAT64) is not None


def test_nan_is_told_before_numbers():
    difference = compare(np.array([np.nan, 5.0]), np.array([1.0, 2.0]))
    assert difference is not None
    assert difference.kind == "nan"
    assert "NaN" in difference.message


def test_an_expected_nan_must_be_found():
    assert compare(np.array(np.nan), np.array(np.nan)) is None
    assert compare(np.array(0.0), np.array(np.nan)) is not None


def test_infinity_is_told_apart_from_nan():
    difference = compare(np.array([np.inf]), np.array([1.0]))
    assert difference is not None
    assert "infinity" in difference.message


def test_the_largest_error_and_its_place_are_told():
    found = _array(2, 3)
    found[1, 2] += 0.5
    difference = compare(found, _array(2, 3))
    assert difference is not None
    assert difference.largest == pytest.approx(0.5)
    assert "[1, 2]" in difference.message


def test_dicts_are_compared_by_key():
    assert compare({"f1": 0.5}, {"f1": 0.5}) is None
    difference = compare({"f1": 0.5, "extra": 1.0}, {"f1": 0.5})
    assert difference is not None
    assert difference.kind == "structure"


def test_wrong_booleans_are_counted():
    difference = compare(np.array([True, False, True]), np.array([True, True, True]))
    assert difference is not None
    assert "1 of 3" in difference.message
