"""A PostgreSQL server of the tests' own, which can be killed."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import psycopg
import pytest


def programs() -> Path:
    """The folder of the newest server on this machine, whose programs are rarely on the path; skips without one."""
    found = sorted(path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    if not found:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not on this machine: apt install postgresql")
    return found[-1]


class Server:
    """A server behind a Unix socket.

    Args:
        databases: names of empty databases.
    """

    def __init__(self, *databases: str) -> None:
        self._programs = programs()
        # the server refuses to run as root, and a socket's path is short
        self._user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        self._run("initdb", "--username", "grader", "--auth", "trust", "--no-sync", "--encoding", "UTF8")
        self.start()
        with psycopg.connect(host=str(self._folder), user="grader", dbname="postgres", autocommit=True) as connection:
            for name in databases:
                connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]

    def url(self, database: str) -> str:
        return f"postgresql://grader@/{database}?host={self._folder}"

    def start(self) -> None:
        """Starts it, also where it was killed: the processes it leaves take a moment to end."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c fsync=off"
        self._run("pg_ctl", "--options", options, "--log", str(self._folder / "log"), "--wait", "start")

    def kill(self) -> None:
        """Kills it and waits for its processes to end."""
        first = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        server = psutil.Process(first)
        family = [server, *server.children(recursive=True)]
        server.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=60)

    def end(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):  # it may not run
            self._run("pg_ctl", "--mode", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        group = pwd.getpwnam(self._user).pw_gid
        other = {"user": self._user, "group": group, "extra_groups": []} if os.geteuid() == 0 else {}
        command = [str(self._programs / program), "--pgdata", str(self._data), *arguments]
        subprocess.run(  # type: ignore[call-overload]
            command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, timeout=120, **other
        )
