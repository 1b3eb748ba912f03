"""Files that take the place of others: beside the notebook they are not taken, inside they last for one kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.settings import read_settings
from tests.hostile.attackers import NAME, WRONG, Bench, handed_in, put

EVIL = "import os; os._exit(0)\n"
FILES = {
    "numpy.py": EVIL,
    "tensorflow.py": EVIL,
    "keras/__init__.py": EVIL,
    "sitecustomize.py": EVIL,
    "usercustomize.py": EVIL,
    "json.py": EVIL,
    "autograder/__init__.py": EVIL,
    "ipython_config.py": "c.InteractiveShellApp.exec_lines = ['import os; os._exit(0)']\n",
    ".ipython/profile_default/startup/00.py": EVIL,
    ".keras/keras.json": '{"backend": "torch", "floatx": "float16"}',
    "keras.json": '{"backend": "torch"}',
    "nbgrader_config.py": "raise SystemExit\n",
    "jupyter_config.py": "raise SystemExit\n",
    "course.toml": 'seed = "known"\n',
    "timestamp.txt": "no time at all \x00 \x1b[31m",
    "gradebook.db": "not a database",
    "preload.so": "not a library",
    "conftest.py": EVIL,
}


def test_files_beside_the_notebook_change_nothing(
    course: Path, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "submitted/shadow" / NAME / "sitecustomize.py"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "submitted/shadow" / NAME))
    for student in ("plain", "shadow"):
        put(tmp_path / "submitted", student, handed_in(bench.source, {"LayerNorm": "LayerNorm = 1"}))
    folder = tmp_path / "submitted" / "shadow" / NAME
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    group = Class(course, tmp_path / "submitted", tmp_path / "out", read_settings(course), jobs=2)
    students = grade_class(group, NAME, ["plain", "shadow"]).students
    assert students["plain"].score == students["shadow"].score > 0
    handed_on = {path.name for path in (tmp_path / "out" / "autograded" / "shadow").rglob("*") if path.is_file()}
    assert handed_on <= {f"{NAME}.ipynb", "timestamp.txt"}


def test_files_that_a_cell_writes_are_gone_with_its_kernel(bench: Bench) -> None:
    plant = f"""
import os, sys
for name, content in {FILES!r}.items():
    for place in (".", os.environ["HOME"], "/tmp", *filter(None, sys.path)):
        try:
            path = os.path.join(place, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            open(path, "w").write(content)
        except OSError:
            pass
os.environ.update(LD_PRELOAD="./preload.so", PYTHONSTARTUP="./sitecustomize.py", KERAS_BACKEND="torch")
os._exit(0)
"""
    graded = bench.grade(
        {"layer_norm": WRONG + plant, "layer_norm_gradients": bench.solution("layer_norm_gradients")}
    ).reports
    assert graded["layer_norm"].status == "crashed"
    assert graded["layer_norm_gradients"].score == graded["layer_norm_gradients"].max_score


def test_a_shadow_in_the_working_folder_hurts_its_owner_only(bench: Bench) -> None:
    shadow = "open('numpy.py', 'w').write('raise SystemExit'); open('scipy.py', 'w').write('raise SystemExit')\n"
    assert bench.score(WRONG + shadow) == 0
    report = bench.grade(bench.solution("layer_norm")).reports["layer_norm"]
    assert report.score == report.max_score
