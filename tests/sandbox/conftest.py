from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session


@pytest.fixture
def session(interpreter: WarmInterpreter) -> Iterator[Session]:
    with Session(interpreter) as opened:
        yield opened


@pytest.fixture
def say(session: Session) -> Callable[[str], str]:
    """Runs a cell and returns what it printed; an exception in it fails the test."""

    def run(source: str, seconds: float = 60) -> str:
        output = session.run(source, seconds)
        assert output.error is None, output.error
        return output.text.strip()

    return run


def processes_with(marker: str) -> list[int]:
    """Returns the processes of this machine whose command line holds the marker."""
    found: list[int] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    """Waits until something is true."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
