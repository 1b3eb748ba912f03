"""What a kernel has of a GPU, and what letting the devices in must not change."""

from __future__ import annotations

import contextlib
import json

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session

MULTIPLY = """
import tensorflow as tf
product = tf.ones((300, 500)) @ tf.ones((500, 7))
print(product.device.rpartition("/")[2], float(product[0, 0]))
"""


@pytest.mark.gpu
def test_a_kernel_computes_on_the_gpu() -> None:
    with contextlib.closing(WarmInterpreter(gpu=True)) as warm, Session(warm) as session:
        output = session.run(MULTIPLY, 120)
    assert output.error is None, output.error
    # TensorFlow takes the CPU without a word where it finds no GPU
    assert output.text.split() == ["device:GPU:0", "500.0"]


@pytest.mark.gpu
def test_a_second_kernel_finds_memory_on_the_gpu() -> None:
    with contextlib.closing(WarmInterpreter(gpu=True)) as warm, Session(warm) as first, Session(warm) as second:
        for session in (first, second, first):
            output = session.run(MULTIPLY, 120)
            assert output.error is None, output.error
            assert output.text.split() == ["device:GPU:0", "500.0"]


@pytest.mark.gpu
def test_a_gpu_that_the_grader_does_not_see_is_not_seen_by_a_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    with contextlib.closing(WarmInterpreter(gpu=True)) as warm, Session(warm) as session:
        assert session.run(MULTIPLY, 120).text.split() == ["device:CPU:0", "500.0"]


def test_a_kernel_with_a_gpu_is_told_which_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AUTOGRADER_SEED", "SUBMISSIONS_TOKEN", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "CI_JOB_TOKEN"):
        monkeypatch.setenv(name, "a secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with contextlib.closing(WarmInterpreter(gpu=True)) as warm, Session(warm) as session:
        text = session.run("import json, os\nprint(json.dumps(dict(os.environ)))", 30).text
    variables = json.loads(text)
    assert variables["CUDA_VISIBLE_DEVICES"] == "3"
    assert "a secret" not in text
