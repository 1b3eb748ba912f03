"""Links, odd names, odd files: each student is graded or told why not, and nothing is read or written elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import pytest

from autograder.pipeline.classroom import Class, grade_class, students_of
from autograder.pipeline.settings import UsageError, read_settings
from autograder.pipeline.summary import feedback_page, write_overview
from tests.hostile.attackers import NAME, WRONG, Bench, digest, handed_in, put

ODD_NAMES = [
    "with spaces; and $HOME", "quo'te", 'dou"ble', "[brackets]*?", "{braces}", "--out", "käthe 名前", "a" * 200,
    "$(touch planted)`tick`", "per%20cent#hash&lt;", "<b>bold<b>", "a+b,c", "back\\slash", "::set-output name=x::1", "~",
]  # fmt: skip


def test_names_of_every_kind_get_their_marks(course: Path, bench: Bench, tmp_path: Path) -> None:
    submitted, out = tmp_path / "submitted", tmp_path / "out"
    answers = {"layer_norm": WRONG, "layer_norm_gradients": "x", "LayerNorm": "LayerNorm = 1"}
    for name in ODD_NAMES:
        put(submitted, name, handed_in(bench.source, answers))
    group = Class(course, submitted, out, read_settings(course), jobs=2)
    found = students_of(group, NAME)
    assert set(found) == {name for name in ODD_NAMES if not name.startswith(".")}
    few = [name for name in found if name in ODD_NAMES]
    results = grade_class(group, NAME, few)
    assert set(results.students) == set(few)
    assert {outcome.status for outcome in results.students.values()} == {"graded"}
    for name in few:
        assert feedback_page(out, name, NAME).is_file(), name
    write_overview(out, "Odd names")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "submitted"]


@pytest.mark.parametrize("name", [b"\xff\xfe", b"new\nline", b"\x1b[31m"])
def test_a_name_that_no_page_can_hold_is_told(course: Path, tmp_path: Path, name: bytes) -> None:
    os.makedirs(os.fsencode(tmp_path) + b"/" + name)
    with pytest.raises(UsageError, match="rename") as told:
        students_of(Class(course, tmp_path, tmp_path / "out", read_settings(course)), NAME)
    assert str(told.value).isprintable()


def test_links_and_odd_files_are_told_and_others_are_graded(course: Path, bench: Bench, tmp_path: Path) -> None:
    submitted, out, secret = tmp_path / "submitted", tmp_path / "out", tmp_path / "secret"
    solved = nbformat.writes(handed_in(bench.source, {}))
    secret.mkdir()
    stolen = put(secret, "other", solved)
    (secret / "precious").write_text("precious")
    put(submitted, "honest", solved)
    notebook = put(submitted, "link-to-a-notebook", "")
    notebook.unlink()
    notebook.symlink_to(stolen)
    (submitted / "link-to-a-folder").mkdir()
    (submitted / "link-to-a-folder" / NAME).symlink_to(stolen.parent)
    (submitted / "link-to-a-student").symlink_to(secret / "other")
    for name, make in (("a-pipe", os.mkfifo), ("a-folder", os.mkdir)):
        folder = submitted / name / NAME
        folder.mkdir(parents=True)
        make(folder / f"{NAME}.ipynb")
    beside = put(submitted, "links-beside", solved).parent
    (beside / "precious").symlink_to(secret / "precious")
    (beside / "up").symlink_to("../../..")
    (beside / "loop").symlink_to("loop")
    (beside / "timestamp.txt").symlink_to("/dev/zero")
    (beside / "..\\..\\up.ipynb").write_text(solved)
    (beside / "another.ipynb").write_text(solved)
    broken = put(submitted, "odd-time", solved).parent
    (broken / "timestamp.txt").write_text("no time\x00")
    group = Class(course, submitted, out, read_settings(course), jobs=2)
    before = digest(secret), digest(submitted / "honest")
    students = grade_class(group, NAME, students_of(group, NAME)).students
    for name in ("honest", "links-beside", "odd-time"):
        assert students[name].score == 13, students[name]
    for name in sorted(set(students) - {"honest", "links-beside", "odd-time"}):
        assert students[name].status == "missing", name
        assert students[name].score == 0
    assert (digest(secret), digest(submitted / "honest")) == before
    assert not list(out.rglob("precious"))
    shutil.rmtree(out)
