"""JupyterLab as people start it, on a port of this machine."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TOKEN = "a-token-of-the-test"


@contextmanager
def jupyterlab(start: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Generator[str]:
    """Starts JupyterLab by a command in a folder that is also its home; yields the address."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={TOKEN}"]
    options += ["--allow-root"] if os.geteuid() == 0 else []
    log = folder.with_suffix(".log")
    with log.open("w") as file:
        running = subprocess.Popen(
            [*start, *options],
            cwd=folder,
            env={**environment, "HOME": str(folder)},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api/status?token={TOKEN}", timeout=60).close()
                break
            except urllib.error.URLError:
                assert running.poll() is None, log.read_text()
                time.sleep(0.5)
        yield address
    finally:
        os.killpg(running.pid, signal.SIGTERM)  # with what start.py started
        running.wait(30)
