"""A result is had again when anything that it depends on has changed, and kept when anything else has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.exercises import NAMES
from autograder.pipeline import determinants
from autograder.pipeline.determinants import digest_for, grader_digest, used_by
from tests.pipeline.remote import SAME_CODE


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of our code, of which digests are taken."""
    root = Path(determinants._ROOT)
    shutil.copytree(root / "autograder", tmp_path / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(determinants._DATA, tmp_path / "data", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(determinants, "_ROOT", tmp_path)
    monkeypatch.setattr(determinants, "_DATA", tmp_path / "data")
    for digest in (digest_for, grader_digest):
        digest.cache_clear()
        monkeypatch.setattr(determinants, digest.__name__, digest.__wrapped__)
    return tmp_path


def digests() -> dict[str, str]:
    return {name: determinants.digest_for(name) for name in NAMES}


@pytest.mark.parametrize(
    ("file", "assignments"),
    [
        ("autograder/exercises/tiny_gpt/generate.py", {"07_tiny_gpt"}),
        ("autograder/exercises/sequence_cnn/conv1d.py", {"01_sequence_cnn"}),
        ("autograder/exercises/layer_norm/layer_norm.py", {"05_layer_norm", "06_transformer"}),
        (
            "autograder/exercises/self_attention/softmax.py",
            {"03_self_attention", "04_multi_head_attention", "06_transformer", "07_tiny_gpt"},
        ),
        ("autograder/checking/compare.py", set(NAMES)),
        ("autograder/sandbox/walls.py", set(NAMES)),
        ("autograder/pipeline/parts.py", set(NAMES)),
        ("autograder/pipeline/collect.py", set()),
        ("autograder/report/overview.py", set()),
        ("data/generated.py", set(NAMES)),
    ],
)
def test_a_change_concerns_the_assignments_that_use_it(copy: Path, file: str, assignments: set[str]):
    before = digests()
    with (copy / file).open("a") as changed:
        changed.write("\n# changed\n")
    now = digests()
    assert {name for name in NAMES if now[name] != before[name]} == assignments


def test_a_worker_with_any_other_code_is_another_grader(copy: Path):
    before = determinants.grader_digest()
    with (copy / "data" / "generated.py").open("a") as changed:
        changed.write("\n# changed\n")
    assert determinants.grader_digest() != before


@pytest.mark.parametrize("package", ["keras", "numpy", "scikit-learn"])
def test_another_version_of_a_package_concerns_all(copy: Path, monkeypatch: pytest.MonkeyPatch, package: str):
    before = digests()
    usual = determinants.version
    monkeypatch.setattr(determinants, "version", lambda name: "0.0" if name == package else usual(name))
    assert not set(digests().values()) & set(before.values())


def test_another_backend_concerns_all(copy: Path, monkeypatch: pytest.MonkeyPatch):
    before = digests()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert not set(digests().values()) & set(before.values())


@pytest.mark.parametrize("name", NAMES)
def test_what_grading_loads_is_what_is_found_by_reading(name: str):
    module = f"autograder.exercises.{name.partition('_')[2]}"
    code = (
        f"import sys, autograder.pipeline.work, {module}\n"
        "print(*(module.__file__ for name, module in sys.modules.items()"
        f" if name.startswith(('autograder.pipeline.', '{module}'))), sep='\\n')"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=SAME_CODE)
    loaded = {Path(line) for line in ran.stdout.split()}
    assert len(loaded) > 10
    assert loaded <= used_by("autograder.pipeline.work", module)
