"""Have submissions graded on Dask workers, wherever they are."""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dask import config
from distributed import Client, Future, KilledWorker

from autograder.pipeline.determinants import grader_digest
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import from_json
from autograder.pipeline.settings import UsageError
from autograder.pipeline.work import Task, Tell
from autograder.pipeline.worker import WorkerError, grade_on_worker

_FEWEST, _EACH = 100, 4
"""Tasks that a scheduler is given at a time, and for each thread of its workers: enough for a cluster that grows with
them, little enough for memory."""

ANSWER_SECONDS = 10.0
"""For a scheduler to answer: it does nothing else."""

_FETCH_SECONDS = 5.0
"""For a result that is there; after that its worker may be gone, and it is graded again."""

_LOOK_SECONDS = 5.0
"""How often one looks whether there are workers, while no result comes."""

GPU_SECONDS = 60.0
"""For a worker with a GPU to come back, while trainings wait for nothing else."""

_DASHBOARD_SECONDS = 2.0

_CLOSE_SECONDS = 5.0

FORGETFUL = {"distributed.admin.low-level-log-length": 10}
"""Dask keeps the last thousand messages of every connection, to look for its mistakes; ours are whole notebooks."""

_PACKAGES = ("distributed", "tornado", "asyncio", "bokeh")
"""Whose log lines are about Dask."""

GradeOnWorker = Callable[[str, bytes, str], bytes]
"""What a worker runs; see `grade_on_worker`."""


class ClusterError(Exception):
    """The cluster is not there, or no longer; the message says what to do."""


@dataclass(frozen=True)
class _Workers:
    """Those that are there at the moment.

    Attributes:
        threads: tasks that they can do at a time.
        gpu: whether one of them has the resource GPU.
    """

    threads: int
    gpu: bool


@dataclass(frozen=True)
class _Given:
    """A task that a worker has or is to get.

    Attributes:
        task: what is to be done.
        gpu: whether only a worker with a GPU may do it.
    """

    task: Task
    gpu: bool


class Cluster:
    """Workers to grade on.

    Args:
        client: connected to their scheduler.
        place: where they are, for messages.
        start_seconds: how long there may be no worker; None waits for ever.
        dashboard: the address of Dask's dashboard, if one runs.
        gpu: whether a worker with a GPU will come, if it is not there yet.

    Attributes:
        grade: what the workers run.
        grow: starts workers for so many tasks, where that is in our hands.
    """

    def __init__(
        self,
        client: Client,
        place: str,
        *,
        start_seconds: float | None = None,
        dashboard: str = "",
        gpu: bool = False,
    ) -> None:
        self._client = client
        self._place = place
        self._start_seconds = start_seconds
        self._gpu = gpu
        self.grade: GradeOnWorker = grade_on_worker
        self.grow: Callable[[int], None] = lambda tasks: None
        self._topic = f"autograder-{uuid.uuid4().hex}"
        self.dashboard = dashboard

    def results(self, tasks: Iterable[Task], tell: Tell) -> Iterator[tuple[Task, Graded | None]]:
        """Has tasks done and yields what they gave, as it comes.

        Args:
            tasks: taken one by one, as the cluster gets on.
            tell: is told, in lines, how training gets on, and when there is no worker.

        Yields:
            A task and its result; None where it took too many workers down with it.

        Raises:
            WorkerError: a worker cannot grade.
            ClusterError: the scheduler is gone, or no worker comes.
        """
        arrived: queue.SimpleQueue[Future[bytes] | str] = queue.SimpleQueue()
        self._client.subscribe_topic(self._topic, lambda event: arrived.put(str(event[1])))
        try:
            yield from self._results(iter(tasks), arrived, tell)
        finally:
            with contextlib.suppress(Exception):  # a scheduler that is gone needs no word of farewell
                self._client.unsubscribe_topic(self._topic)

    def _results(
        self, tasks: Iterator[Task], arrived: queue.SimpleQueue[Future[bytes] | str], tell: Tell
    ) -> Iterator[tuple[Task, Graded | None]]:
        workers = self._wait_for_workers(tell)
        waiting: dict[Future[bytes], _Given] = {}

        def give(task: Task, *, gpu: bool) -> None:
            future = self._submit(task, gpu=gpu)
            waiting[future] = _Given(task, gpu)
            future.add_done_callback(arrived.put)

        looked = had_gpu = time.monotonic()
        while True:
            task = next(tasks, None) if len(waiting) < max(_FEWEST, _EACH * workers.threads) else None
            if task is not None:
                give(task, gpu=task.gpu and (workers.gpu or self._gpu))
            elif not waiting:
                return
            if task is None and time.monotonic() - looked > _LOOK_SECONDS:
                workers = self._wait_for_workers(tell)
                looked = time.monotonic()
                had_gpu = looked if workers.gpu else had_gpu
                left = [future for future, given in waiting.items() if given.gpu]
                if left and looked - had_gpu > GPU_SECONDS:
                    tell(f"{self._place} has no worker with a GPU any more; trainings go to the others")
                    for future in left:
                        give(waiting.pop(future).task, gpu=False)
                    self._client.cancel(left)
            try:
                came = arrived.get_nowait() if task is not None else arrived.get(timeout=1)
            except queue.Empty:
                continue
            if isinstance(came, str):
                looked = time.monotonic()
                tell(came)
                continue
            if came not in waiting:  # it was given to another worker meanwhile
                continue
            try:
                graded = self._outcome(came)
            except TimeoutError:
                came.add_done_callback(arrived.put)
                continue
            looked = time.monotonic()
            yield waiting.pop(came).task, graded

    def _submit(self, task: Task, *, gpu: bool) -> Future[bytes]:
        return self._client.submit(
            self.grade,
            grader_digest(),
            task.packed,
            self._topic,
            # a name that tells nobody who is graded: dashboards show it
            key=(self._topic, uuid.uuid4().hex),
            resources={"GPU": 1} if gpu else None,
        )

    def _outcome(self, future: Future[bytes]) -> Graded | None:
        """Returns the result of a task that was done.

        Raises:
            TimeoutError: it was lost with its worker, and is done again.
        """
        if future.status == "cancelled":
            raise self._gone("it closed the connection")
        try:
            return from_json(future.result(timeout=_FETCH_SECONDS))
        except (WorkerError, TimeoutError):
            raise
        except KilledWorker:
            return None
        except Exception as error:
            raise ClusterError(
                f"{self._place} cannot take the work ({type(error).__name__}: {error}): scheduler and workers need "
                "this package, the same commit."
            ) from error

    def _info(self) -> Any:
        try:
            return self._client.scheduler_info()
        except (OSError, RuntimeError, TimeoutError) as error:
            raise self._gone(str(error)) from error

    def _gone(self, cause: str) -> ClusterError:
        return ClusterError(
            f"The scheduler of {self._place} is gone ({cause}). What was graded is kept: start it again, and run the "
            "same command to go on."
        )

    def _wait_for_workers(self, tell: Tell) -> _Workers:
        """Waits until there is a worker."""
        started, told = time.monotonic(), False
        while not (workers := self._info()["workers"].values()):
            waited = time.monotonic() - started
            if self._start_seconds is not None and waited > self._start_seconds:
                raise ClusterError(f"{self._place} has had no worker for {waited:.0f} seconds.")
            if not told and waited > _LOOK_SECONDS:
                tell(f"{self._place} has no worker; waiting for one")
                told = True
            time.sleep(0.05)
        return _Workers(
            sum(worker["nthreads"] for worker in workers),
            any("GPU" in worker["resources"] for worker in workers),
        )


def remote_cluster(address: str, log: Path) -> AbstractContextManager[Cluster]:
    """Opens a cluster that runs already.

    Args:
        address: of its scheduler. For tls:// Dask's own configuration names the certificates.
        log: the file that takes what this process's end of the connections logs.

    Raises:
        UsageError: it is no address.
        ClusterError: nobody answers there.
    """

    def connect(stack: ExitStack) -> Cluster:
        stack.enter_context(logged_to(log))
        stack.enter_context(config.set(FORGETFUL))
        client = _connected(address)
        stack.callback(close, client)
        return Cluster(client, f"The cluster at {address}", dashboard=_dashboard(str(client.dashboard_link)))

    return opened(connect)


def _connected(address: str) -> Client:
    try:
        return Client(address, timeout=ANSWER_SECONDS, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise ClusterError(
            f"No scheduler answers at {address} ({error}): start one with `dask scheduler`, or leave --scheduler out "
            "to grade on this machine."
        ) from error
    except (ValueError, TypeError, RuntimeError) as error:
        raise UsageError(f"--scheduler is {address!r}; expected an address like tcp://host:8786 ({error}).") from error


def _dashboard(link: str) -> str:
    """Returns the address of a dashboard if there is one: a scheduler without one answers there, too."""
    try:
        with urllib.request.urlopen(link, timeout=_DASHBOARD_SECONDS) as answer:
            return "" if b"needs bokeh" in answer.read(1000) else link
    except (OSError, ValueError):
        return ""


@contextmanager
def opened(make: Callable[[ExitStack], Cluster]) -> Generator[Cluster]:
    """Makes a cluster and closes what that opened; Ctrl-C takes effect before or after, not in the middle of it."""
    stack = ExitStack()
    try:
        with _undisturbed():
            cluster = make(stack)
        yield cluster
    finally:
        with _undisturbed():
            stack.close()


@contextmanager
def _undisturbed() -> Generator[None]:
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def close(client: Client) -> None:
    """Closes a client, whether or not its scheduler is still there."""
    with contextlib.suppress(Exception):
        client.close(timeout=_CLOSE_SECONDS)


@contextmanager
def logged_to(path: Path) -> Generator[None]:
    """Sends what Dask logs in this process to a file; the terminal gets nothing of it, afterwards neither."""
    handler = logging.FileHandler(path)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    _log_by(handler)
    try:
        yield
    finally:
        _log_by(logging.NullHandler())
        handler.close()


def _log_by(handler: logging.Handler) -> None:
    for name in {*_PACKAGES, *logging.root.manager.loggerDict}:
        logger = logging.getLogger(name)
        if name in _PACKAGES or (name.partition(".")[0] in _PACKAGES and logger.handlers):
            logger.handlers, logger.propagate = [handler], False
