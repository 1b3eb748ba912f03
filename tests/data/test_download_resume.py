"""Downloads, against a real HTTP server on the loopback interface."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from sequence_data import DataError
from sequence_data.download import download

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT at /file, and remembers what was asked for."""

    supports_ranges = True
    hangs_up_after: int | None = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(BaseHTTPRequestHandler):
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.asked.append(asked)
        if self.path != "/file":
            self.send_error(404)
            return
        start = 0
        if asked and self.server.supports_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(CONTENT):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start:][: self.server.hangs_up_after])

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "file.bin"


def part_of(path: Path) -> Path:
    return path.with_name(path.name + ".part")


@pytest.mark.parametrize("bar", [False, True])
def test_a_file_is_downloaded_once(
    server: Server, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, bar: bool
):
    if bar:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    else:
        monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    assert download(server.url, path, SHA256) == path
    assert path.read_bytes() == CONTENT
    assert not part_of(path).exists()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("Downloading file.bin: 0.3 of 0.3 MB" + (f" [{'#' * 40}]" if bar else "") + "\n")
    assert captured.err.count("\n") == (1 if bar else 5)
    download(server.url, path, SHA256)
    assert server.asked == [None]


def test_an_interrupted_download_says_so_and_is_resumed(server: Server, path: Path):
    server.hangs_up_after = 100_000
    with pytest.raises(DataError, match=r"stopped after 100,000 of 300,000 bytes.*resumes"):
        download(server.url, path, SHA256)
    assert not path.exists()
    server.hangs_up_after = None
    download(server.url, path, SHA256)
    assert path.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=100000-"]


def test_a_server_that_knows_no_ranges_is_read_from_the_start(server: Server, path: Path):
    path.parent.mkdir()
    part_of(path).write_bytes(b"old" * 1000)
    server.supports_ranges = False
    download(server.url, path, SHA256)
    assert path.read_bytes() == CONTENT


def test_a_complete_part_is_only_verified(server: Server, path: Path):
    # As after a kill between the last byte and the renaming.
    path.parent.mkdir()
    part_of(path).write_bytes(CONTENT)
    download(server.url, path, SHA256)
    assert path.read_bytes() == CONTENT


def test_a_wrong_hash_is_named_and_the_file_left_alone(server: Server, path: Path):
    with pytest.raises(DataError, match=r"file\.bin\.part has the wrong hash .*move it away"):
        download(server.url, path, "0" * 64)
    assert not path.exists()
    assert part_of(path).read_bytes() == CONTENT


def test_a_missing_file_on_the_server_is_named(server: Server, path: Path):
    with pytest.raises(DataError, match=r"file\.bin could not be downloaded from .*404"):
        download(server.url + "s", path, SHA256)
    assert not path.exists()


def test_no_server_is_named(server: Server, path: Path):
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match="could not be downloaded"):
        download(server.url, path, SHA256)


def test_a_folder_that_cannot_be_made_is_named(server: Server, path: Path):
    path.parent.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="could not be downloaded"):
        download(server.url, path, SHA256)


def test_two_downloads_at_once_do_not_mix(server: Server, path: Path):
    pytest.importorskip("fcntl")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: download(server.url, path, SHA256), range(4)))
    assert path.read_bytes() == CONTENT
    assert len(server.asked) == 1
