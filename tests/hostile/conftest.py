from __future__ import annotations

from pathlib import Path

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from tests.hostile.attackers import Bench, course_source


@pytest.fixture(scope="session")
def bench(course: Path, interpreter: WarmInterpreter) -> Bench:
    return Bench(course_source(course), interpreter)
