"""Jupyter's own clients on kernels of the sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import nbformat
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

from autograder.sandbox.provisioner import JUPYTER_FOLDER


@pytest.fixture(autouse=True)
def kernel_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(JUPYTER_FOLDER))
    name = "warm-provisioner"
    point = EntryPoint(name, "autograder.sandbox.provisioner:WarmProvisioner", KernelProvisionerFactory.GROUP_NAME)
    monkeypatch.setitem(KernelProvisionerFactory.instance().provisioners, name, point)


def executed(*sources: str, **settings: object) -> list[str]:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="sandbox", **{"timeout": 30, **settings}).execute()
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in notebook.cells]


def test_a_notebook_is_executed_in_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    seen = executed("x = 20 + 1", f"import os; print(2 * x, os.getuid(), os.path.exists({str(tmp_path)!r}))")
    assert seen == ["", "42 1000 False\n"]


def test_a_cell_that_takes_too_long_is_interrupted() -> None:
    seen = executed(
        "import time; time.sleep(60)", "print('on')", timeout=2, interrupt_on_timeout=True, allow_errors=True
    )
    assert seen[1] == "on\n"
    with pytest.raises(CellTimeoutError):
        executed("while True: pass", timeout=2)


def test_the_kernel_spec_names_the_provisioner() -> None:
    spec = json.loads((JUPYTER_FOLDER / "kernels" / "sandbox" / "kernel.json").read_text())
    assert spec["metadata"]["kernel_provisioner"]["provisioner_name"] == "warm-provisioner"


def test_jupyter_installs_the_kernel_behind_the_walls(tmp_path: Path) -> None:
    # as docs/instructors.md has it, into another folder than the environment in which this test runs
    words = ["kernelspec", "install", "--prefix", str(tmp_path), str(JUPYTER_FOLDER / "kernels" / "sandbox")]
    subprocess.run([sys.executable, "-m", "jupyter", *words], capture_output=True, check=True)
    assert (tmp_path / "share" / "jupyter" / "kernels" / "sandbox" / "kernel.json").is_file()
