"""Run nbgrader's own stages from Python, quietly: their log goes to a file."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import re
import warnings
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nbgrader.api
import sqlalchemy
from alembic.script import ScriptDirectory
from nbgrader.converters import (
    Autograde,
    BaseConverter,
    GenerateAssignment,
    GenerateFeedback,
    GenerateSolution,
)
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.dbutil import ALEMBIC_DIR
from nbgrader.preprocessors import SaveCells
from nbgrader.utils import parse_utc
from sqlalchemy import Connection, Engine, create_engine, inspect, make_url
from traitlets.config import Config
from traitlets.config.loader import ConfigFileNotFound, PyFileConfigLoader

from autograder.pipeline.amending import SaveChangedCells
from autograder.pipeline.gradebook import failed
from autograder.pipeline.settings import UsageError
from autograder.sandbox.kernels import ONE_THREAD, QUIET


class StageError(Exception):
    """A stage of nbgrader failed; the message names the stage and its log."""


def read_timestamps_with_care() -> None:
    """Has nbgrader take a submission's timestamp.txt for what it is: a file of the student's.

    As nbgrader reads it, a link to an endless file stops the grading of a class, and a text that is no time ends it.
    """
    CourseDirectory.get_existing_timestamp = lambda self, dest_path: timestamp(Path(dest_path))


def open_gradebooks_faster() -> None:
    """Has nbgrader do once what it does for every gradebook that it opens, eight times for a submission.

    The version of a new gradebook's tables is read in its own folder: nbgrader starts the command alembic for it, which
    takes seconds and is found only where the environment is activated. Tables are looked for all at once. And one
    engine stays for each database, closed or not, since it knows the SQL of earlier queries.
    """
    nbgrader.api.get_alembic_version = _version_of_tables
    nbgrader.api.create_engine = _database
    nbgrader.api.Base.metadata.create_all = _create_missing
    nbgrader.api.Gradebook.close = _close


_together: dict[str, Connection] = {}
"""The connection within whose transaction a gradebook is used at present, by its address."""


@contextmanager
def in_one_transaction(url: str) -> Generator[None]:
    """Has every gradebook that is opened meanwhile work in one transaction, which is committed in the end.

    nbgrader commits after each cell: a disk that is asked every time whether the data are safe takes longer over it
    than everything else. After an error nothing of the block is in the database.
    """
    with _engine(url).begin() as connection:
        _together[url] = connection
        try:
            yield
        finally:
            del _together[url]


def _database(url: str, **options: Any) -> Engine | Connection:
    return _together[url] if url in _together else _engine(url)


_PATIENCE = 60.0
"""Seconds that grading waits while the formgrader writes to a gradebook in a file, and the other way round."""


@functools.cache
def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        return create_engine(url)
    if file := make_url(url).database:
        with contextlib.suppress(OSError):  # whoever writes first says what is wrong with the folder
            Path(file).parent.mkdir(parents=True, exist_ok=True)
    return create_engine(url, connect_args={"timeout": _PATIENCE})


def _create_missing(bind: Engine | Connection) -> None:
    tables = nbgrader.api.Base.metadata.tables
    there = set(inspect(bind).get_table_names())
    if missing := [table for name, table in tables.items() if name not in there]:
        sqlalchemy.MetaData.create_all(nbgrader.api.Base.metadata, bind, missing)


def _close(self: Any) -> None:
    self.db.remove()
    if isinstance(self.engine, Engine):
        self.engine.dispose()


def course_config(course: Path) -> Config:
    """Returns what the course's nbgrader_config.py sets; nothing where there is none.

    Raises:
        UsageError: it cannot be run.
    """
    path = course / "nbgrader_config.py"
    try:
        return PyFileConfigLoader(path.name, str(course)).load_config()
    except ConfigFileNotFound:
        return Config()
    except Exception as error:
        raise UsageError(f"{path} cannot be run: {type(error).__name__}: {error}.") from error


@functools.cache
def _version_of_tables() -> str:
    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


def timestamp(folder: Path) -> datetime | None:
    """Returns when a submission was handed in, by the timestamp.txt in its folder, or None."""
    path = folder / "timestamp.txt"
    try:
        if not path.is_symlink() and path.is_file() and path.stat().st_size <= 200:
            return parse_utc(path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError, OverflowError):
        return None
    return None


def generate_assignment(config: Config, name: str) -> None:
    """Writes the released notebook and registers the assignment in the gradebook."""
    _run(GenerateAssignment, config, name, ".")


def register(config: Config, name: str, out: Path) -> None:
    """Enters the assignment's cells into the gradebook; the course's release/ is left alone.

    Raises:
        UsageError: questions were added or taken away since students handed in.
    """
    config = Config(config)
    config.CourseDirectory.release_directory = str(out / ".release")
    try:
        generate_assignment(config, name)
    except StageError as error:
        if _REFUSAL in str(error):
            raise UsageError(
                f"{name} has other questions than when students handed in: `autograder grade {name} --preview` shows "
                f"what that changes, `autograder grade {name}` writes it."
            ) from error
        raise


_REFUSAL = "Cannot add or remove cells"


def register_changed(config: Config, name: str, out: Path) -> None:
    """Enters the assignment's cells into the gradebook, also where there are submissions.

    Marks of questions that are no longer asked go from the gradebook to `OUT/<assignment>/removed.csv`.
    """
    config = Config(config)
    usual: Any = GenerateAssignment.class_traits()["preprocessors"].default()
    config.GenerateAssignment.preprocessors = [SaveChangedCells if part is SaveCells else part for part in usual]
    config.SaveChangedCells.removed = str(out / name / "removed.csv")
    register(config, name, out)


def generate_solution(config: Config, name: str) -> None:
    """Writes the solved notebook, executed; the assignment must be in the gradebook."""
    with _quiet_kernels():
        _run(GenerateSolution, config, name, ".")


def autograde(config: Config, name: str, students: Collection[str]) -> None:
    """Grades submissions into the gradebook, all or none."""
    with in_one_transaction(config.CourseDirectory.db_url):
        _run(Autograde, config, name, "*", students)


def generate_feedback(config: Config, name: str, students: Collection[str]) -> None:
    """Writes the feedback pages of graded submissions."""
    with in_one_transaction(config.CourseDirectory.db_url):
        _run(GenerateFeedback, config, name, "*", students)


def _run(
    stage: Callable[..., BaseConverter], config: Config, name: str, student: str, only: Collection[str] | None = None
) -> None:
    """Runs a stage; `only` picks students from those that the pattern `student` finds."""
    config = Config(config)
    config.CourseDirectory.assignment_id = name
    config.CourseDirectory.student_id = student
    converter = stage(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    converter.log = logging.getLogger("nbgrader")
    if only is not None:
        converter.init_notebooks = lambda: _notebooks_of(converter, name, only)
    errors = _Errors()
    with _sent_to(errors), warnings.catch_warnings():
        # nbgrader's own, about its use of SQLAlchemy 2
        warnings.filterwarnings("ignore", "Object of type .* not in session")
        try:
            converter.start()
        except (NbGraderException, SystemExit) as error:
            if said := _DATABASE.match(errors.cause):
                raise failed(config.CourseDirectory.db_url, said[1]) from error
            raise StageError(f"nbgrader's {stage.__name__} failed for {name}: {errors.cause}") from error


_DATABASE = re.compile(
    r"(?:sqlalchemy\.exc\.OperationalError|nbgrader\.api\.InvalidEntry): \((?!\S*(?:Integrity|Violation))\S+\) (.+)"
)
"""An error that is the database's; nbgrader wraps some of them, together with those about a row."""


def _notebooks_of(converter: Any, name: str, students: Collection[str]) -> None:
    """Takes the place of the search for submissions: exactly one notebook of each of these students."""
    folders = [converter._format_source(name, student) for student in students]
    converter.assignments = {folder: [f"{folder}/{name}.ipynb"] for folder in folders}
    converter.notebooks = []


@contextmanager
def _quiet_kernels() -> Generator[None]:
    """Keeps what a kernel started meanwhile logs, TensorFlow's greetings for one, off the terminal."""
    steady = QUIET | ONE_THREAD
    before = {name: os.environ.get(name) for name in steady}
    os.environ.update(steady)
    terminal, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nothing)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Errors(logging.Handler):
    """Keeps the first cause that a failing stage logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.cause = "no cause was logged"
        self._traced = False

    def emit(self, record: logging.LogRecord) -> None:
        lines = record.getMessage().strip().splitlines()
        traced = bool(lines) and lines[0].startswith("Traceback")
        if lines and ((traced and not self._traced) or self.cause == "no cause was logged"):
            self.cause = _error_of(lines) if traced else lines[-1]
            self._traced = traced


def _error_of(traceback: Sequence[str]) -> str:
    """Returns the line that names the error, which others may follow."""
    frames = [number for number, line in enumerate(traceback) if line.startswith("  File ")]
    after = traceback[frames[-1] + 1 :] if frames else traceback
    return next((line for line in after if not line.startswith(" ")), traceback[-1])


@contextmanager
def _sent_to(handler: logging.Handler) -> Generator[None]:
    """Sends log lines of nbgrader and traitlets to a handler, and nowhere else."""
    loggers = [logging.getLogger(name) for name in ("nbgrader", "traitlets")]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@contextmanager
def logged_to(path: Path) -> Generator[None]:
    """Sends the stages' log lines to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    try:
        with _sent_to(handler):
            yield
    finally:
        handler.close()
