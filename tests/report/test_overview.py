"""The page of a class: everything is told, nothing is fetched, and it needs no mouse and no colours."""

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html

from autograder.pipeline.results import Results, keep_previous, previous_results, write_results
from autograder.pipeline.summary import overview
from tests.graded.classes import a_class, hostile_class
from tests.graded.names import NAMES

STYLE = Path(__file__).parents[2] / "autograder" / "report" / "templates" / "page.css"


def page_of(folder: Path, results: Results, *, hide_names: bool = False) -> html.HtmlElement:
    path = folder / results.assignment / "results.json"
    write_results(path, results)
    return html.document_fromstring(overview("A class", [path], folder, hide_names=hide_names))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> html.HtmlElement:
    folder = tmp_path_factory.mktemp("class")
    feedback = folder / "feedback" / "solved" / "05_layer_norm" / "05_layer_norm.html"
    feedback.parent.mkdir(parents=True)
    feedback.write_text("feedback")
    return page_of(folder, a_class())


def section(page: html.HtmlElement, heading: str) -> str:
    """The text between a heading and the next."""
    (start,) = [one for one in page.iter("h3") if one.text_content() == heading]
    parts: list[str] = []
    for one in start.itersiblings():
        if one.tag in ("h2", "h3"):
            break
        parts.append(one.text_content())
    return re.sub(r"\s+", " ", " ".join(parts))


def test_every_mark_stands_in_the_table(page: html.HtmlElement):
    rows = [[cell.text_content() for cell in row] for row in page.find_class("marks")[0].iterfind("tbody/tr")]
    read = {re.sub("(crashed|timeout)$", "", row[0]): row[1:] for row in rows}
    for student, outcome in a_class().students.items():
        shown = [re.sub(r"\D*$", "", cell) or cell for cell in read[student]]
        marks = [*outcome.exercises.values(), *outcome.written.values()]
        expected = ["to mark" if mark.score is None else f"{mark.score:g}" for mark in marks]
        assert shown == [f"{outcome.score:g}", *expected]


def test_every_check_of_every_student_stands_in_the_heat_map(page: html.HtmlElement):
    rows = page.find_class("checks")[0].findall("tbody/tr")
    assert {row[0].text_content() for row in rows} == set(a_class().students)
    for row in rows:
        outcome = a_class().students[row[0].text_content()]
        cells = [(cell.get("class"), int(cell.get("colspan", 1))) for cell in row[1:]]
        expected: list[tuple[str, int]] = []
        for symbol, exercise in outcome.exercises.items():
            if exercise.checks:
                expected += [("passed" if check.passed else "failed", 1) for check in exercise.checks]
            else:
                expected.append(("ended", len(a_class().students["solved"].exercises[symbol].checks)))
        assert cells == expected


def test_the_best_stand_first_in_the_heat_map(page: html.HtmlElement):
    names = [row[0].text_content() for row in page.find_class("checks")[0].findall("tbody/tr")]
    scores = [a_class().students[name].score for name in names]
    assert scores == sorted(scores, reverse=True)


def test_of_more_students_than_a_browser_takes_it_shows_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("autograder.report.overview.MOST", 4)
    monkeypatch.setattr("autograder.report.heatmap.MOST", 4)
    count, whole = len(a_class().students), page_of(tmp_path, a_class())
    marks, checks = (whole.find_class(name)[0] for name in ("marks", "checks"))
    assert len(marks.findall("tbody/tr")) == 4
    rows = [row[0].text_content() for row in checks.findall("tbody/tr")]
    assert 2 < len(rows) <= 4
    scores = [a_class().students[student].score for student in rows]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == max(outcome.score for outcome in a_class().students.values())
    assert f"The first 4 of {count} students" in whole.text_content()
    assert f"{len(rows)} of {count} students, at equal distances" in whole.text_content()


def test_the_share_that_passed_a_check_leaves_out_who_was_not_asked(page: html.HtmlElement):
    first = page.find_class("checks")[0].find("tfoot/tr")[1].text_content()
    asked = [outcome.exercises["layer_norm"].checks for outcome in a_class().students.values()]
    passed = [checks[0].passed for checks in asked if checks]
    assert first == f"{100 * sum(passed) / len(passed):.0f}"


def test_misconceptions_are_counted_and_stand_with_their_hint(page: html.HtmlElement):
    hint = a_class().students["layer-norm-statistics-over-time"].exercises["layer_norm"].hint
    said = section(page, "Frequent misconceptions")
    assert "1 student layer_norm: statistics-over-time" in said
    assert hint in said


@pytest.mark.parametrize("words", ["crash layer_norm crashed", "endless-loop LayerNorm timeout", "deleted-cell"])
def test_what_ended_early_is_listed(page: html.HtmlElement, words: str):
    cells = [" ".join(cell.text_content() for cell in row) for row in page.iter("tr")]
    assert any(row.startswith(words) for row in cells)
    assert page.xpath("//h3[text()='Ended early']")


def test_what_waits_for_a_person_is_listed_with_names(page: html.HtmlElement):
    (question,) = page.iter("details")
    assert question.find("summary").text_content() == "why_layer_norm, 3 points: 8 of 10"
    assert "solved-in-a-hurry" not in question.find("p").text_content()
    assert "solved, layer-norm-statistics-over-time" in question.find("p").text_content()


def test_difficulty_and_discrimination_stand_in_a_table_with_their_source(page: html.HtmlElement):
    said = section(page, "Difficulty and discrimination")
    assert "Henrysson 1963" in said
    assert "Ebel and Frisbie 1991" in said
    (table,) = page.xpath("//table[.//th='discrimination']")
    shares = [outcome.exercises["layer_norm"].score / 4 for outcome in a_class().students.values()]
    assert [cell.text_content() for cell in table.find("tbody/tr")][:5] == [
        "layer_norm", "4", "6", "4", f"{sum(shares) / len(shares):.2f}",
    ]  # fmt: skip


def test_names_lead_to_feedback_pages_that_are_there(page: html.HtmlElement):
    links = {link.text_content(): link.get("href") for link in page.iter("a")}
    assert links == {"solved": "feedback/solved/05_layer_norm/05_layer_norm.html"}


def test_marks_from_outside_the_sandbox_are_called_untrusted(tmp_path: Path):
    assert "UNTRUSTED" in page_of(tmp_path, a_class().model_copy(update={"trusted": False})).text_content()


def test_a_class_of_which_nothing_was_graded_has_a_page(tmp_path: Path):
    page = page_of(tmp_path, a_class().model_copy(update={"students": {}}))
    assert "No submission has been graded." in page.text_content()


# ---------------------------------------------------------------------------------------------------------------------
# The last run


def test_without_an_earlier_run_the_page_says_so(page: html.HtmlElement):
    assert "There is no earlier run" in section(page, "Since the last run")


def test_the_results_of_a_run_stay_beside_those_of_the_next(tmp_path: Path):
    path = tmp_path / "results.json"
    assert previous_results(path) is None
    keep_previous(path)
    assert previous_results(path) is None
    write_results(path, a_class())
    keep_previous(path)
    write_results(path, hostile_class())
    assert previous_results(path) == a_class()


def _with_the_last_run(folder: Path, before: Results, now: Results) -> str:
    path = folder / now.assignment / "results.json"
    write_results(path, before)
    keep_previous(path)
    return section(page_of(folder, now), "Since the last run")


def test_changed_marks_new_students_and_those_who_left_are_told(tmp_path: Path):
    now = a_class()
    crash, solved = now.students["crash"], now.students["solved"]
    worse = replace(crash.exercises["LayerNorm"], score=1.5)
    marked = replace(solved.written["why_layer_norm"], score=2.0)
    students = {
        **now.students,
        "crash": replace(crash, score=crash.score - 2.5, exercises={**crash.exercises, "LayerNorm": worse}),
        "solved": replace(solved, score=solved.score + 2, written={"why_layer_norm": marked}),
        "left": solved,
    }
    del students["blank"]
    said = _with_the_last_run(tmp_path, now.model_copy(update={"students": students}), now)
    before = sum(one.score for name, one in students.items() if name != "left") / 9
    after = sum(one.score for name, one in now.students.items() if name != "blank") / 9
    assert f"The marks of 2 of 9 students changed: on average {before:.2f} points before, {after:.2f} now." in said
    assert "LayerNorm 1.5 → 4" in said
    assert "why_layer_norm 2 → to mark" in said
    assert "New: blank." in said
    assert "Not there any more: left." in said


def test_an_unchanged_run_says_so(tmp_path: Path):
    assert "No marks changed." in _with_the_last_run(tmp_path, a_class(), a_class())


def test_other_conditions_are_told(tmp_path: Path):
    before = a_class().model_copy(update={"seed": "another", "data": "imdb"})
    assert "differed in seed and data" in _with_the_last_run(tmp_path, before, a_class())


# ---------------------------------------------------------------------------------------------------------------------
# Hidden names

REAL = {
    "solved": "ada.lovelace", "blank": "emmy.noether", "crash": "sofja.kowalewskaja", "endless-loop": "grace.hopper"
}  # fmt: skip


def _named(results: Results) -> Results:
    """The class under names, of which one is in what a student's code said, too."""
    students = {REAL.get(name, f"{place}.turing"): one for place, (name, one) in enumerate(results.students.items())}
    crash = students["sofja.kowalewskaja"]
    exercises = {
        symbol: replace(
            exercise,
            reason="sofja.kowalewskaja was here",
            checks=[replace(check, message="by sofja.kowalewskaja") for check in exercise.checks],
        )
        for symbol, exercise in crash.exercises.items()
    }
    students["sofja.kowalewskaja"] = replace(crash, exercises=exercises, problem="of sofja")
    return results.model_copy(update={"students": students})


def test_hidden_names_are_nowhere_in_the_page(tmp_path: Path):
    named = _named(a_class())
    path = tmp_path / named.assignment / "results.json"
    for student in named.students:
        feedback = tmp_path / "feedback" / student / named.assignment / f"{named.assignment}.html"
        feedback.parent.mkdir(parents=True)
        feedback.write_text("feedback")
    left = {**named.students, "alan.turing": named.students["ada.lovelace"]}
    write_results(path, named.model_copy(update={"students": left}))
    keep_previous(path)
    write_results(path, named)
    shown = overview("A class", [path], tmp_path)
    hidden = overview("A class", [path], tmp_path, hide_names=True)
    for word in ("lovelace", "noether", "sofja", "kowalewskaja", "hopper", "turing", "was here", "feedback/"):
        assert word in shown
        assert word not in hidden


def test_hidden_names_have_the_same_number_everywhere_and_keep_their_marks(tmp_path: Path):
    page = page_of(tmp_path, _named(a_class()), hide_names=True)
    marks = {
        row[0].text_content()[:10]: row[1].text_content() for row in page.find_class("marks")[0].iterfind("tbody/tr")
    }
    assert sorted(marks.values()) == sorted(f"{one.score:g}" for one in a_class().students.values())
    assert set(marks) == {f"student {place:02}" for place in range(1, 11)}
    assert {row[0].text_content() for row in page.find_class("checks")[0].iterfind("tbody/tr")} == set(marks)


def test_the_numbers_do_not_follow_the_alphabet(tmp_path: Path):
    # ten students have 3.6 million orders; three draws in a row give the same one practically never
    pages = {html.tostring(page_of(tmp_path, _named(a_class()), hide_names=True)) for _ in range(3)}
    assert len(pages) > 1


# ---------------------------------------------------------------------------------------------------------------------
# Whoever reads it


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> html.HtmlElement:
    return page_of(tmp_path_factory.mktemp("hostile"), hostile_class())


def test_names_and_messages_are_text(attacked: html.HtmlElement):
    text = attacked.text_content()
    for name in NAMES:
        assert name.replace("\x00", "") in text or not name.isprintable()
    assert not attacked.xpath("//img|//script|//iframe|//object|//embed|//link|//form|//base|//meta[@http-equiv]")
    for element in attacked.iter():
        assert [name for name in element.attrib if name.startswith("on")] == []


@pytest.mark.parametrize("which", ["page", "attacked"])
def test_nothing_is_fetched(which: str, request: pytest.FixtureRequest):
    page: html.HtmlElement = request.getfixturevalue(which)
    for element in page.iter():
        assert not {"src", "srcset", "data", "action", "poster", "background", "ping"} & set(element.attrib)
        assert "url(" not in element.get("style", "")
    for link in page.iter("a"):
        assert link.get("href").startswith(("#", "feedback/"))
    (style,) = page.iter("style")
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize("which", ["page", "attacked"])
def test_headings_go_down_one_level_at_a_time(which: str, request: pytest.FixtureRequest):
    page: html.HtmlElement = request.getfixturevalue(which)
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_ids_are_there_once_and_links_within_the_page_lead_to_them(tmp_path: Path):
    paths = [tmp_path / name / "results.json" for name in ("05_layer_norm", "another")]
    for path in paths:
        write_results(path, a_class().model_copy(update={"assignment": path.parent.name}))
    page = html.document_fromstring(overview("A class", paths, tmp_path))
    ids = Counter(element.get("id") for element in page.iter() if element.get("id"))
    assert set(ids.values()) == {1}
    assert [link.get("href") for link in page.iter("a")] == [f"#{one}" for one in ids]


def test_every_header_cell_says_what_it_heads(page: html.HtmlElement):
    assert {cell.get("scope") for cell in page.iter("th")} == {"col", "row", "colgroup"}


def test_what_can_be_scrolled_can_be_reached_by_keyboard_and_has_a_name(page: html.HtmlElement):
    regions = page.find_class("scroll")
    assert len(regions) == len(page.findall(".//table"))
    for region in regions:
        assert (region.get("tabindex"), region.get("role")) == ("0", "region")
        assert region.get("aria-label")


def test_plots_are_described(page: html.HtmlElement):
    plots = page.findall(".//svg")
    assert len(plots) == 2
    for plot in plots:
        assert plot.get("role") == "img"
        assert plot.get("aria-label")


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ("ink", "paper"), ("soft", "paper"), ("link", "paper"), ("alarm", "paper"), ("ink", "head"), ("soft", "head"),
        ("link", "head"), ("pass-ink", "pass"), ("fail-ink", "fail"), ("ended-ink", "ended"),
    ],
)  # fmt: skip
def test_text_stands_out_from_its_ground(scheme: int, ink: str, paper: str):
    # 4.5 to 1 is what WCAG 2.2 asks of text, criterion 1.4.3
    blocks = re.findall(r":root \{(.*?)\}", STYLE.read_text(), re.S)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    bright, dark = sorted((_luminance(colours[ink]), _luminance(colours[paper])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
