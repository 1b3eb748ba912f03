"""A class is graded on another host: two network namespaces with a cable between them, and TLS on it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Security

from autograder.pipeline.results import Results, read_results
from autograder.pipeline.source import read_source
from tests.hostile.attackers import NAME, WRONG, handed_in, put
from tests.hostile.test_class import course_copy, without_times
from tests.pipeline.remote import SAME_CODE
from tests.sandbox.conftest import until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("two hosts")]

HERE, THERE = f"here-{os.getpid()}", f"there-{os.getpid()}"
ADDRESS = "10.231.7.1"


@pytest.fixture
def cable() -> Iterator[None]:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("two hosts on one machine take root and the program ip (iproute2)")
    commands = [
        f"netns add {HERE}",
        f"netns add {THERE}",
        f"link add one netns {HERE} type veth peer name other netns {THERE}",
        f"-n {HERE} addr add {ADDRESS}/24 dev one",
        f"-n {THERE} addr add 10.231.7.2/24 dev other",
        *(f"-n {HERE} link set {end} up" for end in ("lo", "one")),
        *(f"-n {THERE} link set {end} up" for end in ("lo", "other")),
    ]
    try:
        for command in commands:
            made = subprocess.run(["ip", *command.split()], capture_output=True, text=True, check=False)
            if made.returncode:
                pytest.skip(f"network namespaces cannot be made here: ip {command}: {made.stderr.strip()}")
        yield
    finally:
        for host in (HERE, THERE):
            subprocess.run(["ip", "netns", "del", host], capture_output=True, check=False)


def _certified(folder: Path) -> dict[str, str]:
    """The variables that tell Dask its certificate, as docs/clusters.md has them."""
    made = Security.temporary()
    (folder / "cert.pem").write_text(str(made.tls_ca_file))
    (folder / "key.pem").write_text(str(made.tls_client_key))
    certificate = {"CERT": str(folder / "cert.pem"), "KEY": str(folder / "key.pem")}
    roles = {
        f"DASK_DISTRIBUTED__COMM__TLS__{role}__{part}": path
        for role in ("SCHEDULER", "WORKER", "CLIENT")
        for part, path in certificate.items()
    }
    return {
        **roles,
        "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(folder / "cert.pem"),
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "true",
    }


def _results(course: Path, out: str) -> Results:
    return read_results(course / out / NAME / "results.json")


def test_another_host_gives_the_same_marks(cable: None, course: Path, tmp_path: Path):
    own, package = tmp_path / "course", tmp_path / "package"
    own.mkdir()
    course_copy(course, own)
    source = read_source(own, NAME)
    put(own / "submitted", "ada", handed_in(source, {}))
    put(own / "submitted", "grace", handed_in(source, {"layer_norm": WRONG}))
    put(own / "submitted", "zoe", handed_in(source, {"LayerNorm": "raise KeyError(1)"}))
    # the other host has the package and nothing else of the course
    shutil.copytree(course / "autograder", package / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    certified = {**SAME_CODE, **_certified(tmp_path)}
    there = {**certified, "PYTHONPATH": os.pathsep.join([str(package), str(course / "data")])}
    scheduler = f"tls://{ADDRESS}:8786"
    grade = [sys.executable, "-m", "autograder.cli", "grade", NAME]

    def on(host: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", host, sys.executable, "-m", *command]

    started: list[subprocess.Popen[bytes]] = []
    log = (tmp_path / "log").open("wb")
    try:
        for command, environment in (
            (on(HERE, "distributed.cli.dask_scheduler", "--host", scheduler, "--no-dashboard"), certified),
            (on(THERE, "distributed.cli.dask_worker", scheduler, "--no-nanny", "--nthreads", "1"), there),
        ):
            started.append(subprocess.Popen(command, cwd=package, env=environment, stdout=log, stderr=log))
        assert until(lambda: b"Registered to" in (tmp_path / "log").read_bytes(), 60), (tmp_path / "log").read_text()
        remote = on(HERE, *grade[2:], "--scheduler", scheduler, "--out", "remote")
        done = subprocess.run(remote, cwd=own, env=certified, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stderr
    finally:
        for process in started:
            process.kill()
            process.wait()
        log.close()
    here = [*grade, "--jobs", "1", "--out", "local"]
    subprocess.run(here, cwd=own, env=SAME_CODE, capture_output=True, timeout=280, check=True)
    remotely, locally = (_results(own, out).model_dump() for out in ("remote", "local"))
    assert without_times(remotely) == without_times(locally)
    assert [outcome["score"] for outcome in locally["students"].values()] == [13.0, 9.0, 9.0]
