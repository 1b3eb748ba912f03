"""A Dask cluster on this machine, made for one run."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from dask import config
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, Security
from distributed.system import MEMORY_LIMIT

from autograder.pipeline import local_worker
from autograder.pipeline.cluster import ANSWER_SECONDS, FORGETFUL, Cluster, close, logged_to, opened
from autograder.pipeline.local_worker import WorkFor
from autograder.sandbox.kernels import folder_prefix

WORKER_BYTES = 2**30
"""Memory that a worker is given room for: with its warm interpreter and a kernel 0.5 GB, while that trains 0.7 GB."""

_START_SECONDS = 120.0
"""Without a worker, before that is a failure: one starts in a second or two."""

_AGAIN_SECONDS = 0.5
"""Before a worker that died is started again."""

_END_SECONDS = 3.0
"""For a worker to end by itself."""

_LOOK_SECONDS = 0.1
"""How often one looks whether a worker still runs."""

_CERTIFICATES = ("tls_ca_file", "tls_worker_cert", "tls_worker_key")

_CONFIGURATION = {
    **FORGETFUL,
    # workers that may die over a submission: the machine may be short of memory for a while
    "distributed.scheduler.allowed-failures": 10,
    # a worker holds no task back while another one is idle
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.http.routes": [],
}


def default_jobs() -> int:
    """Returns how many workers this machine has cores and memory for."""
    return max(1, min(CPU_COUNT, MEMORY_LIMIT // WORKER_BYTES))


def gpus() -> list[str]:
    """Returns the NVIDIA devices that this process may use, by the names that CUDA_VISIBLE_DEVICES takes."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return [path.name.removeprefix("nvidia") for path in sorted(Path("/dev").glob("nvidia[0-9]*"))]
    return [device.strip() for device in chosen.split(",") if device.strip() not in ("", "-1")]


def local_cluster(
    jobs: int, log: Path, *, walls: bool | None = None, devices: Sequence[str] = ()
) -> AbstractContextManager[Cluster]:
    """Makes a cluster of worker processes, which start in the background as `Cluster.grow` asks for them.

    Its ports are on the loopback interface, and closed to whoever lacks the certificate that is made for this run: a
    Dask port runs whatever is sent to it, and others may have accounts on this machine.

    Args:
        jobs: worker processes at most.
        log: the file that takes what scheduler and workers log.
        walls: whether kernels will be walled in; None where none will be wanted.
        devices: GPUs; so many of the workers have the resource GPU, and a device each.
    """

    def start(stack: ExitStack) -> Cluster:
        stack.enter_context(logged_to(log))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=folder_prefix(), ignore_cleanup_errors=True))
        stack.enter_context(config.set({**_CONFIGURATION, "temporary-directory": folder}))
        security = Security.temporary()
        scheduler: Any = LocalCluster(
            n_workers=0,
            host="127.0.0.1",
            security=security,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.WARNING,
        )
        stack.callback(scheduler.close)
        address = scheduler.scheduler_address
        certificates = {name: str(getattr(security, name)) for name in _CERTIFICATES}
        ending, workers = threading.Event(), list[threading.Thread]()
        stack.callback(_end, ending, workers)

        def grow(tasks: int) -> None:
            while len(workers) < min(jobs, tasks):
                environment, resources = dict[str, str](), dict[str, float]()
                if len(workers) < len(devices):
                    environment, resources = {"CUDA_VISIBLE_DEVICES": devices[len(workers)]}, {"GPU": 1.0}
                wanted = WorkFor(address, certificates, folder, walls, resources)
                keep = threading.Thread(target=_keep_working, args=(wanted, environment, log, ending), daemon=True)
                keep.start()
                workers.append(keep)

        client = Client(address, security=security, timeout=ANSWER_SECONDS, set_as_default=False)
        stack.callback(close, client)
        place = f"This machine's own cluster (its log: {log})"
        cluster = Cluster(client, place, start_seconds=_START_SECONDS, gpu=bool(devices))
        cluster.grow = grow
        return cluster

    return opened(start)


def _keep_working(wanted: WorkFor, environment: Mapping[str, str], log: Path, ending: threading.Event) -> None:
    """Keeps a worker process running until the end; one that dies is started again."""
    path = [entry for entry in sys.path if entry]
    code = f"import sys; sys.path[:] = {path!r}; from {local_worker.__name__} import main; main()"
    while not ending.is_set():
        with log.open("a") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", code],  # the same code as here, and nothing that lies in a folder
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
                text=True,
                start_new_session=True,  # the terminal's Ctrl-C is for the one who started it
            )
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.write(wanted.line())
            process.stdin.flush()
        while process.poll() is None and not ending.wait(_LOOK_SECONDS):
            pass
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        ending.wait(_AGAIN_SECONDS)


def _end(ending: threading.Event, workers: Sequence[threading.Thread]) -> None:
    ending.set()
    for worker in workers:
        worker.join()
