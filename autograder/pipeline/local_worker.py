"""A Dask worker process of this machine's own cluster: started by `local_cluster`, told by its standard input.

The first line says what to work for. The end of standard input ends the process at once: whoever started it is done, or
dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import threading
from dataclasses import asdict, dataclass, field

from dask import config
from distributed import Security, Worker

from autograder.sandbox.kernels import WarmInterpreterError, close_shared_interpreters, shared_interpreter

_CLOSE_SECONDS = 1.0
"""For kernels to be ended in good order; after that they end with this process."""


@dataclass(frozen=True)
class WorkFor:
    """What a worker is started with.

    Attributes:
        scheduler: its address.
        certificates: arguments of Dask's `Security`.
        folder: for Dask's own files.
        walls: whether kernels will be walled in; None where none will be wanted.
        resources: what tasks may ask for.
    """

    scheduler: str
    certificates: dict[str, str]
    folder: str
    walls: bool | None
    resources: dict[str, float] = field(default_factory=dict[str, float])

    def line(self) -> str:
        """Returns the first line of the worker's standard input."""
        return json.dumps(asdict(self)) + "\n"


def main() -> None:
    """Works until standard input or the scheduler is gone."""
    logging.getLogger("distributed").setLevel(logging.WARNING)
    wanted = WorkFor(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_input, args=(wanted.folder,), daemon=True).start()
    if wanted.walls is not None:
        threading.Thread(target=_warm_up, args=(wanted.walls, "GPU" in wanted.resources), daemon=True).start()
    asyncio.run(_work(wanted))


async def _work(wanted: WorkFor) -> None:
    with config.set({"distributed.worker.http.routes": []}):
        worker = Worker(
            wanted.scheduler,
            nthreads=1,
            host="127.0.0.1",
            security=Security(require_encryption=True, **wanted.certificates),
            dashboard_address="127.0.0.1:0",
            local_directory=wanted.folder,
            memory_limit=0,  # kernels have limits of their own
            resources=wanted.resources,
        )
        async with worker:
            await worker.finished()


def _warm_up(walls: bool, gpu: bool) -> None:
    with contextlib.suppress(WarmInterpreterError):  # the first submission will say so
        shared_interpreter(walls=walls, gpu=gpu).start()


def _end_with_input(folder: str) -> None:
    sys.stdin.read()
    closing = threading.Thread(target=close_shared_interpreters, daemon=True)
    closing.start()
    closing.join(_CLOSE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
