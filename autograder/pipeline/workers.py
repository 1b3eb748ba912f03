"""The workers of one command: opened when a submission needs them, and kept for the assignments that follow."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.pipeline.settings import Settings
from autograder.pipeline.standing import Audience
from autograder.sandbox.doctor import missing
from autograder.sandbox.kernels import WallsError

if TYPE_CHECKING:
    from autograder.pipeline.cluster import Cluster


class Workers:
    """Opens a cluster at most once, and closes it in the end.

    Args:
        settings: what student code may do.
        log: the file that takes what Dask logs.
        jobs: workers on this machine; None for as many as it has cores and memory for.
        scheduler: address of the scheduler whose workers grade; empty for workers on this machine.
    """

    def __init__(self, settings: Settings, log: Path, jobs: int | None, scheduler: str) -> None:
        self._settings = settings
        self._log = log
        self._jobs = jobs
        self._scheduler = scheduler
        self._stack = ExitStack()
        self._cluster: Cluster | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def wanted(self, tasks: int, audience: Audience) -> Cluster:
        """Returns the cluster, with workers for so many tasks or on their way.

        Raises:
            ClusterError: it cannot be reached.
            WallsError: they cannot be raised on this machine.
        """
        if self._cluster is None:
            self._cluster = self._opened(audience)
            if self._cluster.dashboard:
                audience.announce(f"Dask's dashboard: {self._cluster.dashboard}")
        self._cluster.grow(tasks)
        return self._cluster

    def _opened(self, audience: Audience) -> Cluster:
        # Dask is loaded where there is something to do for it
        from autograder.pipeline.cluster import remote_cluster
        from autograder.pipeline.local_cluster import default_jobs, gpus, local_cluster

        if self._scheduler:
            return self._stack.enter_context(remote_cluster(self._scheduler, self._log))
        if self._settings.sandbox and (sentence := missing()):
            raise WallsError(sentence)
        devices = gpus() if self._settings.profile == "gpu" else []
        if self._settings.profile == "gpu" and not devices:
            audience.announce(
                "There is no GPU here: training on all reviews takes minutes, and an exercise that takes more of them "
                "than its time limit loses its points. --data imdb without --profile gpu takes half of the reviews."
            )
        jobs = self._jobs or default_jobs()
        return self._stack.enter_context(local_cluster(jobs, self._log, walls=self._settings.sandbox, devices=devices))
