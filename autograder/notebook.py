"""`grade("symbol")` in a cell of an instructor's own notebook: the checks, run in this very kernel."""

from __future__ import annotations

from autograder.checking import Probe, judge
from autograder.exercises import find
from autograder.report.cell import html, text
from autograder.sandbox.local import ask_here


class _Shown:
    """A report as IPython shows it."""

    def __init__(self, rich: str, plain: str) -> None:
        self._rich = rich
        self._plain = plain

    def _repr_html_(self) -> str:
        return self._rich

    def __repr__(self) -> str:
        return self._plain


def grade(symbol: str) -> float:
    """Checks a symbol of the notebook this is called in, shows the report and returns the points.

    While a model trains, a line in the report's place tells how it gets on.

    Args:
        symbol: the graded symbol, e.g. "softmax".

    Returns:
        The points earned.

    Raises:
        RuntimeError: it is not called in a notebook.
        KeyError: no assignment asks for that symbol.
    """
    from IPython.core.getipython import get_ipython
    from IPython.display import DisplayHandle, Pretty

    from autograder.pipeline.corpora import available, load
    from autograder.pipeline.settings import Settings

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("grade() works in a notebook; from a terminal use `autograder grade`")
    output = DisplayHandle()
    output.display(Pretty(""))
    report = judge(
        find(symbol),
        Probe(ask_here(shell.user_ns)),
        seed="notebook",
        student="instructor",
        data=load(Settings()),
        corpora=available("generated"),
        tell=lambda line: output.update(Pretty(line)),
    )
    output.update(_Shown(html(report), text(report)))
    return report.score
