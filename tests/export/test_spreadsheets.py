"""csv, canvas, moodle: read as their importers read them, mark by mark; no cell is a formula."""

import csv
import io
from collections.abc import Callable

import pytest

from autograder.export import by_question, canvas, moodle
from autograder.export.questions import WAITING, final_score, questions
from autograder.export.spreadsheet import defused
from autograder.pipeline.results import Results
from tests.graded.names import FORMULAS


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_mark_stands_in_the_table_by_question(results: Results):
    rows = rows_of(by_question.write(results))
    read = {(row["student"], row["question"]): row for row in rows}
    assert len(read) == len(rows)
    for student, outcome in results.students.items():
        for question in questions(outcome):
            row = read.pop((student, question.name))
            assert (float(row["score"]) if row["score"] else None) == question.score
            assert float(row["max_score"]) == question.max_score
            assert row["status"] == question.status
            assert row["assignment"] == "05_layer_norm"
    assert read == {}


def test_an_answer_that_waits_has_an_empty_score_and_says_so(results: Results):
    rows = rows_of(by_question.write(results))
    (waits,) = [row for row in rows if row["student"] == "solved" and row["question"] == "why_layer_norm"]
    assert (waits["score"], waits["status"]) == ("", WAITING)
    (blank,) = [row for row in rows if row["student"] == "blank" and row["question"] == "why_layer_norm"]
    assert blank["score"] == "0"


def canvas_reads(text: str) -> tuple[str, float, dict[str, float | None]]:
    """What Canvas makes of a file, after its gradebook_importer.rb: title, points possible, score by login."""
    header, *rows = csv.reader(io.StringIO(text))
    assert len(header) > 3
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert header[2:5] == ["SIS User ID", "SIS Login ID", "Section"]
    (title,) = header[5:]
    possible = 0.0
    scores: dict[str, float | None] = {}
    for row in rows:
        if "Points Possible" in row[0]:
            possible = float(row[5])
        else:
            assert row[1] == row[2] == ""
            scores[row[3]] = float(row[5]) if row[5].strip() else None
    return title, possible, scores


def test_canvas_reads_every_score(results: Results):
    title, possible, scores = canvas_reads(canvas.write(results))
    assert (title, possible) == ("05_layer_norm", 16)
    assert scores == {student: final_score(outcome) for student, outcome in results.students.items()}


def test_no_name_is_taken_for_the_line_of_points(hostile: Results):
    _, possible, scores = canvas_reads(canvas.write(hostile))
    assert possible == 16
    assert scores["Points Possible"] == final_score(hostile.students["Points Possible"])
    assert len(scores) == len(hostile.students)


def moodle_reads(cell: str) -> float | None:
    """What Moodle makes of a grade in a new column, after its load_data.php: an empty cell would be 0."""
    return None if cell.strip() == "-" else float(cell or 0)


def test_moodle_reads_every_grade(results: Results):
    rows = rows_of(moodle.write(results))
    read = {row["username"]: moodle_reads(row["05_layer_norm"]) for row in rows}
    assert read == {student: final_score(outcome) for student, outcome in results.students.items()}


def test_moodles_feedback_names_marks_mistakes_and_what_waits(results: Results):
    feedback = {row["username"]: row["feedback"] for row in rows_of(moodle.write(results))}
    assert f"why_layer_norm ? of 3 ({WAITING})" in feedback["solved"]
    assert "layer_norm 0 of 4 (crashed)" in feedback["crash"]
    assert "(statistics-over-time)" in feedback["layer-norm-statistics-over-time"]


@pytest.mark.parametrize("write", [by_question.write, canvas.write, moodle.write])
def test_no_cell_begins_a_formula(hostile: Results, write: Callable[[Results], str]):
    text = write(hostile)
    for separator in (",", ";", "\t"):
        for row in csv.reader(io.StringIO(text), delimiter=separator):
            assert [cell for cell in row if len(cell) > 1 and cell[0] in "=+-@＝＋－＠\t\r\n"] == []


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_defused_by_an_apostrophe_and_nothing_else(name: str):
    assert defused(name) != name
    assert defused(name).replace("'", "") == name.replace("'", "")


@pytest.mark.parametrize(
    "text", ["ada", "ada-lovelace", "2-3", "-", "-2", "-0.5", "a + b", "x=1", "ada@example.org", ""]
)
def test_what_is_no_formula_stays(text: str):
    assert defused(text) == text
