"""A control group around a warm interpreter and its kernels, where the machine lets us have one."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

from autograder.sandbox.limits import GIB, KernelLimits

_CONTROLLERS = ("memory", "pids")
_WARM_MEMORY = 1 * GIB
_count = itertools.count()


class Cgroup:
    """A folder of cgroup v2 with limits; what its processes start is counted in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @staticmethod
    def make(limits: KernelLimits) -> Cgroup | None:
        """Returns a new group with the limits of one kernel and room for the warm interpreter, or None."""
        for parent in _parents():
            folder = parent / f"autograder-{os.getpid()}-{next(_count)}"
            try:
                folder.mkdir()
            except OSError:
                continue
            group = Cgroup(folder)
            try:
                if group._limit(limits):
                    return group
            except OSError:
                pass
            group.remove()
        return None

    def _limit(self, limits: KernelLimits) -> bool:
        available = (self.folder / "cgroup.controllers").read_text().split()
        if any(controller not in available for controller in _CONTROLLERS):
            return False
        (self.folder / "memory.max").write_text(str(limits.memory + _WARM_MEMORY))
        (self.folder / "pids.max").write_text(str(limits.processes + 16))
        if (self.folder / "memory.swap.max").exists():
            (self.folder / "memory.swap.max").write_text("0")
        if limits.cores and "cpu" in available:
            (self.folder / "cpu.max").write_text(f"{int(limits.cores * 100_000)} 100000")
        return True

    def add(self, pid: int) -> None:
        """Moves a process and all that it has started in, where that is allowed."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.procs").write_text(str(pid))
        for child in _children(pid):
            self.add(child)

    def remove(self) -> None:
        """Removes the group, a moment after its last process has ended."""
        for _ in range(20):
            try:
                self.folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.05)


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _parents() -> Iterator[Path]:
    """Yields where a group could be made: below our own, or beside it."""
    for line in _own().splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            own = Path("/sys/fs/cgroup") / path.lstrip("/")
            if (own / "cgroup.controllers").exists():
                yield own
                if path != "/":
                    yield own.parent


def _own() -> str:
    try:
        return Path("/proc/self/cgroup").read_text()
    except OSError:
        return ""
