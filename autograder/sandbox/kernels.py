"""Kernels forked from a warm interpreter, seen from outside."""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.sandbox import walls as walls_module
from autograder.sandbox.cgroup import Cgroup
from autograder.sandbox.limits import KernelLimits
from autograder.sandbox.walls import Command, bare, walled
from autograder.sandbox.warm import CHANNELS

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONWARNINGS": "ignore"}
"""TensorFlow's log lines would stand in students' outputs; oneDNN's changing order of sums in their numbers."""

ONE_THREAD = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), "1")
"""Submissions share the cores, not the threads of one; and sums come out in one order, on any machine."""

DOUBLE = {"JAX_ENABLE_X64": "1"}
"""Where Keras runs on JAX, float64 would quietly be float32."""

SHARED_GPU = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "NVIDIA_TF32_OVERRIDE": "0"}
"""A kernel would take all memory of the GPU at once; so it takes what it uses, and the next one finds some. And
products of float32 would be those of TF32, which has ten bits."""

PASSED_ON = ("LANG", "LC_ALL", "KERAS_BACKEND", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES")
"""The only variables of the grader's environment that student code sees."""

FORKS = 1000
"""Kernels that one warm interpreter forks before another takes its place, so that nothing can pile up in it."""

_ATTEMPTS = 10
"""At a kernel, where the interpreter is killed meanwhile."""

_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)
"""How a process ends that was killed, and how bubblewrap tells of it."""

_START_SECONDS = 180.0
_FORK_SECONDS = 60.0


class WarmInterpreterError(Exception):
    """The warm interpreter could not be started or did not fork."""


class WallsError(WarmInterpreterError):
    """The walls cannot be raised here; the message says what is missing and how to get it."""


class WarmInterpreter:
    """A process to fork kernels from; started on first use, replaced when it dies.

    Args:
        walls: False lets student code run as the grader's own user, with all that it may do: for one's own notebooks
            only.
        limits: what each kernel may use.
        gpu: lets the NVIDIA devices in.

    Raises:
        WallsError: they cannot be raised on this machine.
    """

    def __init__(
        self,
        *,
        walls: bool = True,
        limits: KernelLimits | None = None,
        gpu: bool = False,
    ) -> None:
        self.walls = walls
        self._limits = limits or KernelLimits()
        if gpu:
            self._limits = dataclasses.replace(self._limits, address_space=0)
        self._gpu = gpu
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._retired: list[_Process] = []
        self._closed = False
        if walls:
            from autograder.sandbox.doctor import missing

            if sentence := missing():
                raise WallsError(sentence)

    def start(self) -> None:
        """Starts the interpreter if it does not run: seconds that whoever soon wants a kernel need not wait for.

        Raises:
            WarmInterpreterError: it could not be started.
        """
        with self._lock:
            if not self._closed:
                self._running()

    def fork(self) -> Kernel:
        """Returns a fresh kernel.

        Raises:
            WarmInterpreterError: no kernel could be had.
        """
        with self._lock:
            left = _ATTEMPTS
            while True:
                if self._closed:
                    raise WarmInterpreterError("the warm interpreter was closed")
                try:
                    return self._running().fork()
                except (OSError, Gone) as error:
                    left -= 1
                    if not left:
                        raise WarmInterpreterError(f"the warm interpreter is gone: {error}") from error

    def close(self) -> None:
        """Ends the interpreter and every kernel forked from it, for good."""
        self._closed = True
        with self._lock:
            for process in (self._process, *self._retired):
                if process is not None:
                    process.close()
            self._process, self._retired = None, []

    def _running(self) -> _Process:
        for process in [retired for retired in self._retired if not retired.serves()]:
            process.close()
            self._retired.remove(process)
        if self._process is not None and not self._process.alive:
            self._process.close()
            self._process = None
        if self._process is not None and self._process.forked >= FORKS:
            # its kernels would end with it
            self._retired.append(self._process)
            self._process = None
        if self._process is None:
            self._process = _Process(self._command, self._limits if self.walls else None)
        return self._process

    def _command(self) -> Command:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment |= QUIET | ONE_THREAD | DOUBLE
        if self._gpu:
            environment |= SHARED_GPU
        settings = {"walls": self.walls, "limits": self._limits.as_dict()}
        if not self.walls:
            folder = tempfile.gettempdir()
            return bare(settings, {**environment, "HOME": folder, "PATH": os.environ.get("PATH", os.defpath)})
        environment |= {"HOME": "/tmp", "PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin", "MPLCONFIGDIR": "/tmp/.mpl"}
        try:
            return walled(settings, environment, gpu=self._gpu)
        except walls_module.WallsError as error:
            raise WallsError(str(error)) from error


class Gone(WarmInterpreterError):
    """The warm interpreter was ended by something else, while it started or was asked for a kernel."""


class _Process:
    """A running warm interpreter, and the folder for the sockets of its kernels."""

    def __init__(self, command: Callable[[], Command], limits: KernelLimits | None) -> None:
        sweep()
        # sockets need short paths: 107 characters at most
        self.folder = Path(tempfile.mkdtemp(prefix=folder_prefix(), dir=_short_temporary_folder()))
        self.control, theirs = socket.socketpair(socket.AF_UNIX, _KIND)
        self._cgroup = Cgroup.make(limits) if limits is not None else None
        self.forked = 0
        self._kernels: list[Kernel] = []
        self._process: subprocess.Popen[bytes] | None = None
        started = threading.Event()
        problem: list[BaseException] = []

        def start_and_stay() -> None:
            # The sandbox ends with the thread that started it, not only with its process: a thread of its own, then.
            try:
                with command() as wanted, (self.folder / "log").open("wb") as log:
                    self._process = subprocess.Popen(
                        wanted.arguments,
                        stdin=theirs.fileno(),
                        stdout=log,
                        stderr=log,
                        env=wanted.environment,
                        cwd="/",
                        pass_fds=wanted.descriptors,
                    )
                    # the descriptors must stay open until they are bound, and that is before the first word
                    theirs.close()
                    self.control.settimeout(_START_SECONDS)
                    if self.control.recv(64) != b"ready":
                        if self._process.wait(10) in _KILLED:
                            raise Gone("it was killed while it started")
                        raise WarmInterpreterError(
                            "the warm interpreter did not start; its last words were: " + self._last_words()
                        )
                    self.control.settimeout(None)
                    # now: bubblewrap starts no more processes, and no kernel has been forked
                    if self._cgroup is not None:
                        self._cgroup.add(self._process.pid)
            except BaseException as error:
                problem.append(error)
                return
            finally:
                started.set()
            self._process.wait()

        self._thread = threading.Thread(target=start_and_stay, name="warm interpreter", daemon=True)
        self._thread.start()
        started.wait()
        if problem:
            theirs.close()
            self.close()
            if isinstance(problem[0], WarmInterpreterError):
                raise problem[0]
            raise WarmInterpreterError(f"the warm interpreter did not start: {problem[0]}") from problem[0]

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def serves(self) -> bool:
        """Tells whether a kernel that was forked from it may still run."""
        return not all(kernel.closed for kernel in self._kernels)

    def fork(self) -> Kernel:
        """Returns a fresh kernel.

        Raises:
            OSError, Gone: the interpreter has ended.
            WallsError: the kernel's walls could not be raised.
        """
        kernel = Kernel(self.folder)
        try:
            kernel.ask_for(self.control)
        except BaseException as error:
            kernel.close()
            if isinstance(error, (OSError, Gone)):
                self.close()
            raise
        self.forked += 1
        self._kernels = [*(kernel for kernel in self._kernels if not kernel.closed), kernel]
        return kernel

    def _last_words(self) -> str:
        lines = (self.folder / "log").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "none"

    def close(self) -> None:
        self.control.close()
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._cgroup is not None:
            self._cgroup.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


_FOLDER_PREFIX = "warm-"
_KIND = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_STREAM


def _short_temporary_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if len(folder) < 50 else "/tmp"


def folder_prefix() -> str:
    """Returns how the names of folders begin that `sweep` removes if this process is killed."""
    return f"{_FOLDER_PREFIX}{os.getpid()}-"


def sweep() -> None:
    """Removes the folders of this user's graders that were killed."""
    for folder in Path(_short_temporary_folder()).glob(f"{_FOLDER_PREFIX}*-*"):
        owner = folder.name.removeprefix(_FOLDER_PREFIX).split("-")[0]
        with contextlib.suppress(OSError):
            if owner.isdigit() and not _exists(int(owner)) and folder.stat().st_uid == os.getuid():
                shutil.rmtree(folder, ignore_errors=True)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Kernel:
    """A kernel's process, as far as its keeper tells of it.

    Attributes:
        connection: its Jupyter channels.
        questions: the grader's end of the line of questions.
        out_of_memory: it was ended since it held too much memory.
        lost: its end was seen by nobody: it went with its keeper or the warm interpreter.
        closed: it was ended by the grader.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="k", dir=folder))
        self._line, self._theirs = socket.socketpair(socket.AF_UNIX, _KIND)
        self.questions, self._answers = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.questions.setblocking(False)
        self._exit: int | None = None
        self.out_of_memory = False
        self.lost = False
        self.closed = False
        self.connection: dict[str, Any] = {
            "transport": "ipc",
            "ip": str(self._folder / "s"),
            "key": os.urandom(32).hex(),
            "signature_scheme": "hmac-sha256",
            "kernel_name": "sandbox",
            **{f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)},
        }
        self.connection_file = self._folder / "connection.json"
        self.connection_file.write_text(json.dumps(self.connection))

    def ask_for(self, control: socket.socket) -> None:
        """Has the warm interpreter fork this kernel.

        Raises:
            OSError: it is gone.
            WarmInterpreterError: it could not.
        """
        request = {"connection": {**self.connection, "ip": "s"}, "home": str(self._folder)}
        channels: list[socket.socket] = []
        try:
            for number in range(1, len(CHANNELS) + 1):
                channels.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                channels[-1].bind(f"{self._folder / 's'}-{number}")
                channels[-1].listen(16)
            descriptors = [part.fileno() for part in (self._theirs, self._answers, *channels)]
            socket.send_fds(control, [json.dumps(request).encode()], descriptors)
        finally:
            self._theirs.close()
            self._answers.close()
            for channel in channels:
                channel.close()
        self._line.settimeout(_FORK_SECONDS)
        answer = self._line.recv(4096)
        self._line.settimeout(None)
        if not answer:
            raise Gone("it ended while it was asked for a kernel")
        if "error" in (said := json.loads(answer)):
            raise WallsError(
                f"the walls of a kernel could not be raised: {said['error']}; docs/security.md says what they need."
            )

    def fileno(self) -> int:
        """The descriptor that becomes readable when the process has ended."""
        return self._line.fileno()

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for a signal, once the process has ended; else None."""
        if self._exit is None:
            try:
                message = self._line.recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return None
            except OSError:
                message = b""
            said = json.loads(message) if message else {}
            self.out_of_memory, self.lost = "memory" in said, not said
            self._exit = int(said.get("exit", -signal.SIGKILL))
        return self._exit

    def interrupt(self) -> None:
        """Sends the process what Ctrl-C sends."""
        with contextlib.suppress(OSError):
            self._line.send(b"interrupt")

    def close(self) -> None:
        """Kills the process if it still runs, with all that it started, and removes its files."""
        self.closed = True
        for end in (self._line, self._theirs, self.questions, self._answers):
            end.close()
        shutil.rmtree(self._folder, ignore_errors=True)


_shared: dict[tuple[bool, bool], WarmInterpreter] = {}
_shared_lock = threading.Lock()


def shared_interpreter(*, walls: bool = True, gpu: bool = False) -> WarmInterpreter:
    """Returns this process's warm interpreter, one of each kind; it ends with the process.

    Raises:
        WallsError: they cannot be raised on this machine.
    """
    with _shared_lock:
        kind = (walls, gpu)
        if kind not in _shared:
            _shared[kind] = WarmInterpreter(walls=walls, gpu=gpu)
            atexit.register(_shared[kind].close)
        return _shared[kind]


def close_shared_interpreters() -> None:
    """Ends this process's warm interpreters and all their kernels, for good."""
    for interpreter in list(_shared.values()):
        interpreter.close()
