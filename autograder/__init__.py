"""Autograder of the course on attention and sequence models."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.notebook import grade

__all__ = ["grade"]


def __getattr__(name: str) -> Any:
    # imported on first use, so that `autograder --help` does not wait for NumPy and Keras
    if name == "grade":
        from autograder.notebook import grade

        return grade
    raise AttributeError(f"module 'autograder' has no attribute {name!r}")
