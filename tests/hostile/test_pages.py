"""What reaches people's screens: no tag, no script, no link, no command of a terminal or a CI runner."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nbconvert.filters.markdown import markdown2html

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.results import Results, read_results
from autograder.pipeline.settings import read_settings
from autograder.pipeline.summary import feedback_page, write_overview
from autograder.report.answers import harmless
from autograder.report.terminal import shown
from tests.hostile.attackers import NAME, Bench, handed_in, put

TAG = "<img src=x onerror=alert(4711)><script>alert(4711)</script>"
COMMANDS = "\n::set-output name=score::999\n##[error]4711\n::add-mask::x\n\x1b]0;4711\x07\x1b[2J"

MARKDOWN = f"""
{TAG} [link](javascript:alert(4711)) ![picture](http://example.org/4711.png) <javascript:alert(4711)>

<script>

[link](javascript:alert(4711))

![picture](http://example.org/4711.png)

{TAG}

</script>

<style>

* {{ display: none }}

[link](http://example.org/4711)

</style>

&#91;link&#93;(javascript:alert(4711)) <a href="http://example.org/4711">x</a> <iframe src="http://example.org/4711">

[reference]

[reference]: javascript:alert(4711)

$\\href{{javascript:alert(4711)}}{{x}}$ $$\\require{{html}}\\style{{position:fixed}}{{x}}$$ &#92;href{{http://example.org/4711}}{{x}}

```html

{TAG}

[link](javascript:alert(4711))
```

    {TAG}

<div onclick=alert(4711) style="position:fixed">full marks</div> <svg onload=alert(4711)>  <math><mtext></math>{TAG}
"""

CELLS = {
    "layer_norm": f"""
from IPython.display import HTML, Javascript, Markdown, SVG, display
display(HTML({TAG!r}), Javascript("alert(4711)"), Markdown({TAG!r}), metadata={{"isolated": False}})
display({{"image/svg+xml": {TAG!r}, "text/latex": {TAG!r}, "application/javascript": "alert(4711)"}}, raw=True)
display({{"image/png": '" onerror="alert(4711)'}}, raw=True)
print({TAG!r}); print({COMMANDS!r})
class Odd:
    def _repr_html_(self): return {TAG!r}
    def __repr__(self): return {TAG!r}
Odd()
""",
    "layer_norm_gradients": f"raise type({TAG!r}, (Exception,), {{}})({TAG + COMMANDS!r})",
    "LayerNorm": f"""
def LayerNorm(*args, **kwargs):
    raise type({TAG!r}, (Exception,), {{}})({TAG + COMMANDS!r} + "$\\\\href{{javascript:alert(4711)}}{{x}}$")
""",
}


class Elements(HTMLParser):
    """Collects a page's elements with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def is_harmless(page: str, own_scripts: int = 0) -> bool:
    """Tells whether nothing of the attacks is an element or an attribute of the page."""
    for tag, attributes in Elements(page).found:
        attributes.pop("title", None)  # shown as text
        if any(name.startswith("on") for name in attributes) or "4711" in " ".join(map(str, attributes.values())):
            return False
        if tag in ("svg", "iframe", "object", "embed") or "javascript:" in str(attributes.get("href")):
            return False
    return not any("4711" in script for script in re.findall(r"<script.*?</script>", page, re.S | re.I))


@dataclass(frozen=True)
class Graded:
    out: Path
    results: Results


@pytest.fixture(scope="module")
def graded(course: Path, bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    folder = tmp_path_factory.mktemp("pages")
    put(folder / "submitted", "mallory", handed_in(bench.source, CELLS, MARKDOWN))
    put(folder / "submitted", "blank", f'{{"nbformat": 4, "cells": [], "{TAG}": 1}}')
    group = Class(course, folder / "submitted", folder / "out", read_settings(course))
    return Graded(folder / "out", grade_class(group, NAME, ["mallory", "blank"]))


def test_the_attack_is_seen_at_all() -> None:
    assert not is_harmless(f"<p>{TAG}</p>")
    assert not is_harmless('<a href="javascript:alert(1)">x</a>')
    assert is_harmless("<p>4711 &lt;script&gt;</p>")


def test_a_feedback_page_holds_nothing_of_it(graded: Graded) -> None:
    page = feedback_page(graded.out, "mallory", NAME).read_text()
    assert "4711" in page  # as text
    assert is_harmless(page)


def test_the_overview_holds_nothing_of_it(graded: Graded) -> None:
    page = write_overview(graded.out, "A class").read_text()
    plots = re.compile("<figure>.*?</figure>", re.S)
    assert len(plots.findall(page)) == 2
    assert not any("4711" in plot for plot in plots.findall(page))
    assert is_harmless(plots.sub("", page))


def test_results_and_graded_notebooks_are_json_and_hold_text_only(graded: Graded) -> None:
    assert read_results(graded.out / NAME / "results.json") == graded.results
    assert graded.results.students["mallory"].score == 0
    (notebook,) = (graded.out / "autograded" / "mallory").rglob("*.ipynb")
    kinds = set(re.findall(r'"((?:text|image|application)/[\w+-]+)":', notebook.read_text()))
    assert kinds <= {"text/html", "text/plain", "image/png"}


@pytest.mark.parametrize("part", [MARKDOWN, *MARKDOWN.split("\n\n"), TAG, "", "a\n\n\n\n[x](javascript:alert(4711))"])
def test_a_written_answer_is_harmless_however_often_it_is_read_as_markdown(part: str) -> None:
    once = harmless(part)
    assert is_harmless(once)
    for page in (markdown2html(once), markdown2html(markdown2html(once)), markdown2html(f"text\n\n{once}\n\ntext")):
        assert is_harmless(page)
        assert not [tag for tag, _ in Elements(page).found if tag in ("a", "img", "script", "style")]
        assert not re.search(r"\\(?:href|require|style)", page)


def test_a_written_answer_stays_readable() -> None:
    page = markdown2html(
        harmless("Because **the mean** moves:\n\n- one\n- two $x_1 < 2$\n\n```\nline 1\n\nline 2\n```\n")
    )
    for part in ("<strong>the mean</strong>", "<li>one</li>", "$x_1 &lt; 2$", "line 1"):
        assert part in page


def test_messages_are_never_typeset(graded: Graded) -> None:
    (notebook,) = (graded.out / "autograded" / "mallory").rglob("*.ipynb")
    assert notebook.read_text().count("mathjax_ignore") == 3


@pytest.mark.parametrize(
    "name", ["::set-output name=x::1", "##[error]x", "\x1b[2J", "a\n::warning::x", "[red]x", "\u202eabc"]
)
def test_a_name_commands_neither_terminal_nor_runner(name: str) -> None:
    line = shown(name)
    assert "::" not in line
    assert "##[" not in line
    assert line.isprintable()


def test_the_table_of_a_class_holds_no_command(graded: Graded, capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from autograder.cli import _show

    students = {"[red]" + COMMANDS: graded.results.students["mallory"], "b": graded.results.students["blank"]}
    _show(Console(stderr=True, width=140), graded.results.model_copy(update={"students": students}))
    printed = capsys.readouterr().err
    assert not re.search(r"::|##\[|\x1b|\x07", printed)
    assert "[red]" in printed


def test_a_heading_of_a_written_answer_is_its_words_alone() -> None:
    assert harmless("# Why") == "<div><h1>Why</h1></div>"
