"""An IPython kernel on sockets that are already listening, with little left to do after the fork."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Generator
from types import ModuleType
from typing import Any, ClassVar

import zmq
from ipykernel import ipkernel, kernelapp
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

_LATE = (
    "IPython.core.completerlib",
    "IPython.core.logger",
    "IPython.core.magics.execution",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "IPython.utils.module_paths",
    "tornado.platform.asyncio",
)


def prepare() -> None:
    """Does before the fork what every kernel would do after it."""
    # The debugger is half of a kernel's start, and nothing here debugs: for one moment it is not installed.
    sys.modules["debugpy"] = None  # pyright: ignore[reportArgumentType]
    try:
        importlib.import_module("ipykernel.debugger")
    finally:
        del sys.modules["debugpy"]
    for name in _LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from matplotlib.backends.registry import backend_registry

    backend_registry.list_all()


@contextlib.contextmanager
def _replaced(module: ModuleType, name: str, value: object) -> Generator[None]:
    """Has a name of a module stand for something else, for a moment."""
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


def _without_pipe(*args: Any, pipe: bool = False, **kwargs: Any) -> IOPubThread:
    return IOPubThread(*args, pipe=False, **kwargs)


class _SysWithoutModules:
    """Stands for `sys` while a kernel is made, which lists the files of all modules for a debugger's sake.

    There are thousands, and to look at one is to copy the page of memory it lies on: a third of a kernel's start.
    """

    modules: ClassVar[dict[str, ModuleType]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class ForkedKernelApp(IPKernelApp):
    """A kernel whose channels were bound outside: there is no folder that both sides could see."""

    def __init__(self, *, listening: dict[str, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._listening = listening

    def parse_command_line(self, argv: list[str] | None = None) -> None:
        """Reads nothing: there is no command line, and to make a parser for it takes long."""
        self.update_config(Config({"HistoryManager": {"enabled": False}, "IPKernelApp": {"matplotlib": "inline"}}))

    def _try_bind_socket(self, s: Any, port: int) -> int:
        channels = {getattr(self, f"{channel}_port"): channel for channel in self._listening}
        s.setsockopt(zmq.USE_FD, self._listening[channels[port]])
        return super()._try_bind_socket(s, port)

    def _apply_curve_client_options(self, socket: Any) -> None:
        # the debugger's own line to the shell channel: its path is not there, and must not be tried again and again
        socket.reconnect_ivl = -1
        super()._apply_curve_client_options(socket)

    def init_iopub(self, context: Any) -> None:
        """Starts the output channel, without the TCP port on which child processes' prints would come back."""
        with _replaced(kernelapp, "IOPubThread", _without_pipe):
            super().init_iopub(context)

    def init_kernel(self) -> None:
        """Makes the kernel."""
        with _replaced(ipkernel, "sys", _SysWithoutModules()):
            super().init_kernel()

    def init_heartbeat(self) -> None:
        """Starts the heartbeat, on its socket."""
        listening = self._listening["hb"]

        class ListeningHeartbeat(Heartbeat):
            def _try_bind_socket(self) -> Any:
                self.socket.setsockopt(zmq.USE_FD, listening)
                return super()._try_bind_socket()

        self.heartbeat = ListeningHeartbeat(zmq.Context(), (self.transport, self.ip, self.hb_port))
        self.heartbeat.start()
