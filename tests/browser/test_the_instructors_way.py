"""A submission through the formgrader of `autograder lab`: autograded, marked by hand, handed back."""

import os
import sys
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from playwright.sync_api import Page

from autograder.exercises import assignment
from autograder.pipeline.nbgrader_stages import open_gradebooks_faster
from autograder.pipeline.simulate import simulated_class, write_class
from autograder.pipeline.source import is_solution, read_source
from autograder.pipeline.stages import gradebook_url
from autograder.pipeline.summary import feedback_page
from tests.browser.conftest import Picture, Windows
from tests.browser.servers import TOKEN, jupyterlab
from tests.pipeline.small_course import course_of_one

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.browser, pytest.mark.xdist_group("browser")
]  # fmt: skip

NAME = "05_layer_norm"
ESSAY = """LayerNorm takes mean and variance over the D features of **one** token. BatchNorm takes them over B and T, so
that padding and the other sequences of a batch move a token's result, and in another batch it is another one.
"""
PATIENCE = 120_000  # milliseconds: the warm interpreter is started


@dataclass(frozen=True)
class Lab:
    address: str
    folder: Path


@pytest.fixture(scope="module")
def lab(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Lab]:
    folder = course_of_one(course, tmp_path_factory.mktemp("course"))
    handed = simulated_class(read_source(course, NAME), assignment(NAME), misconceptions=1)
    wrong = next(one for one in handed if one.student == "layer-norm-statistics-over-time")
    for cell in wrong.notebook.cells:
        if is_solution(cell) and cell.cell_type == "markdown":
            cell.source = ESSAY
    write_class(iter([replace(wrong, student="ada")]), NAME, folder / "submitted")
    (folder / "graded").mkdir()
    open_gradebooks_faster()
    with Gradebook(gradebook_url(folder / "graded")) as gradebook:
        gradebook.add_student("ada", first_name="Ada", last_name="Lovelace")
    start = [sys.executable, "-m", "autograder.cli", "lab"]
    with jupyterlab(start, folder, {**os.environ, "PYTHONPATH": str(course)}) as address:
        yield Lab(address, folder)


def succeeds(page: Page) -> None:
    """Waits for the window that tells how an action ended, and closes it."""
    told = page.locator(".modal.in")
    told.wait_for()
    assert told.locator(".modal-title").inner_text() == "Success", told.inner_text()
    told.get_by_role("button", name="OK").click()
    page.locator(".modal-backdrop").wait_for(state="detached")


def test_a_submission_is_graded_marked_and_handed_back(windows: Windows, lab: Lab, picture: Picture):
    page = windows.open(f"{lab.address}/lab?token={TOKEN}")
    page.set_default_timeout(PATIENCE)
    page.get_by_role("menuitem", name="Nbgrader").click()
    page.get_by_role("menuitem", name="Formgrader").wait_for()

    page.goto(f"{lab.address}/formgrader/manage_submissions/{NAME}")
    page.get_by_text("needs autograding").wait_for()
    page.locator("td.autograde a").click()
    succeeds(page)
    page.get_by_text("needs manual grading").wait_for()
    assert page.locator("td.score").inner_text() == "9 / 16"
    picture(page, "walk/formgrader-submissions.png")

    page.goto(f"{lab.address}/formgrader/gradebook/{NAME}/{NAME}")
    page.get_by_role("link", name="Submission #1").click()
    box = page.locator("input.score.needs_manual_grade")
    box.wait_for()
    remark = page.locator("textarea.comment").last
    for field, words in ((box, "2.5"), (remark, "Say it of the gradient, too.")):
        with page.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
            field.fill(words)
            field.press("Tab")
    box = page.locator("input.score").last  # nothing waits any more
    box.scroll_into_view_if_needed()
    picture(page, "walk/formgrader-manual-grading.png")

    page.goto(f"{lab.address}/formgrader/manage_submissions/{NAME}")
    page.get_by_text("graded", exact=True).wait_for()
    assert page.locator("td.score").inner_text() == "11.5 / 16"
    page.locator("td.generate-feedback a").click()
    succeeds(page)

    handed_back = windows.open(feedback_page(lab.folder / "graded", "ada", NAME))
    shown = handed_back.locator("main").inner_text()
    assert "11.5 of 16 points" in " ".join(shown.split())
    assert "Say it of the gradient, too." in shown
