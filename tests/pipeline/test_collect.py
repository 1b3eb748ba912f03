"""A download from a learning platform becomes submissions; what is not one is named, and nothing is lost."""

import csv
import io
import json
import logging
import stat
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.pipeline.collect import Collected, collect, enter_roster
from autograder.pipeline.platforms import Label, labels
from autograder.pipeline.roster import COLUMNS, Person, names, read_roster
from autograder.pipeline.settings import Limits, UsageError
from tests.pipeline.handed_in import NAME

MONDAY = datetime(2026, 11, 23, 10, 0, 0)
TUESDAY = MONDAY + timedelta(days=1)
ADA = Person("ada", "Ada", "Lovelace", "ada@example.org", "123")
EMMY = Person("emmy", "Emmy", "Noether", "", "124")
SMALL = Limits(notebook_bytes=2000)


def notebook(text: str = "x = 1") -> str:
    """A notebook of this text; what stands in it is none of collecting's business."""
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [], "text": text})


def packed(folder: Path, files: dict[str, str], time: datetime = MONDAY) -> Path:
    """A zip of these files, all of the same time."""
    path = folder / f"archive-{time:%d}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, time.timetuple()[:6]), text)
    return path


def taken(folder: Path, path: Path, roster: list[Person] | None = None) -> Collected:
    return collect(path, NAME, folder / "submitted", roster, SMALL)


def text_of(folder: Path, student: str) -> str:
    return json.loads((folder / "submitted" / student / NAME / f"{NAME}.ipynb").read_text())["text"]


def time_of(folder: Path, student: str) -> str:
    return (folder / "submitted" / student / NAME / "timestamp.txt").read_text().strip()


MOODLE = "Ada Lovelace_98765_assignsubmission_file"
CANVAS = "lovelaceada_123_456"


@pytest.mark.parametrize(
    ("path", "platform", "label"),
    [
        (f"{MOODLE}/{NAME}.ipynb", "Moodle", Label("Ada Lovelace", "98765", 0, False, NAME)),
        (f"{MOODLE}_/{NAME}.ipynb", "Moodle", Label("Ada Lovelace", "98765", 0, False, NAME)),
        (f"{MOODLE}_{NAME}.ipynb", "Moodle", Label("Ada Lovelace", "98765", 0, False, NAME)),
        (f"{MOODLE}_/a/b/mine.ipynb", "Moodle", Label("Ada Lovelace", "98765", 0, False, "mine")),
        (f"down/{MOODLE}/x.ipynb", "Moodle", Label("Ada Lovelace", "98765", 0, False, "x")),
        ("Ada  King-Noel O'Hara_7_assignsubmission_file/x.ipynb", "Moodle",
         Label("Ada King-Noel O'Hara", "7", 0, False, "x")),
        ("Participant_7_assignsubmission_file/x.ipynb", "Moodle", Label("Participant", "7", 0, False, "x")),
        (f"{CANVAS}_{NAME}.ipynb", "Canvas", Label("lovelaceada", "123", 456, False, NAME)),
        (f"lovelaceada_LATE_123_456_{NAME}-1.ipynb", "Canvas", Label("lovelaceada", "123", 456, True, f"{NAME}-1")),
        ("noëtheremmy_9_8_a_7_6_b.ipynb", "Canvas", Label("noëtheremmy", "9", 8, False, "a_7_6_b")),
        ("anon_Ab1cD_456_x.ipynb", "Canvas", Label("", "anon_Ab1cD", 456, False, "x")),
        ("LATE_anon_Ab1cD_456_x.ipynb", "Canvas", Label("", "anon_Ab1cD", 456, True, "x")),
        (f"ada/{NAME}.ipynb", "folders", Label("ada", "", 0, False, NAME)),
        (f"ada/{NAME}/{NAME}.ipynb", "folders", Label("ada", "", 0, False, NAME)),
        (f"submitted/ada/{NAME}/{NAME}.ipynb", "folders", Label("ada", "", 0, False, NAME)),
        (f"{NAME}/ada/x.ipynb", "folders", Label("ada", "", 0, False, "x")),
        ("ada/work/hw_1_2_x.ipynb", "folders", Label("ada", "", 0, False, "hw_1_2_x")),
    ],
)  # fmt: skip
def test_a_path_says_whose_it_is(path: str, platform: str, label: Label):
    assert labels([path], NAME) == (platform, {path: label})


def test_a_folder_that_holds_all_students_is_not_a_student():
    _, found = labels([f"download/ada/{NAME}.ipynb", f"download/emmy/{NAME}.ipynb"], NAME)
    assert [label.student for label in found.values()] == ["ada", "emmy"]


@pytest.mark.parametrize("path", [f"{MOODLE}/{NAME}.ipynb", f"{CANVAS}_{NAME}.ipynb", f"ada/{NAME}.ipynb"])
def test_the_roster_tells_the_student_whatever_the_platform(tmp_path: Path, path: str):
    assert taken(tmp_path, packed(tmp_path, {path: notebook("hers")}), [EMMY, ADA]).new == ["ada"]
    assert text_of(tmp_path, "ada") == "hers"
    assert time_of(tmp_path, "ada") == "2026-11-23 10:00:00"


@pytest.mark.parametrize(
    ("path", "student"),
    [(f"{MOODLE}/x.ipynb", "Ada Lovelace"), (f"{CANVAS}_x.ipynb", "lovelaceada"), ("ada/x.ipynb", "ada")],
)
def test_without_a_roster_the_archives_name_is_the_students(tmp_path: Path, path: str, student: str):
    assert taken(tmp_path, packed(tmp_path, {path: notebook()})).new == [student]


@pytest.mark.parametrize("name", ["Lovelace Ada_7", "ADA LOVELACE_7", "Ada Lovelace_7", "ada_7"])
def test_names_are_compared_by_their_letters(tmp_path: Path, name: str):
    path = packed(tmp_path, {f"{name}_assignsubmission_file/x.ipynb": notebook()})
    assert taken(tmp_path, path, [ADA]).new == ["ada"]


def test_accents_are_the_same_however_they_are_composed(tmp_path: Path):
    path = packed(tmp_path, {"noe\u0308theremmy_1_2_x.ipynb": notebook()})
    assert taken(tmp_path, path, [Person("emmy", "Emmy", "No\u00ebther")]).new == ["emmy"]


def test_a_name_in_utf_8_that_does_not_say_so_is_read(tmp_path: Path):
    path = packed(tmp_path, {"Zoë/x.ipynb": notebook()})
    # the flag "this is UTF-8" stands in both records of the name; some programs leave it away
    content = path.read_bytes()
    for record in (b"PK\x03\x04\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00"):
        content = content.replace(record + b"\x08", record + b"\x00")
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() != ["Zoë/x.ipynb"]
    assert taken(tmp_path, path).new == ["Zoë"]


def test_the_platforms_number_goes_before_the_name(tmp_path: Path):
    namesake = Person("ada2", "Ada", "Lovelace", "", "999")
    path = packed(tmp_path, {f"{CANVAS}_{NAME}.ipynb": notebook()})
    assert taken(tmp_path, path, [namesake, ADA]).new == ["ada"]


def refused(done: Collected, path: str) -> str:
    (sentence,) = (line for line in done.left_out if line.startswith(path))
    assert sentence.endswith(".")
    return sentence


def test_a_name_that_two_people_have_is_nobodys(tmp_path: Path):
    people = [Person("ada", "Ada", "Lovelace"), Person("ada2", "Ada", "Lovelace")]
    done = taken(tmp_path, packed(tmp_path, {f"{MOODLE}/{NAME}.ipynb": notebook()}), people)
    assert "may be any of ada, ada2: give their lms_user_id" in refused(done, MOODLE)
    assert not (tmp_path / "submitted").exists()


def test_without_a_roster_two_people_of_one_name_are_kept_apart(tmp_path: Path):
    files = {f"Participant_{number}_assignsubmission_file/x.ipynb": notebook() for number in (7, 8)}
    done = taken(tmp_path, packed(tmp_path, files))
    assert done.new == []
    assert "several people called 'Participant'" in refused(done, "Participant_7")


def test_an_unknown_student_is_named_and_the_others_are_taken(tmp_path: Path):
    files = {f"mallorym_9_1_{NAME}.ipynb": notebook(), f"{CANVAS}_{NAME}.ipynb": notebook()}
    done = taken(tmp_path, packed(tmp_path, files), [ADA])
    assert done.new == ["ada"]
    assert "is of 'mallorym 9', who is not in the roster" in refused(done, "mallorym")


def test_who_is_late_is_told(tmp_path: Path):
    path = packed(tmp_path, {f"lovelaceada_LATE_123_1_{NAME}.ipynb": notebook(), f"noetheremmy_124_2_{NAME}.ipynb": ""})
    done = taken(tmp_path, path, [ADA, EMMY])
    assert (done.new, done.late) == (["ada", "emmy"], ["ada"])


@pytest.mark.parametrize("file", ["my solution.ipynb", f"{NAME}-2.ipynb", f"{NAME} (1).ipynb"])
def test_a_students_only_notebook_is_taken_under_any_name(tmp_path: Path, file: str):
    assert taken(tmp_path, packed(tmp_path, {f"ada/{file}": notebook("hers")})).new == ["ada"]
    assert text_of(tmp_path, "ada") == "hers"


def test_of_two_attempts_canvas_numbers_tell_the_later(tmp_path: Path):
    # as text, 99 comes after 100
    files = {f"lovelaceada_123_{n}_{NAME}.ipynb": notebook(str(n)) for n in (100, 99)}
    done = taken(tmp_path, packed(tmp_path, files))
    assert text_of(tmp_path, "lovelaceada") == "100"
    assert "is an earlier attempt of lovelaceada" in refused(done, "lovelaceada_123_99")


def test_of_two_notebooks_that_with_the_assignments_name_counts(tmp_path: Path):
    done = taken(tmp_path, packed(tmp_path, {"ada/a.ipynb": notebook("a"), f"ada/{NAME}.ipynb": notebook("b")}))
    assert text_of(tmp_path, "ada") == "b"
    assert "is another notebook of ada" in refused(done, "ada/a.ipynb")


def test_of_two_notebooks_of_other_names_neither_is_guessed(tmp_path: Path):
    done = taken(tmp_path, packed(tmp_path, {"ada/a.ipynb": notebook("a"), "ada/b.ipynb": notebook("b")}))
    assert done.new == []
    assert f"none of them called {NAME}.ipynb" in refused(done, "ada/a.ipynb")
    assert refused(done, "ada/b.ipynb")


def test_a_later_archive_replaces_and_keeps_its_time(tmp_path: Path):
    for time, text in ((MONDAY, "first"), (TUESDAY, "second")):
        assert taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook(text)}, time)).new == ["ada"]
    assert text_of(tmp_path, "ada") == "second"
    assert time_of(tmp_path, "ada") == "2026-11-24 10:00:00"


def test_an_earlier_archive_does_not_replace(tmp_path: Path):
    taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook("second")}, TUESDAY))
    done = taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook("first")}, MONDAY))
    assert "not later than what is there of ada" in refused(done, f"ada/{NAME}.ipynb")
    assert text_of(tmp_path, "ada") == "second"
    assert time_of(tmp_path, "ada") == "2026-11-24 10:00:00"


def test_the_same_notebook_again_keeps_the_earlier_time(tmp_path: Path):
    # Moodle stamps every file with the moment of the download
    for time in (MONDAY, TUESDAY):
        done = taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook()}, time))
    assert (done.new, done.unchanged) == ([], ["ada"])
    assert time_of(tmp_path, "ada") == "2026-11-23 10:00:00"


def test_a_notebook_without_a_time_is_not_replaced(tmp_path: Path):
    taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook("there")}))
    (tmp_path / "submitted" / "ada" / NAME / "timestamp.txt").unlink()
    done = taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook("new")}, TUESDAY))
    assert "no timestamp.txt there tells which is later" in refused(done, f"ada/{NAME}.ipynb")
    assert text_of(tmp_path, "ada") == "there"


def test_other_submissions_and_other_files_stay(tmp_path: Path):
    other = tmp_path / "submitted" / "ada" / "03_self_attention" / "03_self_attention.ipynb"
    beside = tmp_path / "submitted" / "ada" / NAME / "note.txt"
    for path in (other, beside):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    taken(tmp_path, packed(tmp_path, {f"ada/{NAME}.ipynb": notebook()}))
    assert other.read_text() == beside.read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"../../ada/{NAME}.ipynb", "leads out of the zip"),
        (f"/etc/{NAME}.ipynb", "leads out of the zip"),
        (f"C:\\ada\\{NAME}.ipynb", "leads out of the zip"),
        ("ada\\..\\..\\x.ipynb", "leads out of the zip"),
        ("ada/report.pdf", "is not a notebook (.ipynb)"),
        ("ada/work.zip", "is not a notebook (.ipynb)"),
        (f"__MACOSX/ada/._{NAME}.ipynb", "hidden file"),
        (f"ada/.ipynb_checkpoints/.{NAME}.ipynb", "hidden file"),
        ("loose.ipynb", "says nothing of whose it is"),
        (f"a:b/{NAME}.ipynb", "leads out of the zip"),
        (f"a?b/{NAME}.ipynb", "a student's name must not"),
        (f".hidden/{NAME}.ipynb", "a student's name must not"),
        (f"a\u202eb/{NAME}.ipynb", "letters, all of them printable"),
    ],
)
def test_what_is_not_taken_is_named_in_a_sentence(tmp_path: Path, path: str, words: str):
    files = {path: notebook(), f"emmy/{NAME}.ipynb": notebook()}
    done = taken(tmp_path, packed(tmp_path, files))
    assert words in refused(done, path.replace("\\", "/"))
    assert done.new == ["emmy"]
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {
        "archive-23.zip", f"{NAME}.ipynb", "timestamp.txt"
    }  # fmt: skip


def test_windows_slashes_separate(tmp_path: Path):
    assert taken(tmp_path, packed(tmp_path, {f"ada\\{NAME}.ipynb": notebook()})).new == ["ada"]


def test_a_link_is_not_taken(tmp_path: Path):
    path = packed(tmp_path, {f"emmy/{NAME}.ipynb": notebook()})
    link = zipfile.ZipInfo(f"ada/{NAME}.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in refused(taken(tmp_path, path), "ada/")


def test_a_huge_notebook_is_not_taken(tmp_path: Path):
    # 50 MB of zeros are 50 kB in the zip
    path = packed(tmp_path, {f"ada/{NAME}.ipynb": "0" * 50_000_000, f"emmy/{NAME}.ipynb": notebook()})
    done = taken(tmp_path, path)
    assert "has 50,000,000 bytes, more than 2,000" in refused(done, "ada/")
    assert done.new == ["emmy"]


def test_a_record_that_lies_about_the_size_is_found(tmp_path: Path):
    path = packed(tmp_path, {f"ada/{NAME}.ipynb": "0" * 50_000_000, f"emmy/{NAME}.ipynb": notebook()})
    size = (50_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    done = taken(tmp_path, path)
    assert "is damaged" in refused(done, "ada/")
    assert done.new == ["emmy"]


def test_a_file_that_is_no_zip_is_named(tmp_path: Path):
    (tmp_path / "x.zip").write_text("no zip")
    for name in ("x.zip", "nowhere.zip"):
        with pytest.raises(UsageError, match=name):
            taken(tmp_path, tmp_path / name)


def test_reading_names_says_nothing_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    logging.getLogger("traitlets").handlers.clear()
    taken(tmp_path, packed(tmp_path, {"loose.ipynb": notebook(), f"ada/{NAME}.ipynb": notebook()}))
    assert capfd.readouterr() == ("", "")


def roster_of(folder: Path, *rows: tuple[str, ...], columns: tuple[str, ...] = COLUMNS) -> Path:
    text = io.StringIO()
    csv.writer(text).writerows([columns, *rows])
    path = folder / "roster.csv"
    path.write_text(text.getvalue(), encoding="utf-8-sig")
    return path


def test_a_roster_is_read_with_its_columns_in_any_order(tmp_path: Path):
    path = roster_of(tmp_path, ("Lovelace", " ada ", "x"), columns=("Last_Name", "id", "group"))
    assert read_roster(path) == [Person("ada", last_name="Lovelace")]


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        ([], ("name", "mail"), "names the columns name, mail; expected id, first_name"),
        ([("ada",), ("ada",)], ("id",), "line 3: the id 'ada' stands in an earlier line"),
        ([("",), ("x",)], ("id", "email"), "the id '' is empty"),
        ([("a/b",)], ("id",), "line 2: the id 'a/b' must not"),
    ],
)
def test_what_is_wrong_with_a_roster_is_said(
    tmp_path: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...], words: str
):
    if rows and rows[0] == ("",):
        rows[0] = ("", "x@example.org")
    with pytest.raises(UsageError) as raised:
        read_roster(roster_of(tmp_path, *rows, columns=columns))
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'id,first_name\nada,"Ada\n', "line [12]: unexpected end of data; mend the quotes"),
        (b"id,first_name\n" + b"x" * 200_000 + b",Ada\n", "field larger than field limit"),
        (b"id,first_name\nada,J\xfcrgen\n", "save it as 'CSV UTF-8'"),
        (None, r"The roster .*roster\.csv cannot be read \(No such file or directory\)"),
    ],
)
def test_a_roster_that_is_no_table_is_named(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "roster.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_roster(path)


def test_the_gradebook_gets_names_and_addresses_and_loses_none(course: Path, tmp_path: Path):
    enter_roster(roster_of(tmp_path, ("ada", "Ada", "Lovelace", "ada@example.org", "123")), course, tmp_path)
    enter_roster(roster_of(tmp_path, ("ada", "Augusta Ada", "", "", "")), course, tmp_path)
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    assert names(url) == {"ada": "Augusta Ada Lovelace"}
    with Gradebook(url) as gradebook:
        student = gradebook.find_student("ada")
        assert (student.email, student.lms_user_id) == ("ada@example.org", "123")


def run(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder.cli", *arguments]
    return subprocess.run(command, cwd=course, capture_output=True, text=True, check=False)


def test_a_collected_class_is_graded_under_its_names(course: Path, tmp_path: Path):
    archive = packed(tmp_path, {f"{MOODLE}/{NAME}.ipynb": "no notebook at all", f"{MOODLE}/b.pdf": ""})
    rows = (("ada", "Ada", "Lovelace", "", ""), ("emmy", "Emmy", "Noether", "", ""))
    places = ("--submitted", str(tmp_path / "submitted"), "--out", str(tmp_path / "graded"))
    roster = str(roster_of(tmp_path, *rows))
    done = run(course, "collect", str(archive), "--assignment", NAME, "--roster", roster, *places)
    assert done.returncode == 0, done.stderr
    assert "1 collected: ada" in done.stderr
    assert "1 nothing handed in: emmy" in done.stderr
    assert f"{MOODLE}/b.pdf is not a notebook" in done.stderr
    done = run(course, "grade", NAME, *places)
    assert done.returncode == 0, done.stderr
    assert "Ada Lovelace" in (tmp_path / "graded" / "overview.html").read_text()


def test_an_archive_of_which_nothing_was_taken_ends_in_exit_code_2(course: Path, tmp_path: Path):
    done = run(course, "collect", str(packed(tmp_path, {"a.pdf": ""})), "--assignment", NAME)
    assert done.returncode == 2
    assert "a.pdf is not a notebook" in done.stderr
    assert "Traceback" not in done.stderr
