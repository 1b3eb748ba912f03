"""What this machine can do to wall student code in, and how to get what is missing."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.sandbox import seccomp
from autograder.sandbox.cgroup import Cgroup
from autograder.sandbox.limits import KernelLimits
from autograder.sandbox.walls import WallsError, find_bubblewrap, in_walls, interpreter_inside

_PROBE = """
import os
from autograder.sandbox import cage
from autograder.sandbox.limits import KernelLimits
try:
    cage.leave_namespaces()
    child = os.fork()
    if not child:
        try:
            cage.shut(KernelLimits())
        except cage.CageError as error:
            os.write(1, str(error).encode())
            os._exit(1)
        os.write(1, b'own /proc' if os.path.exists('/proc/self/status') else b'no /proc')
        os._exit(0)
    os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
except cage.CageError as error:
    os.write(1, str(error).encode())
    os._exit(1)
"""


@dataclass(frozen=True)
class Finding:
    """Something that the walls need or can use.

    Attributes:
        name: what it is.
        state: "ok"; "missing" when there can be no walls without; "weaker" when the walls stand but miss a part.
        detail: what was found.
        remedy: what to do; empty if nothing.
    """

    name: str
    state: Literal["ok", "missing", "weaker"]
    detail: str
    remedy: str = ""


@functools.cache
def missing() -> str:
    """Returns what keeps the walls from being raised and how to get it, in one sentence; empty if nothing does."""
    for finding in (*_walls(),):
        if finding.state == "missing":
            return f"Student code cannot be walled in here: {finding.name}: {finding.detail}. {finding.remedy}"
    return ""


def examine() -> list[Finding]:
    """Returns what was found out about this machine."""
    return [*_walls(), _cgroup()]


def _walls() -> list[Finding]:
    try:
        program = find_bubblewrap()
    except WallsError as error:
        return [Finding("bubblewrap", "missing", str(error).rstrip("."), "See docs/security.md, Raising the walls.")]
    version = ".".join(map(str, program.version))
    findings = [Finding("bubblewrap", "ok", f"{version}, {program.path}")]
    try:
        seccomp.program()
    except seccomp.SeccompError as error:
        return [*findings, Finding("seccomp", "missing", str(error), "Grade on an x86-64 or ARM64 machine.")]
    inner = _run(interpreter_inside(f"exec({_PROBE!r})"), answer="own /proc")
    if inner is not None and (outer := _run(["/bin/true"])) is not None:
        return [*findings, Finding("user namespaces", "missing", outer[1] or f"exit code {outer[0]}", remedy())]
    findings.append(Finding("user namespaces", "ok", "a sandbox starts"))
    if inner is not None and inner[0] != 0:
        name = "seccomp" if "seccomp" in inner[1] else "nested namespaces"
        return [*findings, Finding(name, "missing", inner[1] or f"exit code {inner[0]}", remedy())]
    findings.append(Finding("nested namespaces", "ok", "a kernel gets its own users, processes, mounts and network"))
    findings.append(Finding("seccomp", "ok", "the filter of system calls is accepted"))
    if inner is not None:
        findings.append(
            Finding(
                "/proc of a kernel's own",
                "weaker",
                "it is refused, so kernels see none, and their memory is limited for each process only",
                "Start the container with --security-opt systempaths=unconfined.",
            )
        )
    return findings


def _run(arguments: list[str], answer: str = "") -> tuple[int, str] | None:
    """Returns exit code and last line of a program inside the walls, or None if it succeeded with this answer."""
    try:
        with in_walls(arguments) as command:
            done = subprocess.run(
                command.arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
                env=command.environment,
                cwd="/",
                pass_fds=command.descriptors,
                check=False,
            )
    except (OSError, subprocess.SubprocessError) as error:
        return 1, str(error)
    lines = (done.stdout + done.stderr).strip().splitlines()
    last = lines[-1] if lines else ""
    return None if done.returncode == 0 and last == answer else (done.returncode, last)


def remedy() -> str:
    """Returns what to do where user namespaces are refused."""
    if _sysctl("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor restricts user namespaces here (Ubuntu 23.10 and later): "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0."
        )
    if _sysctl("kernel/unprivileged_userns_clone") == "0":
        return "User namespaces are switched off: sudo sysctl kernel.unprivileged_userns_clone=1."
    if _sysctl("user/max_user_namespaces") == "0":
        return "User namespaces are switched off: sudo sysctl user.max_user_namespaces=10000."
    if _in_container():
        return (
            "This is a container whose seccomp profile refuses unshare or mount: start it with --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined, or with a "
            "profile that allows them."
        )
    if sys.platform != "linux":
        return "Grade on Linux or in a Linux container."
    return "The Linux kernel must allow unprivileged user namespaces (CONFIG_USER_NS, user.max_user_namespaces)."


def _sysctl(name: str) -> str:
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return ""


def _in_container() -> bool:
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists() or "KUBERNETES_SERVICE_HOST" in os.environ:
        return True
    status = Path("/proc/self/status")
    return status.exists() and "\nSeccomp:\t2" in status.read_text()


def _cgroup() -> Finding:
    group = Cgroup.make(KernelLimits())
    if group is None:
        return Finding(
            "cgroup v2",
            "weaker",
            "no group with memory and pids can be made: there are limits for each process, and a look at their sum "
            "five times a second",
            "Grade in a systemd user session, or start the container with a writable cgroup (--cgroupns=private "
            "--privileged, or a delegated one); the walls stand without.",
        )
    group.remove()
    return Finding("cgroup v2", "ok", "memory and processes are limited for each warm interpreter")
