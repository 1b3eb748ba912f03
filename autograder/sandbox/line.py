"""The line of questions: a stream of its own between the grader and the agent, beside the Jupyter channels.

A Jupyter message brings a signature, dates and outputs with it, and a solved notebook is asked a hundred questions. On
this line each one is 16 bytes that name it, 8 that tell a length, and
so many bytes of content; the answer bears its question's name.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

HEAD = struct.Struct("!16sQ")
"""Name and length of what follows."""


def frame(name: bytes, content: bytes) -> bytes:
    """Returns a question or an answer as it travels."""
    return HEAD.pack(name, len(content)) + content


class Answering:
    """The kernel's end of the line.

    Args:
        line: a connected stream.
        reply: returns the content of the answer to a question's content.
    """

    def __init__(self, line: socket.socket, reply: Callable[[bytes], bytes]) -> None:
        self.line = line
        self.reply = reply

    def answer_one(self) -> bool:
        """Answers the next question; returns False when there will be no more."""
        try:
            name, size = HEAD.unpack(self._exactly(HEAD.size))
            content = self._exactly(size)
        except EOFError:
            return False
        self.line.sendall(frame(name, self.reply(content)))
        return True

    def _exactly(self, size: int) -> bytes:
        content = bytearray()
        while len(content) < size:
            part = self.line.recv(min(size - len(content), 2**20))
            if not part:
                raise EOFError
            content += part
        return bytes(content)
