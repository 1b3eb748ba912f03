"""One submission's kernel: run its cells, put questions to its symbols, each with a deadline."""

from __future__ import annotations

import base64
import contextlib
import functools
import os
import select
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from autograder.sandbox.kernels import Kernel, WarmInterpreter
from autograder.sandbox.line import HEAD, frame
from autograder.sandbox.wire import Limits, Malformed, pack, readable, unpack


class Ended(Exception):
    """The kernel gave no usable answer and is gone.

    Attributes:
        status: "timeout", "crashed" or "out-of-memory".
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Lost(Ended):
    """The kernel was killed, and not by what watches it: perhaps by the student's code, perhaps by the machine."""


@dataclass
class Output:
    """What a cell printed and showed, cut at a limit.

    Attributes:
        limit: characters kept.
        text: what it wrote to stdout and stderr, and the text of results.
        error: name and message of the exception that ended it, or None.
        pictures: base64 PNG images.
    """

    limit: int = 20_000
    text: str = ""
    error: tuple[str, str] | None = None
    pictures: list[str] = field(default_factory=list[str])
    cut: bool = False

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Adds a message of the kernel's output channel."""
        if kind == "stream":
            self._add(str(content.get("text", "")))
        elif kind == "error":
            name, message = str(content.get("ename"))[:200], str(content.get("evalue"))[:2000]
            self.error = (readable(name), readable(message))
        elif kind in ("execute_result", "display_data"):
            data = content.get("data", {})
            picture = data.get("image/png")
            if _is_png(picture) and len(self.pictures) < 8:
                self.pictures.append(picture.strip())
            elif kind == "execute_result":
                self._add(str(data.get("text/plain", "")) + "\n")

    def _add(self, text: str) -> None:
        room = self.limit - len(self.text)
        self.text += readable(text[:room])
        self.cut = self.cut or len(text) > room


def _is_png(picture: Any) -> bool:
    """Tells whether this is a PNG in base64 and nothing else: it will stand in an HTML attribute."""
    if not isinstance(picture, str) or len(picture) > 2_000_000:
        return False
    try:
        return base64.b64decode(picture.strip(), validate=True).startswith(b"\x89PNG\r\n")
    except ValueError:
        return False


class _TooLate(Exception):
    """A deadline has passed."""


_TEXT_BYTES = 8 * 2**20
"""Of the JSON of one message, its pictures included."""


@functools.cache
def _context(pid: int) -> zmq.Context[zmq.Socket[bytes]]:
    """Returns this process's sockets to kernels: what a kernel can make the grader hold is limited."""
    context = zmq.Context[zmq.Socket[bytes]]()
    context.setsockopt(zmq.MAXMSGSIZE, Limits().total_bytes + 2**20)
    context.setsockopt(zmq.RCVHWM, 8)
    return context


class Session:
    """A kernel to run student code in.

    Args:
        interpreter: where to fork it from.
        limits: what an answer may hold.
    """

    def __init__(self, interpreter: WarmInterpreter, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._kernel: Kernel = interpreter.fork()
        self._client = BlockingKernelClient(context=_context(os.getpid()))
        self._client.load_connection_file(str(self._kernel.connection_file))
        self._client.start_channels(stdin=False, hb=False)
        try:
            # the sockets queue: the first request waits for the kernel, no need to ask whether it is there
            self._wait_for_outputs(60)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, source: str, seconds: float) -> Output:
        """Runs a cell.

        Raises:
            Ended: it took longer than that, or the kernel died.
        """
        output = Output()
        content = {
            "code": source,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self._client.session.msg("execute_request", content)
        self._client.shell_channel.send(message)
        self._drive(message["header"]["msg_id"], seconds, output)
        return output

    def ask(self, question: Mapping[str, Any], seconds: float) -> Mapping[str, Any]:
        """Puts a question to the agent beside the student's code.

        Raises:
            Ended: no answer came in time, or the kernel died.
        """
        name, deadline = os.urandom(16), time.monotonic() + seconds
        try:
            self._send(frame(name, pack(question)), deadline)
            content = self._answer_to(name, deadline)
        except _TooLate:
            self.close()
            raise Ended("timeout", f"It did not finish within {seconds:.0f} seconds.") from None
        except (BrokenPipeError, ConnectionError, EOFError):
            raise self._death() from None
        try:
            answer = unpack(content, self._limits)
        except Malformed as malformed:
            return {"error": {"kind": "Malformed", "detail": str(malformed)}}
        return answer if isinstance(answer, dict) else {}

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._kernel.questions.send(rest) :]
            except BlockingIOError:
                self._wait_for(select.POLLOUT, deadline)

    def _answer_to(self, question: bytes, deadline: float) -> bytes:
        """Returns the content of the answer to a question; answers to another one, or to none, are read past."""
        while True:
            name, size = HEAD.unpack(self._receive_exactly(HEAD.size, deadline))
            if size > self._limits.total_bytes:
                self.close()
                raise Ended("crashed", f"An answer of {size} bytes came, more than {self._limits.total_bytes}.")
            content = self._receive_exactly(size, deadline)
            if name == question:
                return content

    def _receive_exactly(self, size: int, deadline: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            try:
                part = self._kernel.questions.recv(min(size - len(content), 2**20))
            except BlockingIOError:
                self._wait_for(select.POLLIN, deadline)
                continue
            if not part:
                raise EOFError
            content += part
        return bytes(content)

    def _wait_for(self, event: int, deadline: float) -> None:
        """Waits until the line of questions is ready.

        Raises:
            _TooLate: it is not, by the deadline.
            EOFError: the kernel has ended.
        """
        poller = select.poll()
        poller.register(self._kernel.questions, event)
        poller.register(self._kernel, select.POLLIN)
        left = deadline - time.monotonic()
        ready = {descriptor for descriptor, _ in poller.poll(left * 1000)} if left > 0 else set[int]()
        if not ready:
            raise _TooLate
        if self._kernel.questions.fileno() not in ready:
            raise EOFError

    def close(self) -> None:
        """Ends the kernel at once."""
        with contextlib.suppress(Exception):
            self._client.stop_channels()
        self._kernel.close()

    def _wait_for_outputs(self, seconds: float) -> None:
        """Waits until the output channel is connected: a subscription takes a moment."""
        message = self._client.session.msg("kernel_info_request", {})
        self._client.shell_channel.send(message)
        identity = message["header"]["msg_id"]
        self._drive(identity, seconds, Output())

    def _drive(self, identity: str, seconds: float, output: Output) -> None:
        """Collects outputs until the reply to a request and the kernel's return to rest have come."""
        deadline = time.monotonic() + seconds
        shell, iopub = self._client.shell_channel.socket, self._client.iopub_channel.socket
        poller = zmq.Poller()
        for source in (shell, iopub, self._kernel.fileno()):
            poller.register(source, zmq.POLLIN)
        reply: dict[str, Any] | None = None
        idle = False
        while reply is None or not idle:
            left = deadline - time.monotonic()
            # a flood of messages must not put off the deadline: the clock counts, not whether something came
            ready = dict(poller.poll(int(left * 1000))) if left > 0 else {}
            if not ready:
                if reply is not None:
                    break
                self.close()
                raise Ended("timeout", f"It did not finish within {seconds:.0f} seconds.")
            if iopub in ready and (message := self._receive(iopub, identity)):
                kind, content = message["header"]["msg_type"], message["content"]
                idle = idle or (kind == "status" and content.get("execution_state") == "idle")
                with contextlib.suppress(AttributeError, TypeError, ValueError):  # the student's code may send anything
                    output.take(kind, content)
            if shell in ready:
                message = self._receive(shell, identity)
                if message and reply is None:
                    reply = message
                    # the reply is what counts; outputs may be lost
                    deadline = min(deadline, time.monotonic() + 2.0)
            elif self._kernel.fileno() in ready:
                raise self._death()

    def _receive(self, channel: zmq.Socket[bytes], identity: str) -> dict[str, Any] | None:
        """Returns a message if it is well-formed and belongs to the request; anything else is dropped."""
        session = self._client.session
        try:
            frames = channel.recv_multipart(zmq.NOBLOCK)
            _, parts = session.feed_identities(frames)
            if any(len(part) > _TEXT_BYTES for part in parts[:5]):
                return None
            message = session.deserialize(parts)
            header, parent = message["header"], message["parent_header"]
            if parent["msg_id"] != identity or not isinstance(header["msg_type"], str):
                return None
            return message if isinstance(message["content"], dict) else None
        except Exception:
            # the kernel holds the key, so the student's code can send what no kernel would: that is no message
            return None

    def _death(self) -> Ended:
        # whoever reads an end of a stream may be a moment ahead of the keeper, who tells what it was
        poller = select.poll()
        poller.register(self._kernel, select.POLLIN)
        poller.poll(2000)
        code = self._kernel.exit_code
        self.close()
        if code is None:
            return Ended("crashed", "The process closed its line to the checks.")
        if self._kernel.out_of_memory:
            return Ended("out-of-memory", "The process was ended: it used more memory than allowed.")
        if self._kernel.lost:
            return Lost("crashed", "The process was lost.")
        if code == -signal.SIGKILL:
            return Lost("out-of-memory", "The process was killed, as happens where memory is short.")
        if code < 0:
            return Ended("crashed", f"The process was ended by signal {-code}.")
        return Ended("crashed", f"The process ended itself with exit code {code}.")
