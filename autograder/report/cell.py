"""An exercise's report as the HTML and text of a notebook cell."""

from __future__ import annotations

import re
from html import escape

from autograder.checking.report import CheckResult, Report

_STATUS = {
    "timeout": "out of time",
    "crashed": "crashed",
    "out-of-memory": "out of memory",
    "forbidden": "ready-made form used",
    "missing": "missing",
}
_GOOD, _BAD, _SKIPPED = "var(--good, #1a6e3c)", "var(--bad, #a3291f)", "var(--soft, #666666)"
"""The page's colours where it has some, else those for white paper."""


def number(value: float) -> str:
    """Returns a mark without needless zeros: 2, 1.5, 0.25."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def html(report: Report) -> str:
    """Returns the report as a fragment of HTML that needs no script and no style sheet."""
    full = report.score == report.max_score
    colour = _GOOD if full else _BAD
    lines = [
        # a message may hold what looks like a formula, and formulas may hold links: they stay text
        '<div class="tex2jax_ignore mathjax_ignore" '
        f'style="border-left: 4px solid {colour}; padding: 4px 12px; margin: 4px 0;">',
        f'<p style="margin: 4px 0;"><strong><code>{escape(report.symbol)}</code>: '
        f"{number(report.score)} of {number(report.max_score)} points</strong>"
        + (f" ({_STATUS[report.status]})" if report.status != "graded" else "")
        + "</p>",
    ]
    if report.reason:
        lines.append(f'<p style="margin: 4px 0;">{escape(report.reason)}</p>')
    if report.hint:
        name = escape((report.misconception or "").replace("-", " "))
        lines.append(
            '<p style="margin: 8px 0; padding: 6px 10px; border: 1px solid #888888;">'
            f"<strong>Most likely: {name}.</strong> {_prose(report.hint)}</p>"
        )
    if report.checks:
        lines.append('<ul style="margin: 4px 0; padding-left: 1.2em; list-style: none;">')
        lines += [_line(check, index) for index, check in enumerate(report.checks)]
        lines.append("</ul>")
    lines.append("</div>")
    return "\n".join(lines)


def _prose(text: str) -> str:
    """Returns our own text as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _line(check: CheckResult, index: int) -> str:
    if check.skipped:
        mark, said, colour, points = "–", "skipped", _SKIPPED, "not graded in this run"
    elif check.passed:
        mark, said, colour, points = "✓", "passed", _GOOD, _worth(check)
    else:
        mark, said, colour, points = "✗", "failed", _BAD, _worth(check)
    text = (
        '<li style="margin: 3px 0;">'
        f'<span role="img" aria-label="{said}" style="color: {colour}; font-weight: bold;">{mark}</span> '
        f"{escape(check.name)} <em>{points}</em>"
    )
    if check.message:
        text += f"<br/>{escape(check.message)}"
    if check.hint and not check.passed:
        text += f"<br/><small>What it looks at: {_prose(check.hint)}</small>"
    return text + "</li>"


def _worth(check: CheckResult) -> str:
    if check.points:
        return f"({number(check.earned)} of {number(check.points)})"
    if check.passed:
        return "(required)"
    return f"(costs {number(-check.earned)})" if check.earned else "(costs nothing more)"


def text(report: Report) -> str:
    """Returns the report as plain text."""
    status = f" ({_STATUS[report.status]})" if report.status != "graded" else ""
    lines = [f"{report.symbol}: {number(report.score)} of {number(report.max_score)} points{status}"]
    if report.reason:
        lines.append(report.reason)
    if report.hint:
        lines.append(f"Most likely {report.misconception}: {report.hint}")
    for check in report.checks:
        mark = "-" if check.skipped else "ok" if check.passed else "no"
        lines.append(f"[{mark}] {check.name}" + (f": {check.message}" if check.message else ""))
    return "\n".join(lines)
