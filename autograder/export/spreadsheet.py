"""Tables that spreadsheets open: nothing in them is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r'(^|[;\t\r\n])("*)(?=[=+\-@＝＋－＠\t\r\n].)(?!-\d+(\.\d+)?\Z)', re.DOTALL)
"""Where a formula would begin: in a cell, or in what is a cell for a reader that separates by semicolons or tabs. A
number below 0 is none."""


def defused(text: str) -> str:
    """Returns a text as a cell that no spreadsheet computes: an apostrophe stands before what would be a formula.

    After https://owasp.org/www-community/attacks/CSV_Injection
    """
    return _FORMULA.sub(r"\1\2'", text)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns rows as CSV (RFC 4180), every cell of them defused."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([defused(cell) for cell in header])
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return file.getvalue()
