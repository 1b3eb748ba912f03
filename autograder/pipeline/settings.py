"""Every setting and limit of a grading run, typed, with its default and the reason for it."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Data = Literal["generated", "imdb"]
Profile = Literal["cpu", "gpu"]


class UsageError(Exception):
    """Something the user can mend; the message says what was found and what to do. Exit code 2."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        notebook_bytes: size of a submitted notebook; ours have some 50 kB, figures a few MB.
        cell_characters: of one answer; the longest solution has 3,000.
        cell_seconds: running one solution cell, which only defines things.
        submission_seconds: all its answers and checks together; all of IMDb takes minutes without a GPU.
        restarts: kernels a submission may use up before its remaining exercises are given up.
    """

    notebook_bytes: int = 20_000_000
    cell_characters: int = 100_000
    cell_seconds: float = 10.0
    submission_seconds: float = 1800.0
    restarts: int = 8


@dataclass(frozen=True)
class Settings:
    """What determines marks besides submission and exercises.

    Attributes:
        seed: the course's seed; with the student and the symbol it determines every input of a check.
        data: what the training exercises train on besides the generated corpora.
        profile: how many of the reviews: "gpu" all of them, on a GPU if there is one.
        sandbox: False runs student code as the grader's own user: for one's own notebooks only.
        limits: of one submission.
    """

    seed: str = "course"
    data: Data = "generated"
    profile: Profile = "cpu"
    sandbox: bool = True
    limits: Limits = field(default_factory=Limits)


PUBLIC_SEED = "attention and sequence models"
"""The seed that the repository comes with: everybody knows it, so that everybody can make the hidden inputs."""


def find_course(start: Path) -> Path:
    """Returns the course folder: the nearest one upwards that holds course.toml.

    Raises:
        UsageError: there is none.
    """
    for folder in (start, *start.parents):
        if (folder / "course.toml").is_file():
            return folder
    raise UsageError(
        f"{start} is not in a course folder (no course.toml here or above): change into the course's checkout."
    )


def read_settings(course: Path) -> Settings:
    """Reads course.toml; the variable AUTOGRADER_SEED takes the place of its seed.

    Raises:
        UsageError: the file is not valid.
    """
    seed = _text(course, "seed", Settings.seed)
    return Settings(seed=os.environ.get("AUTOGRADER_SEED") or seed)


def read_db_url(course: Path) -> str:
    """Reads from course.toml where the gradebook is; empty if it does not say.

    Raises:
        UsageError: the file is not valid.
    """
    return _text(course, "db_url", "")


def _text(course: Path, name: str, default: str) -> str:
    path = course / "course.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    text = content.get(name, default)
    if not isinstance(text, str):
        raise UsageError(f"{path}: {name} is {text!r}, expected a text in quotes.")
    return text
