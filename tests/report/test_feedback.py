"""A student's page: every mark and who gave it, every word as its author meant it."""

from dataclasses import replace
from itertools import pairwise

import pytest
from lxml import html
from markupsafe import Markup

from autograder.report.feedback import Code, Feedback, Heading, Judged, Points, Written, below, page

NOTHING = Markup("")
CODE = Code("layer_norm", "def layer_norm(z):\n    return z < 1  # why?\n", "", [], NOTHING)
JUDGED = Judged("layer_norm", Points(1.5, 4), Markup("<p>the report</p>"))
ESSAY = Written("why_layer_norm", Points(None, 3), Markup("<p>Because.</p>"), NOTHING)
FEEDBACK = Feedback("05 · LayerNorm", "ada", 1.5, 7, 0, [Heading(2, "1 · The `formula`"), CODE, JUDGED, ESSAY])


def read(feedback: Feedback) -> html.HtmlElement:
    return html.document_fromstring(page(feedback))


def text(feedback: Feedback) -> str:
    return " ".join(read(feedback).find("body").text_content().split())


def test_points_come_first_question_by_question():
    rows = [[cell.text_content() for cell in row] for row in read(FEEDBACK).iterfind(".//tbody/tr")]
    assert rows == [["layer_norm", "1.5 of 4", ""], ["why_layer_norm", "of 3", "to be marked"]]


def test_what_waits_for_a_person_is_said_until_it_is_marked():
    assert "1.5 of 7 points so far Points still to be marked by a person: 3." in text(FEEDBACK)
    marked = replace(FEEDBACK, score=4.0, parts=[CODE, JUDGED, replace(ESSAY, points=Points(2.5, 3, by_hand=True))])
    assert "4 of 7 points question" in text(marked)
    assert "Your answer: 2.5 of 3 points" in text(marked)


def test_a_mark_in_the_place_of_the_graders_is_said_to_be_a_persons():
    assert "given by a person" not in text(FEEDBACK)
    given = replace(JUDGED, points=Points(4, 4, by_hand=True))
    assert "4 of 4 points, given by a person. The grader's own report: the report" in text(
        replace(FEEDBACK, parts=[CODE, given])
    )


@pytest.mark.parametrize(("penalty", "said"), [(0, False), (2, True)])
def test_a_penalty_is_said_where_there_is_one(penalty: float, said: bool):
    assert ("Points lost for handing in late: 2." in text(replace(FEEDBACK, penalty=penalty))) == said


def test_links_of_the_points_lead_to_places_of_the_page():
    shown = read(FEEDBACK)
    assert [link.get("href")[1:] for link in shown.iter("a")] == [
        one.get("id") for one in shown.iter() if one.get("id")
    ]


def test_code_is_shown_to_the_letter():
    (shown,) = [box.text_content() for box in read(FEEDBACK).iter("pre")]
    assert shown == CODE.source


def test_names_headings_and_what_was_printed_are_text():
    attack = "<script>alert(1)</script>"
    parts = [Heading(2, attack), replace(CODE, source=attack, printed=attack, pictures=['" onerror="alert(1)'])]
    shown = read(replace(FEEDBACK, title=attack, student=attack, parts=parts))
    assert not list(shown.iter("script"))
    assert not shown.xpath("//@onerror")
    assert shown.text_content().count(attack) == 7  # title twice, student twice, heading, source, printed


@pytest.mark.parametrize("word", ["$x$", "\\(x\\)", "\\[x\\]"])
def test_mathjax_is_loaded_where_people_write_formulas_and_nowhere_else(word: str):
    assert "cdnjs" not in page(
        replace(FEEDBACK, parts=[replace(CODE, source=word), replace(JUDGED, report=Markup(word))])
    )
    assert "cdnjs" in page(replace(FEEDBACK, parts=[replace(ESSAY, text=Markup(word))]))
    assert "cdnjs" in page(replace(FEEDBACK, parts=[replace(CODE, comment=Markup(word))]))


def test_headings_in_peoples_words_stay_below_the_notebooks():
    own = below("<h1>One</h1><h4 id='x'>Four</h4>", 3)
    shown = read(replace(FEEDBACK, parts=[Heading(2, "a"), Heading(3, "b"), replace(ESSAY, text=own)]))
    levels = [int(one.tag[1]) for one in shown.iter("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels == [1, 2, 3, 4, 4]
    assert all(after <= before + 1 for before, after in pairwise(levels))
