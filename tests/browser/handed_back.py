"""What a class gets back: feedback pages and overviews, made by the real stages from results that were recorded."""

import base64
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nbgrader.api import Gradebook
from PIL import Image
from typer.testing import CliRunner

from autograder import cli
from autograder.checking import CheckResult, Report
from autograder.exercises import assignment
from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import Journal, key
from autograder.pipeline.proof import edited
from autograder.pipeline.results import StudentOutcome, keep_previous, write_results
from autograder.pipeline.settings import read_settings
from autograder.pipeline.source import read_source
from autograder.pipeline.stages import gradebook_url, rebuilt_from
from autograder.pipeline.summary import feedback_page
from autograder.sandbox.session import Output
from tests.graded.classes import a_class
from tests.graded.names import MARKUP
from tests.hostile.attackers import handed_in, put

NAME = "05_layer_norm"
ATTACK = "<script>document.title = 'attacked'</script>" + MARKUP[0]
COMMENT = "Well argued. Say it of the *gradient*, too: $\\partial y / \\partial z$."

ESSAY = """### Why

**LayerNorm** takes mean and variance over the D features of *one* token, so that its result does not depend on

- the other tokens, among them padding,
- the other sequences of the batch.

| statistics | over |
|---|---|
| BatchNorm | B and T |
| LayerNorm | D |

With D = 4 and $z = (1, 2, 3, 6)$ the mean is $\\mu = 3$, whatever stands beside it.
"""


def feedback_pages(course: Path, folder: Path) -> dict[str, Path]:
    """Grades three submissions: ada's holds a mistake, mallory's attacks, emmy's is right, late and marked by hand."""
    for item in ("source", "course.toml"):
        (shutil.copytree if (course / item).is_dir() else shutil.copy)(course / item, folder / item)
    group = Class(folder, folder / "submitted", folder / "graded", read_settings(folder))
    recorded = a_class().students
    shown = Output(text=f"{ATTACK}\n{'a long line ' * 30}", pictures=[_picture()], error=("ValueError", ATTACK))
    attack = f"def layer_norm(z, gamma, beta, epsilon=1e-6):\n    '''{ATTACK}'''  # {'a long comment ' * 12}\n"
    _hand_in(group, "mallory", {"layer_norm": attack}, f"{ATTACK}\n\n{'longword' * 40}\n", {"layer_norm": shown},
             recorded["layer-norm-statistics-over-time"])  # fmt: skip
    right = read_source(folder, NAME).solutions["layer_norm"]
    wrong = edited(right, assignment(NAME).exercise("layer_norm"), "statistics-over-time")
    _hand_in(group, "ada", {"layer_norm": wrong}, ESSAY, {}, recorded["layer-norm-statistics-over-time"])
    _hand_in(group, "emmy", {}, ESSAY, {}, recorded["solved"])
    grade_class(group, NAME, ["ada", "emmy", "mallory"])
    with Gradebook(gradebook_url(group.out)) as gradebook:
        mark = gradebook.find_grade("why_layer_norm", NAME, NAME, "emmy")
        mark.manual_score, mark.needs_manual_grade = 2.5, False
        gradebook.find_comment("why_layer_norm", NAME, NAME, "emmy").manual_comment = COMMENT
        gradebook.find_submission_notebook(NAME, NAME, "emmy").late_submission_penalty = 1.0
        gradebook.db.commit()
    grade_class(group, NAME, ["ada", "emmy", "mallory"])
    return {student: feedback_page(group.out, student, NAME) for student in ("ada", "emmy", "mallory")}


def overviews(folder: Path) -> dict[str, Path]:
    """Writes what `autograder report` makes of two assignments, one of them graded a second time."""
    now = a_class()
    worse = {name: replace(one, score=0.0) for name, one in now.students["solved"].exercises.items()}
    before = {**now.students, "solved": replace(now.students["solved"], exercises=worse, score=0.0)}
    paths = [folder / name / "results.json" for name in (NAME, "another")]
    write_results(paths[0], now.model_copy(update={"students": before}))
    keep_previous(paths[0])
    write_results(paths[0], now)
    few = {name: now.students[name] for name in ("solved", "crash")}
    write_results(paths[1], now.model_copy(update={"assignment": "another", "students": few}))
    for options in ([], ["--hide-names"]):
        CliRunner().invoke(cli.app, ["report", *map(str, paths), *options], catch_exceptions=False)
    return {"overview": folder / "overview.html", "overview without names": folder / "overview-no-names.html"}


def _hand_in(
    group: Class, student: str, answers: dict[str, str], essay: str, printed: dict[str, Output], marks: StudentOutcome
) -> None:
    source = read_source(group.course, NAME)
    path = put(group.submitted, student, handed_in(source, answers, essay))
    reports = {report.symbol: report for report in _reports(marks)}
    rebuilt = rebuilt_from(source, student, path, group.settings)
    Journal(group.out / "journal").keep(key(rebuilt, group.settings), Graded(student, NAME, reports, printed))


def _reports(marks: StudentOutcome) -> Iterator[Report]:
    for symbol, outcome in marks.exercises.items():
        hints = {check.name: check.hint for check in assignment(NAME).exercise(symbol).checks}
        checks = tuple(
            CheckResult(one.name, one.points, one.cost, one.earned, one.passed, one.message, hint=hints[one.name])
            for one in outcome.checks
        )
        told = (outcome.status, outcome.reason, outcome.misconception, outcome.hint)
        yield Report(symbol, outcome.max_score, checks, *told)


def _picture() -> str:
    file = io.BytesIO()
    Image.new("RGB", (1500, 200), "#7fb0de").save(file, "png")
    return base64.b64encode(file.getvalue()).decode()
