"""The exercises: a folder for each assignment, named like its notebook without the number; a file for each symbol.

Each holds a formula, its checks and misconceptions as values; nothing here reads a file or runs a kernel.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # the names alone are asked for by every Tab in a shell, which shall not wait for NumPy
    from autograder.checking.exercise import Assignment, Exercise

NAMES = (
    "01_sequence_cnn",
    "02_positional_encoding",
    "03_self_attention",
    "04_multi_head_attention",
    "05_layer_norm",
    "06_transformer",
    "07_tiny_gpt",
)
"""Folders under source/, in the order of the course."""


def assignment(name: str) -> Assignment:
    """Returns an assignment by its name.

    Raises:
        KeyError: there is no such assignment.
    """
    if name not in NAMES:
        raise KeyError(f"there is no assignment {name!r}; there are {', '.join(NAMES)}")
    _, _, module = name.partition("_")
    return import_module(f"autograder.exercises.{module}").ASSIGNMENT


def find(symbol: str) -> Exercise:
    """Returns the exercise of a graded symbol.

    Raises:
        KeyError: no assignment has this symbol.
    """
    for name in NAMES:
        for exercise in assignment(name).exercises:
            if exercise.symbol == symbol:
                return exercise
    raise KeyError(f"no assignment asks for a symbol {symbol!r}")
