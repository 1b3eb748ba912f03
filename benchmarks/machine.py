"""What a command costs the machine: wall time, CPU time of everything that ran, memory at its peak.

.venv/bin/python -m benchmarks.machine .venv/bin/autograder grade 06_transformer --profile gpu --no-cache
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Cost:
    """What a command cost.

    Attributes:
        wall: seconds from start to end.
        cpu: CPU seconds of the whole machine meanwhile, so that no child of any kind is missed.
        proportional: peak of the memory of its processes in bytes, shared pages counted once.
        resident: the same with shared pages counted for every process that maps them.
    """

    wall: float
    cpu: float
    proportional: int
    resident: int


def busy_seconds() -> float:
    """Returns the CPU seconds that this machine has worked since it started."""
    numbers = [int(number) for number in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _waiting, interrupts, soft, _stolen = numbers
    return (user + nice + system + interrupts + soft) / TICKS


def idle_load(seconds: float = 3.0) -> float:
    """Returns how many cores the machine keeps busy with other things."""
    before = busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - before) / seconds


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Runs a command to its end and returns what it cost.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    load = idle_load()
    peaks = [0, 0]
    started, busy = time.monotonic(), busy_seconds()
    process = subprocess.Popen(
        command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peaks, ended))
    watcher.start()
    output, _ = process.communicate()
    wall = time.monotonic() - started
    cpu = busy_seconds() - busy - load * wall
    ended.set()
    watcher.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command), output)
    return Cost(wall, cpu, peaks[0], peaks[1])


def _watch(root: int, peaks: list[int], ended: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        sizes = [memory(pid) for pid in family(root)]
        peaks[0] = max(peaks[0], sum(size[0] for size in sizes))
        peaks[1] = max(peaks[1], sum(size[1] for size in sizes))


def family(root: int) -> set[int]:
    """Returns a process and everything that descends from it."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended meanwhile
    found, grown = {root}, True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found, grown = found | more, bool(more)
    return found


def memory(pid: int) -> tuple[int, int]:
    """Returns a process's proportional and resident memory in bytes; nothing once it has ended."""
    sizes = {"Pss:": 0, "Rss:": 0}
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, *rest = line.split()
            if name in sizes:
                sizes[name] = int(rest[0]) * 1024
    except OSError:
        return 0, 0
    return sizes["Pss:"], sizes["Rss:"]


if __name__ == "__main__":
    cost = measure(sys.argv[1:], Path.cwd(), os.environ)
    print(f"{cost.wall:.0f} s, {cost.cpu:.0f} s of CPU, {cost.proportional / 1e9:.2f} GB at the peak")
