"""What students and teachers read: on a telephone and a wide screen, light and dark, by keyboard, on paper."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Picture, Windows
from tests.browser.handed_back import ATTACK, feedback_pages, overviews

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = ("mallory", "emmy", "overview", "overview without names")
WIDTHS = (1280, 768, 400, 320)


@pytest.fixture(scope="module")
def pages(course: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return feedback_pages(course, tmp_path_factory.mktemp("graded")) | overviews(tmp_path_factory.mktemp("class"))


@dataclass(frozen=True)
class Opened:
    name: str
    page: Page
    fetched: list[str]


@pytest.fixture(scope="module", params=PAGES)
def opened(chromium: Browser, pages: dict[str, Path], request: pytest.FixtureRequest) -> Opened:
    windows = Windows(chromium, request.addfinalizer)
    return Opened(request.param, windows.open(pages[request.param]), windows.fetched)


def test_the_page_is_never_wider_than_the_window(opened: Opened):
    page = opened.page
    beyond: dict[int, int] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        beyond[width] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond == dict.fromkeys(WIDTHS, 0)


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("emmy", 1280, "light"), ("mallory", 768, "dark"), ("emmy", 400, "dark"),
        ("overview", 1280, "dark"), ("overview without names", 768, "light"), ("overview", 400, "light"),
    ],
)  # fmt: skip
def test_axe_finds_nothing(windows: Windows, pages: dict[str, Path], name: str, width: int, scheme: str):
    page = windows.open(pages[name], width, color_scheme=scheme)
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found] == []


FOCUSABLE = """() => {
  const found = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
  found.forEach((element, place) => element.dataset.place = place)
  return found.length
}"""
FOCUSED = """() => {
  const style = getComputedStyle(document.activeElement)
  return [document.activeElement.dataset.place, style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2]
}"""
SCROLLS = """() => [...document.querySelectorAll("body *")].filter(element =>
  ["auto", "scroll"].includes(getComputedStyle(element).overflowX) && element.scrollWidth > element.clientWidth + 1)"""


def test_everything_is_reached_by_keyboard_and_shows_that_it_is(opened: Opened):
    page = opened.page
    count = page.evaluate(FOCUSABLE)
    assert count
    reached: dict[str, bool] = {}
    for _ in range(count):
        page.keyboard.press("Tab")
        place, outlined = page.evaluate(FOCUSED)
        reached[place] = outlined
    assert reached == {str(place): True for place in range(count)}


def test_what_scrolls_on_a_telephone_can_be_reached_by_keyboard(opened: Opened):
    page = opened.page
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate(f"({SCROLLS})().length") > 0
    assert (
        page.evaluate(f"({SCROLLS})().filter(element => element.tabIndex != 0).map(element => element.outerHTML)") == []
    )


def test_names_of_those_who_wait_open_by_keyboard(windows: Windows, pages: dict[str, Path]):
    page = windows.open(pages["overview"])
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details p").first.is_visible()


def test_a_question_leads_to_its_report(windows: Windows, pages: dict[str, Path]):
    page = windows.open(pages["ada"], height=500)
    page.get_by_role("link", name="LayerNorm", exact=True).press("Enter")
    assert page.locator("#LayerNorm").evaluate("element => Math.abs(element.getBoundingClientRect().top) < 100")


def test_headings_go_down_one_level_at_a_time(opened: Opened):
    levels = opened.page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(one => Number(one.tagName[1]))"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_header_cell_says_what_it_heads(opened: Opened):
    # a table within a student's own answer has no attributes at all
    scopes = opened.page.evaluate(
        "[...document.querySelectorAll('table:not(.words table) th')].map(cell => cell.scope)"
    )
    assert {"col", "row"} <= set(scopes) <= {"col", "row", "colgroup"}


@pytest.mark.parametrize("name", ["ada", "overview"])
def test_on_paper_it_is_black_on_white_and_whole(windows: Windows, pages: dict[str, Path], name: str):
    paper = 680 if name == "ada" else 1030  # what the margins leave of A4, upright for one and broad for a class
    page = windows.open(pages[name], paper, color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(f"({SCROLLS})().map(element => element.outerHTML)") == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert all(folded.bounding_box() for folded in page.locator("details p").all())
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")


def test_nothing_is_fetched_but_what_sets_formulas(opened: Opened):
    # emmy's answer holds formulas, mallory's none
    assert all("MathJax.js" in address for address in opened.fetched)
    assert bool(opened.fetched) == (opened.name == "emmy")


# ---------------------------------------------------------------------------------------------------------------------
# The feedback page


def text_of(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def test_marks_hint_and_checks_are_told(windows: Windows, pages: dict[str, Path], picture: Picture):
    page = windows.open(pages["ada"])
    shown = text_of(page)
    assert "9 of 16 points so far Points still to be marked by a person: 3." in shown
    assert "layer_norm 0 of 4" in shown
    assert "why_layer_norm of 3 to be marked" in shown
    assert "Most likely: statistics over time. You take mean and variance over the time axis" in shown
    assert page.get_by_role("img", name="failed").count() > 0
    assert page.get_by_role("img", name="passed").count() > 0
    picture(page, "walk/feedback.png")
    page.set_viewport_size({"width": 880, "height": 1400})
    picture(page, "feedback.png")


def test_a_mark_by_hand_its_comment_and_the_penalty_are_told(windows: Windows, pages: dict[str, Path]):
    shown = text_of(windows.open(pages["emmy"]))
    assert "14.5 of 16 points Points lost for handing in late: 1." in shown
    assert "why_layer_norm 2.5 of 3" in shown
    assert "Say it of the gradient, too" in shown


def test_what_a_student_wrote_and_printed_is_text(windows: Windows, pages: dict[str, Path]):
    page = windows.open(pages["mallory"])
    assert page.title() == "05 · LayerNorm: feedback for mallory"
    for place in ("Your answer for layer_norm", "What layer_norm printed"):
        assert ATTACK in page.get_by_role("region", name=place, exact=True).inner_text()
    assert page.locator("main script, img[onerror]").count() == 0


def test_pictures_of_the_students_have_words_and_fit(windows: Windows, pages: dict[str, Path]):
    page = windows.open(pages["mallory"], 400)
    (drawn,) = page.locator("img").all()
    assert drawn.get_attribute("alt") == "Picture 1 that your answer for layer_norm drew"
    assert drawn.evaluate("image => image.naturalWidth == 1500 && image.width < 400")
