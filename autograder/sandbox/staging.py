"""Started by root, become nobody: the step before the outer walls, run as a program of its own.

Limits do not count for root, so the walls are raised by the user nobody, who may not be able to walk to what the walls
show: Python's environment often lies below /root. So this makes a mount namespace, lays everything that will be shown
under /tmp there, becomes nobody and turns into bubblewrap. It imports nothing of ours.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
import sys
from pathlib import Path

STAGE = "/tmp"
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 1 << 18


def place(number: int) -> str:
    """Returns where the source with this number is laid."""
    return f"{STAGE}/{number}"


def main(sources: list[str], user: int, command: list[str]) -> None:
    """Lays the sources out, becomes the user and turns into the command."""
    _own_namespaces(user)
    _mount("none", "/", None, _RECURSIVE | _PRIVATE, "")
    descriptors = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]
    _mount("tmpfs", STAGE, "tmpfs", 0, "mode=0755")
    for number, descriptor in enumerate(descriptors):
        target = Path(place(number))
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            target.mkdir()
        else:
            target.touch()
        _mount(f"/proc/self/fd/{descriptor}", str(target), None, _BIND | _RECURSIVE, "")
        os.close(descriptor)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.execv(command[0], command)


def _own_namespaces(user: int) -> None:
    """Makes a namespace in which this process may mount, even as the limited root of a container."""
    ready, go = os.pipe()
    outside = os.getpid()
    helper = os.fork()
    if not helper:
        os.close(go)
        os.read(ready, 1)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{outside}/{name}").write_text(f"0 0 1\n{user} {user} 1\n")
        os._exit(0)
    os.close(ready)
    _check(_libc.unshare(_NEW_USERS | _NEW_MOUNTS), "making a user namespace")
    os.close(go)
    if os.waitpid(helper, 0)[1] != 0:
        sys.exit("mapping users into a user namespace was refused")


_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"{what} was refused: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str | None, flags: int, options: str) -> None:
    done = _libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), options.encode()
    )
    _check(done, f"mounting on {target}")


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
