"""github-summary: Markdown for the summary of a GitHub job, to be appended to $GITHUB_STEP_SUMMARY.

https://docs.github.com/en/actions/using-workflows/workflow-commands-for-github-actions#adding-a-job-summary; it is
GitHub's Markdown, https://github.github.com/gfm/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from autograder.export.questions import questions, waiting
from autograder.pipeline.results import CheckOutcome, Results, StudentOutcome
from autograder.report.cell import number
from autograder.report.terminal import shown

_MOST = 1_000
"""Students of the table: GitHub drops a summary of more than a MB whole."""


def write(results: Results) -> str:
    """Returns a table of students by questions; of a single student also what was found."""
    return "\n".join([*_head(results), "", *_table(results), "", *_details(results)])


def plain(text: str) -> str:
    """Returns a text as Markdown that shows it, letter by letter, and has no markup."""
    return re.sub(r"[!-/:-@[-`{-~]", lambda mark: f"&#{ord(mark[0])};", shown(text))


def literal(text: str) -> str:
    """Returns a student's text so, and as code: GitHub looks for no link and no mention of a user in it."""
    return f"<code>{plain(text)}</code>"


def _head(results: Results) -> Iterator[str]:
    outcomes = results.students.values()
    yield f"### {results.assignment}"
    yield ""
    mean = sum(outcome.score for outcome in outcomes) / len(outcomes)
    most = max(outcome.max_score for outcome in outcomes)
    count = f"{len(outcomes)} submissions, " if len(outcomes) > 1 else ""
    yield f"{count}{number(mean)} of {number(most)} points{' on average' if count else ''}."
    if left := sum(len(waiting(outcome)) for outcome in outcomes):
        yield f"**{left} written answer{'s' if left > 1 else ''} to be marked by hand**; points leave them out."
    if not results.trusted:
        yield "**UNTRUSTED**: student code ran outside the sandbox, so these marks prove nothing."


def _table(results: Results) -> Iterator[str]:
    first = next(iter(results.students.values()))
    heads = [f"{plain(question.name)} of {number(question.max_score)}" for question in questions(first)]
    yield _row(["student", "points", *heads, "status"])
    yield _row([":--", *["--:"] * (len(heads) + 1), ":--"])
    for student, outcome in islice(results.students.items(), _MOST):
        marks = ["to mark" if one.score is None else number(one.score) for one in questions(outcome)]
        late = f", {number(outcome.penalty)} points lost for being late" if outcome.penalty else ""
        yield _row([literal(student), number(outcome.score), *marks, outcome.status + late])
    if len(results.students) > _MOST:
        yield ""
        yield f"The first {_MOST:,} of {len(results.students):,} students; `results.json` has all of them."


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _details(results: Results) -> Iterator[str]:
    if len(results.students) > 1:
        return
    (outcome,) = results.students.values()
    yield from _findings(outcome)


def _findings(outcome: StudentOutcome) -> Iterator[str]:
    if outcome.problem:
        yield literal(outcome.problem)
        yield ""
    for symbol, exercise in outcome.exercises.items():
        if exercise.score < exercise.max_score:
            yield f"#### {plain(symbol)}: {number(exercise.score)} of {number(exercise.max_score)}"
            yield ""
            if exercise.reason:
                yield f"- {exercise.status}: {literal(exercise.reason)}"
            if exercise.misconception:
                yield f"- Most likely **{plain(exercise.misconception)}**. {plain(exercise.hint)}"
            yield from (_line(check) for check in exercise.checks)
            yield ""


def _line(check: CheckOutcome) -> str:
    mark = "–" if check.skipped else "✓" if check.passed else "✗"
    return f"- {mark} {plain(check.name)}" + (f": {literal(check.message)}" if check.message else "")
