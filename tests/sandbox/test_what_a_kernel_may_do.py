"""Identity, privileges and system calls of a kernel; what it sees of other processes."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session
from tests.sandbox.conftest import processes_with

Say = Callable[..., str]

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers of the calls are those of x86-64")


def test_it_is_nobody_special(say: Say) -> None:
    status = say("print(open('/proc/self/status').read())")
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == ["1000"] * 4
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(lines[kind], 16) == 0, kind
    assert lines["NoNewPrivs"] == "1"
    assert lines["Seccomp"] == "2"


def test_it_is_nobody_special_outside_either(say: Say) -> None:
    say("import subprocess\nsleeper = subprocess.Popen(['sleep', '98765.25'])")
    (pid,) = processes_with("98765.25")
    status = Path(f"/proc/{pid}/status").read_text()
    lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert "0" not in lines["Uid"].split()
    assert int(lines["CapEff"], 16) == 0


CALLS = {
    # name: number on x86-64 and arguments that would be accepted without the filter, as far as that can be
    "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, 0, 0),
    "pivot_root": (155, 0, 0),
    "open_tree": (428, -100, 0, 0),
    "fsopen": (430, 0, 0),
    "unshare, of nothing": (272, 0),
    "unshare, of users": (272, 0x10000000),
    "setns": (308, 0, 0),
    "clone with new users": (56, 0x10000000 | 17, 0, 0, 0, 0),
    "keyctl": (250, 0, -3),
    "add_key": (248, 0, 0, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    "userfaultfd": (323, 1),
    "io_uring_setup": (425, 1, 0),
    "name_to_handle_at": (303, 0, 0, 0, 0, 0),
    "personality": (135, 0x0040000),
    "pidfd_getfd": (438, 0, 0, 0),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "ioctl TIOCSTI": (16, 0, 0x5412, 0),
    "a System V shared memory": (29, 0, 4096, 0o1600),
}


@on_x86
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_refused(say: Say, name: str) -> None:
    assert (
        say(f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(*[ctypes.c_long(value) for value in {CALLS[name]!r}]), errno.errorcode[ctypes.get_errno()])
""")
        == "-1 EPERM"
    )


@on_x86
@pytest.mark.parametrize(("name", "number"), [("clone3", 435), ("memfd_create", 319)])
def test_a_call_is_said_not_to_exist(say: Say, name: str, number: int) -> None:
    assert (
        say(f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall({number}, 0, 0), errno.errorcode[ctypes.get_errno()])
""")
        == "-1 ENOSYS"
    )


@on_x86
def test_the_calls_of_another_architecture_end_the_process(say: Say) -> None:
    ended = say("""
import ctypes, os
child = os.fork()
if not child:
    ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
""")
    assert ended == "-31"


def test_it_sees_its_own_processes_only(say: Say) -> None:
    say("import subprocess\nsleeper = subprocess.Popen(['sleep', '98765.5'])")
    seen = say("import os\nprint(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))")
    # the keeper, the kernel, the sleeper
    assert len(seen.strip("[]").split(",")) in (0, 3)


def test_its_keeper_cannot_be_touched(say: Say) -> None:
    assert (
        say("""
import ctypes, os, signal
for name in ("mem", "environ", "fd/0", "maps", "root", "cwd"):
    try:
        os.open(f"/proc/1/{name}", os.O_RDONLY)
        print("opened", name)
    except OSError:
        pass
for number in range(1, 32):
    try:
        os.kill(1, number)
    except OSError:
        pass
import time; time.sleep(0.5)
print("alive")
""")
        == "alive"
    )


def test_two_kernels_do_not_see_each_other(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as one, Session(interpreter) as other:
        one.run(
            """
import socket, subprocess
open("/tmp/work/mine", "w").write("x"); open("/tmp/mine", "w").write("x"); open("/dev/shm/mine", "w").write("x")
listener = socket.socket(socket.AF_UNIX); listener.bind("\\0mine"); listener.listen()
sleeper = subprocess.Popen(["sleep", "98765.75"])
""",
            20,
        )
        seen = other.run(
            """
import os, socket
for path in ("/tmp/work/mine", "/tmp/mine", "/dev/shm/mine"):
    if os.path.exists(path):
        print("saw", path)
try:
    socket.socket(socket.AF_UNIX).connect("\\0mine")
    print("reached")
except OSError:
    pass
for name in os.listdir("/proc"):
    if name.isdigit() and b"98765.75" in open(f"/proc/{name}/cmdline", "rb").read():
        print("saw", name)
print(len(os.listdir("/dev/pts")))
""",
            20,
        )
        assert seen.error is None
        assert seen.text.strip() == "1"  # ptmx


def test_no_descriptor_of_the_grader_is_open(say: Say) -> None:
    links = say("""
import os
for name in os.listdir("/proc/self/fd"):
    try:
        print(os.readlink(f"/proc/self/fd/{name}"))
    except OSError:
        pass
""")
    kinds = ("pipe:", "socket:", "anon_inode:[event", "/dev/null", "/dev/urandom", "anon_inode:[timerfd]")
    assert [link for link in links.splitlines() if not link.startswith(kinds)] == []


def test_without_walls_it_still_computes() -> None:
    with contextlib.closing(WarmInterpreter(walls=False)) as warm:
        assert not warm.walls
        with Session(warm) as bare:
            assert bare.run("print(6 * 7)", 20).text.strip() == "42"
