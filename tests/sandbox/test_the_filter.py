"""The filter of system calls, run by a small machine of this file's own, for both architectures."""

from __future__ import annotations

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.sandbox import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
OTHER_CALLS = {
    "x86_64": {
        "clone": 56,
        "ioctl": 16,
        "socket": 41,
        "socketpair": 53,
        "personality": 135,
        "clone3": 435,
        "prlimit64": 302,
    },
    "aarch64": {
        "clone": 220,
        "ioctl": 29,
        "socket": 198,
        "socketpair": 199,
        "personality": 92,
        "clone3": 435,
        "prlimit64": 261,
    },
}


def verdict(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    data = struct.pack("=IIQ6Q", number, architecture or AUDIT[machine], 0, *(arguments + (0,) * 6)[:6])
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    position, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = code[position]
        position += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x06:
            return value
        else:
            true = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            position += if_true if true else if_false


def fails(code: int) -> int:
    return 0x00050000 | code


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_call_of_the_list_is_refused(machine: str) -> None:
    for name, numbers in seccomp.REFUSED.items():
        number = numbers[("x86_64", "aarch64").index(machine)]
        if number is not None:
            expected = errno.ENOSYS if name in seccomp.MISSING else errno.EPERM
            assert verdict(machine, number) == fails(expected), name


@given(st.integers(0, 2**20), st.sampled_from(["x86_64", "aarch64"]))
def test_every_other_call_is_allowed(number: int, machine: str) -> None:
    column = ("x86_64", "aarch64").index(machine)
    listed = {numbers[column] for numbers in seccomp.REFUSED.values()} | set(OTHER_CALLS[machine].values())
    if number not in listed:
        assert verdict(machine, number) == ALLOW


def test_only_unix_sockets_can_be_made(machine: str) -> None:
    for call in ("socket", "socketpair"):
        number = OTHER_CALLS[machine][call]
        for family in range(64):
            expected = ALLOW if family == 1 else fails(errno.EAFNOSUPPORT)
            assert verdict(machine, number, family) == expected


def test_a_clone_makes_no_namespace(machine: str) -> None:
    number = OTHER_CALLS[machine]["clone"]
    assert verdict(machine, number, 17) == ALLOW
    assert verdict(machine, number, 0x003D0F00) == ALLOW  # a thread
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert verdict(machine, number, 17 | 1 << bit) == fails(errno.EPERM)
    assert verdict(machine, 435) == fails(errno.ENOSYS)


def test_nothing_types_into_a_terminal(machine: str) -> None:
    number = OTHER_CALLS[machine]["ioctl"]
    assert verdict(machine, number, 0, 0x5413) == ALLOW
    # the Linux kernel looks at 32 bits of the request only
    for request in (0x5412, 0x541C, 0x100005412):
        assert verdict(machine, number, 0, request) == fails(errno.EPERM)


def test_a_personality_can_only_be_asked_for(machine: str) -> None:
    number = OTHER_CALLS[machine]["personality"]
    assert verdict(machine, number, 0xFFFFFFFF) == ALLOW
    assert verdict(machine, number, 0x0040000) == fails(errno.EPERM)


def test_limits_can_be_lowered_for_oneself_only(machine: str) -> None:
    number = OTHER_CALLS[machine]["prlimit64"]
    assert verdict(machine, number, 0) == ALLOW
    assert verdict(machine, number, 1) == fails(errno.EPERM)


def test_another_architecture_is_killed(machine: str) -> None:
    assert verdict(machine, 0, architecture=0x40000003) == KILL
    if machine == "x86_64":
        assert verdict(machine, 0x40000000) == KILL


def test_a_machine_without_a_list_is_named() -> None:
    with pytest.raises(seccomp.SeccompError, match="riscv64"):
        seccomp.program("riscv64")
