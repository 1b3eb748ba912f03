"""Students' written answers as HTML that can do nothing: no script, no link, no picture, no style."""

from __future__ import annotations

import re

import bleach
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

TAGS = frozenset(
    {"p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "sub", "sup"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}
)
"""What Markdown needs for text. Formulas between dollar signs are text until the page typesets them."""

_FORMULA_LINKS = re.compile(
    r"\\(?=(?:href|url|require|style|class|cssId|data|includegraphics|unicode|def|let|newcommand)\b)"
)
"""The backslash of commands by which a formula could hold a link, or hide one."""


def harmless(markdown: str) -> str:
    """Returns a student's Markdown as HTML with an allow-list of tags and no attribute at all."""
    read = MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True)).render(markdown)
    clean = bleach.clean(read, tags=TAGS, attributes={}, strip=True)
    # The page reads this as Markdown once more, and what was the inside of a tag may be Markdown now. A block of HTML
    # ends with its line: in a single line nothing is read again.
    return f"<div>{_FORMULA_LINKS.sub('', clean).strip().replace(chr(10), '&#10;')}</div>"
