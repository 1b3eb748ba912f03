"""github-summary: read by a Markdown parser, every mark stands in the table and no name is markup."""

from html.parser import HTMLParser

import pytest
from lxml import html
from markdown_it import MarkdownIt

from autograder.export import github_summary, only
from autograder.export.questions import questions
from autograder.pipeline.results import Results
from autograder.report.cell import number
from autograder.report.terminal import shown
from tests.graded.names import NAMES


def page(results: Results) -> html.HtmlElement:
    return html.fromstring(MarkdownIt("commonmark").enable("table").render(github_summary.write(results)))


def table(results: Results) -> dict[str, list[str]]:
    rows = [[cell.text_content() for cell in row] for row in page(results).iterfind(".//tr")]
    return {first: rest for first, *rest in rows}


def test_every_mark_stands_in_the_table(results: Results):
    read = table(results)
    header = read.pop("student")
    assert header[1:-1] == ["layer_norm of 4", "layer_norm_gradients of 5", "LayerNorm of 4", "why_layer_norm of 3"]
    assert set(read) == set(results.students)
    for student, outcome in results.students.items():
        points, *marks, status = read[student]
        assert points == number(outcome.score)
        assert marks == ["to mark" if one.score is None else number(one.score) for one in questions(outcome)]
        assert status == outcome.status


def test_of_more_students_than_github_takes_it_shows_some_and_says_so(
    results: Results, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(github_summary, "_MOST", 3)
    assert list(table(results)) == ["student", *list(results.students)[:3]]
    assert f"The first 3 of {len(results.students)} students; results.json has all" in page(results).text_content()


def test_answers_that_wait_are_counted(results: Results):
    assert "8 written answers to be marked by hand; points leave them out." in page(results).text_content()


def test_of_a_single_student_it_tells_what_was_found(results: Results):
    text = page(only(results, "layer-norm-statistics-over-time")).text_content()
    outcome = results.students["layer-norm-statistics-over-time"].exercises["layer_norm"]
    assert outcome.hint in text
    for check in outcome.checks:
        assert check.name in text


def test_marks_from_outside_the_sandbox_say_so(results: Results):
    assert "UNTRUSTED" in page(results.model_copy(update={"trusted": False})).text_content()


def test_names_stand_there_letter_by_letter(hostile: Results):
    assert set(table(hostile)) - {"student"} == {shown(name) for name in hostile.students}


class Tags(HTMLParser):
    """Collects a page's elements that have attributes of a student's, or none that a table has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_student_is_markup(hostile: Results, name: str):
    ours = {"h3", "h4", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li"}
    for shown_page in (hostile, only(hostile, name)):
        assert Tags(html.tostring(page(shown_page)).decode()).found <= ours | {"div"}
