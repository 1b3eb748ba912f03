"""The warm interpreter: a process that has imported TensorFlow and Keras and forks a kernel on request.

Its standard input is a socket. A message on it asks for one kernel and brings seven descriptors: the keeper's line to
the grader, the kernel's line of questions, and the listening sockets of its five Jupyter channels. Nothing else is
shared with the outside, no file and no folder. The process itself has run no operation and started no thread, so that a
fork is sound, and it holds nothing that student code may not see.

Each kernel has a keeper, the first process of its pid namespace: it raises the kernel's walls, watches its memory,
tells the grader over the line how it ended, and takes all of the kernel's processes with it when it goes: when the
kernel has ended, when the grader says so, or when the grader is gone.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from autograder.sandbox import cage
from autograder.sandbox.limits import KernelLimits, lower

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
"""The Jupyter channels, in the order in which their sockets are passed."""

PRELOADED = (
    "numpy",
    "tensorflow",
    "keras",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "sklearn.metrics",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completer",
    "autograder.sandbox.agent",
    "autograder.sandbox.forked",
    "autograder.sandbox.line",
    "autograder.sandbox.wire",
    "sequence_data",
)
"""What every kernel finds imported: seconds saved for each submission."""

_LOOK_SECONDS = 0.2
"""How often a keeper looks at its kernel's memory and buries orphans."""


def main(settings: Mapping[str, Any]) -> None:
    """Serves kernels until the other end of standard input is gone.

    Args:
        settings: "walls" tells whether kernels get walls of their own, "keep" what stays visible below /tmp there,
            "limits" what each may use.
    """
    control = socket.socket(fileno=os.dup(0))
    _point_to_nothing(0)
    walls = bool(settings["walls"])
    gc.disable()  # imports make no garbage worth the search for it: a fifth of their time
    _preload()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if walls:
        cage.set_dumpable(False)
    gc.collect()
    gc.freeze()
    gc.enable()
    control.send(b"ready")
    while True:
        request, descriptors = _receive(control)
        if not request:
            return
        _fork_keeper(control, settings, json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _preload() -> None:
    import importlib

    for name in PRELOADED:
        with contextlib.suppress(ModuleNotFoundError):
            importlib.import_module(name)
    import matplotlib

    from autograder.sandbox import forked

    matplotlib.use("agg")
    forked.prepare()


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """Returns a request and the descriptors that came with it; nothing once the asking side is gone."""
    descriptors = array.array("i")
    room = socket.CMSG_SPACE((2 + len(CHANNELS)) * descriptors.itemsize)
    try:
        request, ancillary, _, _ = control.recvmsg(65536, room)
    except OSError:
        return b"", []
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return request, list(descriptors)


def _point_to_nothing(*streams: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in streams:
        os.dup2(nothing, stream)
    os.close(nothing)


def _fork_keeper(
    control: socket.socket,
    settings: Mapping[str, Any],
    request: Mapping[str, Any],
    descriptors: list[int],
) -> None:
    """Starts a kernel's keeper as a grandchild: only a child is in a new pid namespace."""
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    line = socket.socket(fileno=descriptors[0])
    try:
        control.close()
        os.setsid()
        if settings["walls"]:
            cage.leave_namespaces()
        if os.fork():
            os._exit(0)
        _keep(line, settings, request, descriptors[1:])
    except BaseException as error:
        _say(line, {"error": f"{error}" if isinstance(error, cage.CageError) else repr(error)})
    os._exit(70)


def _say(line: socket.socket, message: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):
        line.send(json.dumps(message).encode())


def _keep(
    line: socket.socket,
    settings: Mapping[str, Any],
    request: Mapping[str, Any],
    descriptors: list[int],
) -> NoReturn:
    """Starts the kernel and stays with it to the end."""
    walls, limits = settings["walls"], KernelLimits.from_dict(settings["limits"])
    if walls:
        cage.shut(limits, settings["keep"])
    _point_to_nothing(1, 2)
    kernel = os.fork()
    if not kernel:
        line.close()
        _become_kernel_or_exit(request, descriptors, limits, walled=walls)
    for descriptor in descriptors:
        os.close(descriptor)
    _say(line, {"started": True})
    ended = _watch(line, kernel, limits.memory if walls else 0)
    if not walls:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(kernel, signal.SIGKILL)
    if ended is not None:
        _say(line, ended)
    os._exit(0)


def _watch(line: socket.socket, kernel: int, memory: int) -> Mapping[str, Any] | None:
    """Returns how the kernel ended, or None when the grader wants it to end."""
    poller = select.poll()
    poller.register(line, select.POLLIN)
    with contextlib.suppress(AttributeError, OSError):  # without it, its end is seen a moment later
        poller.register(os.pidfd_open(kernel), select.POLLIN)
    looked = 0.0
    while True:
        ready = {descriptor for descriptor, _ in poller.poll(_LOOK_SECONDS * 1000)}
        if line.fileno() in ready and not _obey(line, kernel):
            return None
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if ended == kernel:
                return {"exit": os.waitstatus_to_exitcode(status)}
            if not ended:
                break
        if memory and time.monotonic() - looked >= _LOOK_SECONDS:
            looked = time.monotonic()
            if _too_much_memory(memory):
                return {"memory": True}


def _obey(line: socket.socket, kernel: int) -> bool:
    """Obeys one command; returns False when the kernel is to end."""
    try:
        command = line.recv(64)
    except OSError:
        return False
    if command == b"interrupt":
        with contextlib.suppress(ProcessLookupError):
            os.kill(kernel, signal.SIGINT)
        return True
    return False


def _too_much_memory(most: int) -> bool:
    """Tells whether the processes of this pid namespace hold more memory than that, files' pages not counted."""
    processes = [folder for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    held = {process: _sum_of(process / "status", "RssAnon:", "RssShmem:") for process in processes}
    if sum(held.values()) <= most:
        return False
    # Pages that a fork shares with its parent were counted for both. To tell them apart takes longer.
    return sum(_sum_of(process / "smaps_rollup", "Pss_Anon:", "Pss_Shmem:") or held[process] for process in held) > most


def _sum_of(path: Path, *fields: str) -> int:
    try:
        with path.open() as file:
            return 1024 * sum(int(line.split()[1]) for line in file if line.startswith(fields))
    except OSError:
        return 0


def _become_kernel_or_exit(
    request: Mapping[str, Any], descriptors: list[int], limits: KernelLimits, *, walled: bool
) -> NoReturn:
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        home, work = Path(cage.HOME if walled else request["home"]), "work"
        (home / work).mkdir()
        os.chdir(home / work)
        os.environ.update(HOME=str(home), TMPDIR=str(home), IPYTHONDIR=f"{home}/.ipython", MPLCONFIGDIR=f"{home}/.mpl")
        if walled:
            cage.set_dumpable(True)
            lower(limits, count_processes=True)
        questions, *channels = descriptors
        _become_kernel(home, request["connection"], questions, dict(zip(CHANNELS, channels, strict=True)))
    except BaseException:
        os._exit(70)
    os._exit(0)


def _become_kernel(home: Path, connection: Mapping[str, Any], questions: int, channels: Mapping[str, int]) -> None:
    """Turns this process into an IPython kernel that also answers the grader's questions."""
    from tornado.ioloop import IOLoop

    from autograder.sandbox.agent import Agent
    from autograder.sandbox.forked import ForkedKernelApp
    from autograder.sandbox.line import Answering

    sys.path.insert(0, "")
    connection_file = home / ".connection.json"
    connection_file.write_text(json.dumps(connection))
    app: Any = ForkedKernelApp.instance(listening=channels, connection_file=str(connection_file))
    app.initialize([])
    connection_file.unlink()
    answering = Answering(socket.socket(fileno=questions), Agent(app.kernel.shell.user_ns).reply)
    loop = IOLoop.current()

    def answer(*_: Any) -> None:
        if not answering.answer_one():
            loop.remove_handler(questions)

    loop.add_handler(questions, answer, IOLoop.READ)
    app.start()
