"""What a forked process does to itself before student code runs: namespaces, mounts, no privileges, a call filter.

It runs inside the outer walls, where the process has no privileges but may make a user namespace of its own. The steps
are spread over two processes, since a pid namespace begins with the first child: `leave_namespaces` in the parent,
`shut` in the child.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from autograder.sandbox import seccomp
from autograder.sandbox.limits import KernelLimits

HOME = "/tmp"
"""Everything below is the kernel's own and gone with it."""

_NEW_MOUNTS, _NEW_UTS, _NEW_IPC = 0x00020000, 0x04000000, 0x08000000
_NEW_USERS, _NEW_PIDS, _NEW_NETWORK, _NEW_CGROUPS = 0x10000000, 0x20000000, 0x40000000, 0x02000000
_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _RECURSIVE, _PRIVATE = 0x20, 0x1000, 0x4000, 1 << 18
_SET_DUMPABLE, _DROP_BOUND, _SET_NO_NEW_PRIVILEGES, _AMBIENT, _AMBIENT_CLEAR = 4, 24, 38, 47, 4
_CAPABILITY_VERSION = 0x20080522


class CageError(Exception):
    """A step was refused; the message names it."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc(), name)(*arguments) != 0:
        raise CageError(f"{name} was refused: {os.strerror(ctypes.get_errno())}")


def set_dumpable(dumpable: bool) -> None:
    """Says whether processes of the same user may look into this one's memory and descriptors."""
    _call("prctl", _SET_DUMPABLE, int(dumpable), 0, 0, 0)


def leave_namespaces() -> None:
    """Gives this process namespaces of its own; its next child is the first of the new pid namespace.

    Raises:
        CageError: the Linux kernel refused.
    """
    user, group = os.getuid(), os.getgid()
    # an undumpable process may not write the maps of its own namespace
    set_dumpable(True)
    _call("unshare", _NEW_USERS | _NEW_MOUNTS | _NEW_PIDS | _NEW_IPC | _NEW_UTS | _NEW_NETWORK | _NEW_CGROUPS)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            Path("/proc/self", name).write_text(content)
        except OSError as error:
            raise CageError(f"writing {name} was refused: {error.strerror}") from error


def shut(limits: KernelLimits, keep: Sequence[str] = ()) -> None:
    """Covers what is shared, then gives up every privilege. To be called by the first of a pid namespace.

    Args:
        limits: what the kernel may use.
        keep: folders below /tmp that stay visible: where Python's environment is there.

    Raises:
        CageError: the Linux kernel refused.
    """
    _cover(limits, keep)
    _drop_privileges()
    # the first process reports how the kernel ended: the kernel may not reach into it
    set_dumpable(False)
    try:
        seccomp.install(seccomp.program())
    except seccomp.SeccompError as error:
        raise CageError(str(error)) from error


def _cover(limits: KernelLimits, keep: Sequence[str]) -> None:
    _mount("none", "/", None, _RECURSIVE | _PRIVATE, "")
    plain = _NO_SUID | _NO_DEVICES
    kept = {folder: os.open(folder, os.O_PATH | os.O_CLOEXEC) for folder in keep}
    _mount("tmpfs", "/tmp", "tmpfs", plain, f"size={limits.folder_bytes},nr_inodes={limits.folder_files},mode=0755")
    for folder, descriptor in kept.items():
        Path(folder).mkdir(parents=True)
        _mount(f"/proc/self/fd/{descriptor}", folder, None, _BIND | _RECURSIVE, "")
        os.close(descriptor)
    _mount("tmpfs", "/dev/shm", "tmpfs", plain | _NO_PROGRAMS, f"size={limits.shared_bytes},mode=1777")
    _mount("devpts", "/dev/pts", "devpts", _NO_SUID | _NO_PROGRAMS, "newinstance,ptmxmode=0666,mode=620")
    _cover_proc(plain | _NO_PROGRAMS)


def _cover_proc(flags: int) -> None:
    """Shows this pid namespace's processes in /proc; where that is refused, none at all."""
    try:
        _mount("proc", "/proc", "proc", flags, "")
    except CageError:
        # Where the outer /proc is partly covered (as container engines do) a new one is refused.
        shown = {
            name: _content(Path("/proc", name)) for name in ("cpuinfo", "meminfo", "stat", "version", "filesystems")
        }
        _mount("tmpfs", "/proc", "tmpfs", flags, "size=1m,mode=0755")
        for name, content in shown.items():
            Path("/proc", name).write_bytes(content)
        _mount("tmpfs", "/proc", None, flags | _REMOUNT | _READ_ONLY, "")


def _content(path: Path) -> bytes:
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    done = _libc().mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    if done != 0:
        raise CageError(f"mounting {kind or 'on'} {target} was refused: {os.strerror(ctypes.get_errno())}")


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def _drop_privileges() -> None:
    libc = _libc()
    number = 0
    while libc.prctl(_DROP_BOUND, number, 0, 0, 0) == 0:
        number += 1
    if number < 32:
        raise CageError(f"dropping capability {number} was refused: {os.strerror(ctypes.get_errno())}")
    _call("prctl", _AMBIENT, _AMBIENT_CLEAR, 0, 0, 0)
    _call("capset", ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION, 0)), (ctypes.c_uint32 * 6)())
    _call("prctl", _SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
