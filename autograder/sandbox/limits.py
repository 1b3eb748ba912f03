"""What one kernel may use of the machine."""

from __future__ import annotations

import dataclasses
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass

MIB = 2**20
GIB = 2**30

_CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class KernelLimits:
    """What one kernel may use, all its processes together unless said otherwise.

    Attributes:
        address_space: bytes a process may map. A fork starts with some 2 GiB mapped, most of it never touched; each
            thread that allocates maps another 64 MiB, and there are several for each core. On a GPU there is no such
            limit (0): CUDA maps hundreds of GiB.
        memory: bytes that all processes together may hold, pages of files not counted. A solved notebook stays
            under 1 GiB.
        cpu_seconds: of one process. Deadlines end a kernel long before; this ends what a deadline cannot see.
        file_bytes: of one file. Saved weights have some MB.
        open_files: of one process. A kernel has 60 to begin with.
        processes: of the kernel, threads counted. TensorFlow starts a few for each core in several pools.
        folder_bytes: of the working folder with everything temporary; it is memory.
        folder_files: number of files in it.
        shared_bytes: of POSIX shared memory; multiprocessing passes its arrays there.
        cores: that all processes together may keep busy, where cgroups can be had; 0 for all.
    """

    address_space: int = 8 * GIB + _CORES * GIB // 2
    memory: int = 4 * GIB
    cpu_seconds: int = 3600
    file_bytes: int = 256 * MIB
    open_files: int = 1024
    processes: int = 256 + 16 * _CORES
    folder_bytes: int = 512 * MIB
    folder_files: int = 10_000
    shared_bytes: int = 64 * MIB
    cores: float = 0

    def as_dict(self) -> dict[str, float]:
        """Returns the limits as JSON can hold them."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_dict(limits: Mapping[str, float]) -> KernelLimits:
        """Returns the limits from what `as_dict` gave."""
        return KernelLimits(**limits)  # pyright: ignore[reportArgumentType]


def lower(limits: KernelLimits, *, count_processes: bool) -> None:
    """Sets this process's resource limits, for good.

    Args:
        limits: what it and its children may use.
        count_processes: whether the number of processes is limited; without a user namespace of the kernel's own the
            system would count all processes of the user.
    """
    wanted = {
        resource.RLIMIT_AS: limits.address_space,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_NPROC: limits.processes if count_processes else 0,
    }
    for kind, most in wanted.items():
        if most:
            _set(kind, most, most)
    _set(resource.RLIMIT_CORE, 0, 0)
    # SIGXCPU first: were both the same, the end would look like one for want of memory
    _set(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 5)
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        _set(resource.RLIMIT_MSGQUEUE, 0, 0)


def _set(kind: int, soft: int, hard: int) -> None:
    _, highest = resource.getrlimit(kind)
    if highest != resource.RLIM_INFINITY:
        soft, hard = min(soft, highest), min(hard, highest)
    resource.setrlimit(kind, (soft, hard))
