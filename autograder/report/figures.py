"""Plots of a class as SVG that stands in a page: in the page's colours, with a description for who does not see it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autograder.report.cell import number
from autograder.report.items import Item

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

_SVG = "http://www.w3.org/2000/svg"
_INK, _BAR, _LINE = "#000001", "#000002", "#000003"
_COLOURS = {_INK: "var(--ink)", _BAR: "var(--bar)", _LINE: "var(--line)"}
"""What a plot is drawn in, and what the page puts in its place: light or dark is not known here."""

_STYLE: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "font.size": 9.5,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "text.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}
_WIDTH = 4.6  # inches of 72 units: as wide as a telephone, so that text keeps its size there
_MOST_BARS = 16


@dataclass(frozen=True)
class Distribution:
    """How many students have how many points.

    Attributes:
        edges: of the bars, in points; one more than there are bars.
        counts: students in each bar; who has a bar's upper edge belongs to the next one, except in the last.
    """

    edges: Sequence[float]
    counts: Sequence[int]

    @property
    def description(self) -> str:
        """The numbers of the plot."""
        bars = zip(self.edges, self.edges[1:], self.counts, strict=False)
        said = (f"{number(low)} to {number(high)} points: {count}" for low, high, count in bars)
        return f"Students by points. {'; '.join(said)}."


def distribution(scores: Sequence[float], max_score: float) -> Distribution:
    """Returns scores in bars of 1, 2, 5, 10, … points, such that there are no more bars than can be read."""
    top = max([max_score, *scores])
    width = next(
        width for step in (1, 10, 100, 1000) for width in (step, 2 * step, 5 * step) if top <= width * _MOST_BARS
    )
    edges = np.arange(0, top + width, width, dtype=np.float64)
    edges = edges[: int(np.ceil(top / width)) + 1] if top else np.array([0.0, 1.0])
    counts, _ = np.histogram(scores, edges)
    return Distribution(edges.tolist(), counts.tolist())


def marks(shown: Distribution) -> Markup:
    """Returns a histogram."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 2.5), layout="constrained")
        axes: Axes = figure.add_subplot()
        widths = np.diff(shown.edges)
        bars = axes.bar(
            np.asarray(shown.edges[:-1]) + 0.04 * widths,
            shown.counts,
            0.92 * widths,
            align="edge",
            color=_BAR,
            clip_on=False,
        )
        axes.bar_label(bars, [str(count) if count else "" for count in shown.counts], padding=1.5)
        axes.set_xlim(shown.edges[0], shown.edges[-1])
        axes.set_xticks(shown.edges[:: 1 + len(shown.edges) // 10])
        axes.set_yticks([])
        axes.set_xlabel("points")
        axes.set_ylabel("students")
        return _svg(figure, shown.description)


def difficulty_and_discrimination(items: Sequence[Item]) -> Markup:
    """Returns both numbers of each exercise as bars side by side."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, 0.75 + 0.27 * len(items)), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 0.12})
        places = np.arange(len(items))
        left.barh(places, [item.difficulty for item in items], 0.62, color=_BAR, clip_on=False)
        left.set_xlim(0, 1)
        left.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        left.set_xlabel("difficulty")
        left.set_yticks(places, [item.symbol for item in items])
        left.invert_yaxis()
        right.barh(places, [item.discrimination or 0 for item in items], 0.62, color=_BAR, clip_on=False)
        right.set_xlim(-1, 1)
        right.set_xticks([-1, 0, 1])
        right.axvline(0, color=_LINE, linewidth=0.8, clip_on=False)
        right.axvline(0.2, color=_INK, linewidth=0.8, linestyle=(0, (3, 2)), clip_on=False)
        right.set_xlabel("discrimination")
        return _svg(figure, _of_items(items))


def _of_items(items: Sequence[Item]) -> str:
    said = (
        f"{item.symbol} {item.difficulty:.2f} and "
        + ("none" if item.discrimination is None else f"{item.discrimination:.2f}")
        for item in items
    )
    return f"Difficulty and discrimination of each exercise. {'; '.join(said)}."


def _svg(figure: Figure, description: str) -> Markup:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(buffer.getvalue())
    for tag in ("metadata", "defs"):
        for child in root.findall(f"{{{_SVG}}}{tag}"):
            root.remove(child)
    for element in root.iter():
        element.attrib.pop("id", None)  # a page holds several plots, and ids only once
        if style := element.get("style"):
            element.set("style", _in_page_colours(style))
    root.set("role", "img")
    root.set("aria-label", description)
    ElementTree.register_namespace("", _SVG)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _in_page_colours(style: str) -> str:
    for colour, name in _COLOURS.items():
        style = style.replace(colour, name)
    kept = (part for part in style.split("; ") if not part.startswith("font-family"))
    return "; ".join(kept)
