"""No packet leaves: listeners of the test's own see nothing."""

from __future__ import annotations

import contextlib
import os
import select
import socket
from pathlib import Path

from tests.hostile.attackers import WRONG, Bench

ATTEMPTS = """
import os, socket, struct, subprocess, urllib.request
def attempt(name, action):
    try:
        action()
    except Exception as error:
        return
    print("REACHED", name)
HOSTS = ("127.0.0.1", "localhost", "0.0.0.0", "::1", OWN, "10.0.0.1", "169.254.169.254", "8.8.8.8")
for host in HOSTS:
    for port in (PORT, 8888, 8080, 5005, 80, 53):
        attempt(("tcp", host, port), lambda: socket.create_connection((host, port), .3))
    for family in (socket.AF_INET, socket.AF_INET6):
        attempt(("udp", host), lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (host, UDP)))
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_NETLINK, 40, 38, 31):
    for kind in (socket.SOCK_RAW, socket.SOCK_STREAM, socket.SOCK_DGRAM):
        attempt(("socket", family, kind), lambda: socket.socket(family, kind))
attempt("dns", lambda: socket.getaddrinfo("example.org", 80))
attempt("http", lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/", timeout=.3))
attempt("https", lambda: urllib.request.urlopen("https://example.org/", timeout=.3))
attempt("keras", lambda: __import__("keras").utils.get_file("x", f"http://127.0.0.1:{PORT}/x"))
attempt("shell", lambda: subprocess.run(f"exec 3<>/dev/tcp/127.0.0.1/{PORT}", shell=True, executable="/bin/bash",
                                        check=True, capture_output=True, timeout=3))
for address in UNIX:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
        attempt(("unix", address), lambda: socket.socket(socket.AF_UNIX, kind).connect(address))
for entry in os.listdir("/proc/self/fd"):
    attempt(("descriptor", entry), lambda: socket.socket(fileno=os.dup(int(entry))).connect(("127.0.0.1", PORT)))
print("looked")
"""


def test_nothing_is_reached_and_nothing_arrives(bench: Bench, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("0.0.0.0", 0))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0attack-{os.getpid()}")
        abstract.listen()
        path = Path("/tmp") / f"attack-{os.getpid()}.socket"
        stack.callback(path.unlink)
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(str(path))
        path.chmod(0o777)
        named.listen()
        own = socket.gethostbyname(socket.gethostname()) if _resolves() else "127.0.0.1"
        unix = [f"\0attack-{os.getpid()}", str(path), "/run/docker.sock", "/var/run/nscd/socket", "/tmp/.X11-unix/X0"]
        setting = f"PORT, UDP, OWN = {tcp.getsockname()[1]}, {udp.getsockname()[1]}, {own!r}\nUNIX = {unix!r}\n"
        cheat = f"{setting}{ATTEMPTS}\ndef layer_norm(z, *args, **kwargs):\n    exec(ATTACK)\n    return z * 0\n"
        graded = bench.grade(f"ATTACK = {setting + ATTEMPTS!r}\n{cheat}", cell_seconds=60, deadline=60)
        arrived, _, _ = select.select([tcp, udp, abstract, named], [], [], 0.2)
    assert arrived == []
    text = graded.outputs["layer_norm"].text
    assert text.endswith("looked\n"), graded
    assert "REACHED" not in text
    assert graded.reports["layer_norm"].score == 0


def _resolves() -> bool:
    try:
        return bool(socket.gethostbyname(socket.gethostname()))
    except OSError:
        return False


def test_weights_come_from_nowhere(bench: Bench) -> None:
    load = """
for name in ("MobileNetV2", "ResNet50"):
    try:
        getattr(keras.applications, name)(weights="imagenet")
        print("REACHED", name)
    except Exception:
        pass
try:
    keras.datasets.imdb.load_data()
    print("REACHED imdb")
except Exception:
    pass
print("looked")
"""
    text = bench.grade(WRONG + load, cell_seconds=60).outputs["layer_norm"].text
    assert text.endswith("looked\n")
    assert "REACHED" not in text
