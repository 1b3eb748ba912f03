"""From the zip to the button Validate, in JupyterLab as `start.py` opens it."""

import os
import sys
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from autograder.pipeline.bundle import FOLDER, write_bundle
from autograder.pipeline.source import read_source
from tests.browser.conftest import Picture, Windows
from tests.browser.servers import TOKEN, jupyterlab

pytestmark = [
    pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.browser, pytest.mark.xdist_group("browser")
]  # fmt: skip

NAME = "05_layer_norm"
PATIENCE = 120_000  # milliseconds: TensorFlow is imported by two kernels
WRONG = """def layer_norm(z, gamma, beta, epsilon=1e-6):
    mean = ops.mean(z, axis=-2, keepdims=True)
    variance = ops.var(z, axis=-2, keepdims=True)
    return gamma * (z - mean) / ops.sqrt(variance + epsilon) + beta
"""


@pytest.fixture(scope="module")
def address(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    folder = tmp_path_factory.mktemp("student")
    write_bundle(course, folder / "bundle.zip")
    with zipfile.ZipFile(folder / "bundle.zip") as opened:
        opened.extractall(folder)
    home = folder / FOLDER
    # what start.py would install is there already
    (home / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        (home / ".venv" / part.name).symlink_to(part)
    (home / ".venv" / "installed-requirements.txt").write_bytes((home / "requirements.txt").read_bytes())
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TF_"))}
    with jupyterlab([sys.executable, "start.py"], home, plain) as address:
        yield address


def cell(page: Page, text: str) -> Locator:
    """Scrolls until a cell with that text is there: JupyterLab renders what is near the window only."""
    found = page.locator(".jp-Notebook .jp-Cell").filter(has_text=text).first
    page.locator(".jp-Notebook").hover()
    for _ in range(60):
        if found.count():
            found.scroll_into_view_if_needed()
            return found
        page.mouse.wheel(0, 500)
        page.wait_for_timeout(100)
    raise AssertionError(f"no cell holds {text!r}")


def write(page: Page, text: str, answer: str) -> None:
    """Puts an answer in the place of a cell's text, and runs it."""
    found = cell(page, text)
    found.dblclick()  # opens a text cell
    found.locator(".cm-content").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(answer)
    page.keyboard.press("Shift+Enter")


def is_idle(page: Page) -> None:
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def validate(page: Page) -> Locator:
    page.get_by_role("button", name="Validate").or_(page.get_by_text("Validate", exact=True)).first.click()
    result = page.locator(".jp-Dialog").filter(has_text="Validation Results")
    result.wait_for()
    return result


def test_a_notebook_is_answered_and_validated(windows: Windows, address: str, course: Path, picture: Picture):
    page = windows.open(f"{address}/lab/tree/notebooks/{NAME}.ipynb?token={TOKEN}")
    page.set_default_timeout(PATIENCE)
    page.get_by_role("button", name="No", exact=True).click()  # no news of Jupyter
    is_idle(page)
    picture(page, "walk/jupyterlab-notebook-open.png")

    cell(page, "import matplotlib.pyplot").click()
    page.keyboard.press("Shift+Enter")
    write(page, "def layer_norm(z, gamma, beta", WRONG)
    page.keyboard.press("Shift+Enter")  # the visible check below
    page.get_by_text("AssertionError: by hand it is (-4, 1, 2, 5)").wait_for()
    is_idle(page)
    picture(page, "walk/jupyterlab-visible-check-fails.png")

    result = validate(page)
    told = result.inner_text()
    assert told.count("The following cell failed:") == 4
    assert "AssertionError: by hand it is (-4, 1, 2, 5)" in told
    assert told.count("NotImplementedError: ") == 2
    assert "You did not provide a response." in told
    result.locator("pre", has_text="AssertionError: by hand").first.evaluate("error => error.scrollIntoView(false)")
    picture(page, "walk/validate-names-what-fails.png")
    result.get_by_role("button", name="Ok").click()

    page.locator(".jp-Notebook").press("Control+Home")
    solutions = read_source(course, NAME).solutions
    write(page, "def layer_norm(z, gamma, beta", solutions["layer_norm"])
    write(page, "def layer_norm_gradients(", solutions["layer_norm_gradients"])
    write(page, "class LayerNorm(", solutions["LayerNorm"])
    write(page, "YOUR ANSWER HERE", "The statistics of a token do not depend on its neighbours.")
    result = validate(page)
    assert "Success! Your notebook passes all the tests." in result.inner_text()
    picture(page, "walk/validate-success.png")
