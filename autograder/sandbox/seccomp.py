"""The system calls that a kernel may not make, as a filter for the Linux kernel.

Everything else is allowed: NumPy, TensorFlow and IPython use some hundred calls, and other ones with each version.
Refused are the doors out of the sandbox (namespaces, mounts, sockets to a network), the ways into another process, and
parts of the Linux kernel that are large, seldom needed and often the subject of security notices.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from dataclasses import dataclass

REFUSED: dict[str, tuple[int | None, int | None]] = {
    # name: (number on x86-64, number on ARM64)
    # into other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # namespaces and mounts
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "statmount": (457, 457),
    "listmount": (458, 458),
    "open_tree_attr": (467, 467),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    # keys, tracing, asynchronous I/O: large and seldom needed
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "vmsplice": (278, 75),
    # memory that no limit counts
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "nfsservctl": (180, 42),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
}

MISSING = frozenset({"memfd_create", "memfd_secret"})
"""Calls that are said not to exist, so that libraries take their other way."""

_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET; NEWTIME is only for clone3 and unshare."""
_UNIX = 1
_QUERY_PERSONALITY = 0xFFFFFFFF
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX type into a terminal


class SeccompError(Exception):
    """The filter could not be made or set."""


@dataclass(frozen=True)
class _Machine:
    audit: int
    column: int
    socket: int
    socketpair: int
    clone: int
    ioctl: int
    personality: int
    prlimit64: int


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 0, socket=41, socketpair=53, clone=56, ioctl=16, personality=135, prlimit64=302),
    "aarch64": _Machine(0xC00000B7, 1, socket=198, socketpair=199, clone=220, ioctl=29, personality=92, prlimit64=261),
}

_CLONE3 = 435
_X32 = 0x40000000

# classic BPF: load a word, jump if equal/greater-or-equal/any bit set, return
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


def _argument(index: int) -> int:
    return 16 + 8 * index  # the low word: both machines are little-endian


def _fail(code: int) -> int:
    return 0x00050000 | code


def _instruction(code: int, jump_true: int, jump_false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, jump_true, jump_false, value)


def program(machine: str | None = None) -> bytes:
    """Returns the filter for a machine, this one by default.

    Raises:
        SeccompError: there is none for such a machine.
    """
    machine = machine or os.uname().machine
    if machine not in _MACHINES:
        raise SeccompError(f"there is no list of system calls for {machine}, only for {' and '.join(_MACHINES)}")
    here = _MACHINES[machine]
    load_number = _instruction(_LOAD, 0, 0, _NUMBER)
    parts = [
        _instruction(_LOAD, 0, 0, _ARCHITECTURE),
        _instruction(_EQUAL, 1, 0, here.audit),
        _instruction(_RETURN, 0, 0, _KILL),
        load_number,
    ]
    if machine == "x86_64":
        parts += [_instruction(_AT_LEAST, 0, 1, _X32), _instruction(_RETURN, 0, 0, _KILL)]

    def refuse(number: int, code: int) -> None:
        parts.extend((_instruction(_EQUAL, 0, 1, number), _instruction(_RETURN, 0, 0, _fail(code))))

    def refuse_unless(
        number: int, index: int, *allowed: int, bits: int = 0, refused: tuple[int, ...] = (), code: int = errno.EPERM
    ) -> None:
        """Looks at one argument of a call: these values only, or none of these bits, or none of these values."""
        body = [_instruction(_LOAD, 0, 0, _argument(index))]
        if allowed:
            for position, value in enumerate(allowed):
                body.append(_instruction(_EQUAL, len(allowed) - position, 0, value))
            body.append(_instruction(_RETURN, 0, 0, _fail(code)))
        elif bits:
            body += [_instruction(_ANY_BIT, 0, 1, bits), _instruction(_RETURN, 0, 0, _fail(code))]
        for value in refused:
            body += [_instruction(_EQUAL, 0, 1, value), _instruction(_RETURN, 0, 0, _fail(code))]
        body.append(_instruction(_RETURN, 0, 0, _ALLOW))
        parts.extend((_instruction(_EQUAL, 0, len(body), number), *body))

    refuse(_CLONE3, errno.ENOSYS)  # its flags are behind a pointer; the C library then takes clone
    refuse_unless(here.clone, 0, bits=_NAMESPACES)
    refuse_unless(here.ioctl, 1, refused=_TERMINAL_INPUT)
    refuse_unless(here.socket, 0, _UNIX, code=errno.EAFNOSUPPORT)
    refuse_unless(here.socketpair, 0, _UNIX, code=errno.EAFNOSUPPORT)
    refuse_unless(here.personality, 0, _QUERY_PERSONALITY)
    refuse_unless(here.prlimit64, 0, 0)  # of this process itself: not of the one that watches it
    for name, numbers in REFUSED.items():
        number = numbers[here.column]
        if number is not None:
            refuse(number, errno.ENOSYS if name in MISSING else errno.EPERM)
    parts.append(_instruction(_RETURN, 0, 0, _ALLOW))
    return b"".join(parts)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(filter_bytes: bytes) -> None:
    """Sets the filter on this thread and all that it starts, for good. It needs no_new_privs.

    Raises:
        SeccompError: the Linux kernel refused it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    held = ctypes.create_string_buffer(filter_bytes, len(filter_bytes))
    described = _Program(len(filter_bytes) // 8, ctypes.cast(held, ctypes.c_void_p))
    set_seccomp, filter_mode = 22, 2
    if libc.prctl(set_seccomp, filter_mode, ctypes.byref(described), 0, 0) != 0:
        code = ctypes.get_errno()
        raise SeccompError(f"the seccomp filter was refused: {os.strerror(code)}")
