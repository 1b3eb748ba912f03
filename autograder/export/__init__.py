"""The marks of a class in the forms that other programs take: one file for each form, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.export import by_question, canvas, github_classroom, github_summary, gradescope, junit, moodle
from autograder.pipeline.results import Results
from autograder.pipeline.settings import UsageError


@dataclass(frozen=True)
class Format:
    """A form of results.

    Attributes:
        write: returns results as the text of a file.
        of_one: whether a file is about one student.
    """

    write: Callable[[Results], str]
    of_one: bool = False


FORMATS: Mapping[str, Format] = {
    "csv": Format(by_question.write),
    "canvas": Format(canvas.write),
    "moodle": Format(moodle.write),
    "gradescope": Format(gradescope.write, of_one=True),
    "github-classroom": Format(github_classroom.write, of_one=True),
    "junit": Format(junit.write),
    "github-summary": Format(github_summary.write),
}


def only(results: Results, student: str) -> Results:
    """Returns the results of one student.

    Raises:
        UsageError: there is no such student.
    """
    if student not in results.students:
        known = ", ".join(list(results.students)[:10]) + (", …" if len(results.students) > 10 else "")
        raise UsageError(f"{results.assignment} has no results of {student!r}; there are {known}.")
    return results.model_copy(update={"students": {student: results.students[student]}})


def files_of_each(results: Results, form: Format, folder: Path) -> dict[Path, str]:
    """Returns a file for each student, `FOLDER/STUDENT/results.json`, and what belongs into it."""
    return {folder / student / "results.json": form.write(only(results, student)) for student in results.students}
