"""Fetch a file once: resumable, verified before it gets its name, and never half there."""

import contextlib
import hashlib
import sys
import urllib.error
import urllib.request
from collections.abc import Generator
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from .reviews import DataError

try:
    import fcntl
except ImportError:  # Windows: downloads are not guarded against each other there
    fcntl = None

TIMEOUT_SECONDS = 30.0
"""Silence of the server after which a download stops; the next one resumes it."""

BLOCK_BYTES = 1 << 16


def download(url: str, path: Path, sha256: str) -> Path:
    """Downloads a file unless it is there.

    The bytes are collected in `path` + ".part", which a later call continues after an
    interruption, and renamed to `path` once their hash is right.

    Args:
        url: where the file comes from.
        path: where it goes; its folder is made.
        sha256: the hash it must have, in hexadecimal digits.

    Returns:
        `path`.

    Raises:
        DataError: the server can't be reached, the transfer stopped, or the hash is wrong.
    """
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.with_name(path.name + ".lock")):
            if not path.exists():  # else another process was faster
                _complete(url, path, sha256)
    except (OSError, HTTPException) as error:
        raise DataError(
            f"{path.name} could not be downloaded from {url} ({error}): try again, which resumes "
            f"it, or put the file at {path} by hand."
        ) from error
    return path


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _alone(lock: Path) -> Generator[None]:
    """Waits until no other process is in here with the same lock file."""
    with lock.open("ab") as file:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)  # the closing of the file gives it up
        yield


def _complete(url: str, path: Path, sha256: str) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("ab") as file:
        _fetch(url, file, path.name)
    found = sha256_of(part)
    if found != sha256:
        raise DataError(
            f"The download {part} has the wrong hash ({found[:12]}… instead of "
            f"{sha256[:12]}…): move it away and try again."
        )
    part.replace(path)


def _fetch(url: str, file: IO[bytes], name: str) -> None:
    """Appends to `file` what it lacks of `url`."""
    request = urllib.request.Request(url)
    if have := file.tell():
        request.add_header("Range", f"bytes={have}-")
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if have and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing is lacking; the hash decides
        raise
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:  # the server sends all of it again
            file.truncate(0)
            have = 0
        total = have + int(response.headers["Content-Length"] or 0)
        with _Progress(name, total) as progress:
            while block := response.read(BLOCK_BYTES):
                file.write(block)
                have += len(block)
                progress.show(have)
    if have < total:
        raise OSError(f"the transfer stopped after {have:,} of {total:,} bytes")


class _Progress:
    """A bar at a terminal or in a notebook; in a log, a line for each quarter."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._told = -1
        self._bar = sys.stderr.isatty() or "ipykernel" in sys.modules

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            print(file=sys.stderr)

    def show(self, have: int) -> None:
        steps = 40 if self._bar else 4
        step = steps * have // self._total if self._total else have // 2_000_000
        if step == self._told:
            return
        self._told = step
        of_total = f" of {self._total / 1e6:.1f}" if self._total else ""
        text = f"Downloading {self._name}: {have / 1e6:.1f}{of_total} MB"
        if self._bar and self._total:
            text = f"\r{text} [{'#' * step}{'.' * (steps - step)}]"
        print(text, end="" if self._bar else "\n", file=sys.stderr, flush=True)
