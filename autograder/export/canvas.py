"""canvas: a file that Canvas takes at Gradebook, Import.

https://community.canvaslms.com/t5/Instructor-Guide/How-do-I-import-grades-in-the-Gradebook/ta-p/807 describes the
columns; what is done with them is said by https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb:
students are found by their login, an assignment by its title, and an empty cell is no score.
"""

from __future__ import annotations

from autograder.export.questions import final_score, points
from autograder.export.spreadsheet import table
from autograder.pipeline.results import Results

_STUDENT = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_POINTS = "Points Possible"
"""Canvas takes the line that has this in its first cell for the points of the assignments."""


def write(results: Results) -> str:
    """Returns the gradebook of a class; who has answers that are not marked yet has no score yet."""
    most = max(outcome.max_score for outcome in results.students.values())
    rows = [(f"    {_POINTS}", "", "", "", "", points(most))]
    for student, outcome in results.students.items():
        name = "" if _POINTS in student else student
        rows.append((name, "", "", student, "", points(final_score(outcome))))
    return table((*_STUDENT, results.assignment), rows)
