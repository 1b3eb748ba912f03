"""`grade("symbol")` in an instructor's notebook, in a real kernel: a training is shown as it goes, then the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from autograder.pipeline.source import read_source


def _ignored(message: dict[str, Any]) -> None:
    pass


@pytest.mark.timeout(300)
def test_a_line_tells_how_training_gets_on_until_the_report_stands_there(course: Path):
    source = read_source(course, "01_sequence_cnn")
    shown: list[dict[str, Any]] = []
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(course))
    try:
        for cell in (source.setup, source.solutions["build_sequence_cnn"], "from autograder import grade"):
            assert client.execute_interactive(cell, output_hook=_ignored)["content"]["status"] == "ok"
        done = client.execute_interactive("points = grade('build_sequence_cnn')", output_hook=shown.append)
        assert done["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    outputs = [message for message in shown if "display_data" in message["header"]["msg_type"]]
    assert [one["header"]["msg_type"] for one in outputs] == ["display_data", *["update_display_data"] * 5]
    assert len({one["content"]["transient"]["display_id"] for one in outputs}) == 1
    told = [one["content"]["data"]["text/plain"].removeprefix("build_sequence_cnn: ") for one in outputs[1:5]]
    assert told[0].startswith("training a model of ")
    assert [line.split(",")[0] for line in told[1:]] == [f"epoch {number} of 3" for number in (1, 2, 3)]
    assert "6 of 6 points" in outputs[-1]["content"]["data"]["text/html"]
