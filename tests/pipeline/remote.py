"""A scheduler and workers of a Dask cluster, started as anybody starts them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

SAME_CODE = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
"""An environment for processes that are to run the code of this checkout."""


class Remote:
    """A scheduler and its workers.

    Attributes:
        address: of the scheduler, which keeps it when it is started again.
        scheduler: its process.
        workers: theirs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self._port}"
        self.scheduler = self.start_scheduler()

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        self.scheduler = self._start("dask_scheduler", "--port", str(self._port))
        return self.scheduler

    def worker(self, *options: str) -> None:
        folder = str(self._folder)
        worker = self._start(
            "dask_worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", folder, *options
        )
        self.workers.append(worker)

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        here = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        with (self._folder / "remote.log").open("ab") as log:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *here, *options]
            return subprocess.Popen(command, stdout=log, stderr=log, env=SAME_CODE)

    def end(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()
