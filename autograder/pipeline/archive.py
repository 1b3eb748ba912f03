"""The notebooks in a zip that students' files went into: nothing is unpacked to where the zip says."""

from __future__ import annotations

import lzma
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autograder.pipeline.settings import UsageError


@dataclass(frozen=True)
class Member:
    """A file in a zip.

    Attributes:
        path: its path there, with forward slashes.
        time: when it was put there or last changed, as the zip says: to two seconds, without a time zone.
        size: bytes, as the zip says.
        problem: why it is not taken, in words that follow the path; empty for a notebook that can be read.
        entry: the zip's own record.
    """

    path: str
    time: datetime
    size: int
    problem: str
    entry: zipfile.ZipInfo


@contextmanager
def opened(path: Path) -> Generator[zipfile.ZipFile]:
    """Opens a zip.

    Raises:
        UsageError: it is not there, or not a zip.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path} cannot be read as a zip ({why}): give the file that the learning platform made."
        ) from error
    with archive:
        yield archive


def members(archive: zipfile.ZipFile, most: int) -> Iterator[Member]:
    """Yields the files of a zip, in its order.

    Args:
        archive: the zip.
        most: bytes of a notebook.
    """
    for entry in archive.infolist():
        path = _name(entry)
        if not path.endswith("/"):
            yield Member(path, _time(entry), entry.file_size, _problem(entry, path, most), entry)


def read(archive: zipfile.ZipFile, member: Member) -> bytes:
    """Returns a file's content.

    Raises:
        ValueError: it is damaged, or not what its record says.
    """
    try:
        with archive.open(member.entry) as file:
            return file.read(member.size + 1)
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, OSError) as error:
        raise ValueError(f"is damaged ({error})") from error


def _name(entry: zipfile.ZipInfo) -> str:
    """Returns a name as it was meant: UTF-8 where that is not said, an accent with its letter, no slash of Windows'."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name).replace("\\", "/")


def _time(entry: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*entry.date_time)
    except ValueError:
        return datetime(1980, 1, 1)


def _problem(entry: zipfile.ZipInfo, path: str, most: int) -> str:
    parts = path.split("/")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if path.startswith("/") or ".." in parts or ":" in parts[0]:
        return "has a path that leads out of the zip"
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device, not a file"
    if "__MACOSX" in parts or parts[-1].startswith("."):
        return "is a hidden file of some program's, not a notebook"
    if not path.endswith(".ipynb"):
        return "is not a notebook (.ipynb)"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.file_size > most:
        return f"has {entry.file_size:,} bytes, more than {most:,}: its outputs must be cleared"
    return ""
