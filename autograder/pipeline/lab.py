"""JupyterLab for an instructor: the formgrader on this course, an exchange, the kernel behind the walls."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from traitlets.config import Config

import autograder.sandbox
from autograder.exercises import NAMES
from autograder.pipeline.bundle import FOLDER
from autograder.pipeline.classroom import writing_to
from autograder.pipeline.gradebook import check
from autograder.pipeline.nbgrader_stages import logged_to, register
from autograder.pipeline.settings import UsageError
from autograder.pipeline.source import read_source
from autograder.pipeline.stages import OUT, SUBMITTED, configure

_KERNELS = Path(autograder.sandbox.__file__).parent / "jupyter"


def prepare(course: Path, submitted: Path, out: Path) -> None:
    """Enters the assignments into the gradebook, without which the formgrader's Autograde ends in a traceback.

    Raises:
        UsageError: the course has no nbgrader_config.py, `out` can't be written to, the gradebook can't be opened, or
            questions have changed since students handed in.
    """
    if not (course / "nbgrader_config.py").is_file():
        raise UsageError(
            f"{course} has no nbgrader_config.py, so the formgrader would grade with nbgrader's own kernel: "
            "take the file from git again."
        )
    with writing_to(out), logged_to(out / "nbgrader.log"):
        config = Config()
        configure(config, course, out=out, submitted=submitted)
        check(config.CourseDirectory.db_url)
        for name in NAMES:
            if (course / "source" / name / f"{name}.ipynb").is_file():
                read_source(course, name)  # says what is wrong with the file, which nbgrader does not
                register(config, name, out)
    (out / "exchange").mkdir(exist_ok=True)


def command(course: Path, out: Path, options: Sequence[str]) -> list[str]:
    """Returns the command that starts JupyterLab; nbgrader_config.py in the course goes before what it says."""
    return [
        sys.executable,
        "-m",
        "jupyter",
        "lab",
        f"--ServerApp.root_dir={course}",
        f"--CourseDirectory.course_id={FOLDER}",
        f"--Exchange.root={out / 'exchange'}",
        *options,
    ]


def environment(submitted: Path, out: Path) -> dict[str, str]:
    """Returns what JupyterLab and the kernels it starts find in their environment."""
    kernels = os.pathsep.join(filter(None, [str(_KERNELS), os.environ.get("JUPYTER_PATH")]))
    return {**os.environ, "JUPYTER_PATH": kernels, OUT: str(out), SUBMITTED: str(submitted)}
