"""nbgrader's stages with our parts in them: rebuild, grade; what they write.

`nbgrader_config.py` names these classes, so that `autograder grade`, plain `nbgrader autograde` and the formgrader's
button run the same code and give the same marks.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode
from traitlets.config import Config

from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import Journal, key
from autograder.pipeline.nbgrader_stages import open_gradebooks_faster, read_timestamps_with_care
from autograder.pipeline.rebuild import RebuiltNotebook, rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Settings, find_course, read_db_url, read_settings
from autograder.pipeline.source import (
    SourceNotebook,
    grade_id,
    graded_symbol,
    is_solution,
    read_source,
)
from autograder.pipeline.submission import Submission, read_submission
from autograder.pipeline.work import do_all
from autograder.report.answers import harmless
from autograder.report.cell import html, text
from autograder.sandbox.session import Output

OUT, SUBMITTED = "AUTOGRADER_OUT", "AUTOGRADER_SUBMITTED"
"""Variables for an nbgrader that does not work on graded/ and submitted/ in the course."""
_PROBLEM = "autograder_problem"
_ANSWERED = "autograder_answered"


def rebuilt_from(source: SourceNotebook, student: str, path: Path, settings: Settings) -> RebuiltNotebook:
    """Reads a submitted notebook and lays its answers into the released one."""
    released = template(source)
    submission = read_submission(student, path, released, source.name, settings.limits)
    return rebuild(submission, released)


class RebuildingExporter(NotebookExporter):
    """Reads a submitted notebook and hands on its rebuilt form; a file that is no notebook gives a blank one."""

    course = Unicode(help="The course folder.").tag(config=True)

    def from_filename(self, filename: str, resources: Any = None, **kwargs: Any) -> Any:
        """Rebuilds what stands in a submitted file, then exports it through the stage's preprocessors."""
        path = Path(filename)
        where = resources["nbgrader"]
        course = Path(self.course) if self.course else find_course(path.resolve())
        settings = read_settings(course)
        stage: Any = self.parent
        if stage._sanitizing:
            source = read_source(course, where["assignment"])
            rebuilt = rebuilt_from(source, where["student"], path, settings)
            notebook = rebuilt.notebook
            notebook.metadata[_PROBLEM] = rebuilt.submission.problem
            notebook.metadata[_ANSWERED] = {
                "answered": sorted(rebuilt.submission.answers),
                "notes": dict(rebuilt.submission.notes),
            }
        else:
            notebook = nbformat.read(path, as_version=4)
        return self.from_notebook_node(notebook, resources=resources, **kwargs)


class GradeAnswers(NbGraderPreprocessor):
    """Runs the answers and the checks, and writes the outputs that nbgrader reads marks from."""

    course = Unicode(help="The course folder.").tag(config=True)
    journal = Unicode(help="The folder of results that are already there.").tag(config=True)
    data = Unicode("generated", help="generated or imdb").tag(config=True)
    profile = Unicode("cpu", help="cpu or gpu").tag(config=True)
    sandbox = Bool(True, help="False for one's own notebooks only").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Grades a rebuilt notebook."""
        course, where = Path(self.course), resources["nbgrader"]
        base = read_settings(course)
        settings = Settings(base.seed, self.data, self.profile, self.sandbox, base.limits)  # type: ignore[arg-type]
        given = nb.metadata.pop(_ANSWERED, {"answered": [], "notes": {}})
        problem = nb.metadata.pop(_PROBLEM, "")
        found = {
            str(grade_id(cell)): cell.source
            for cell in nb.cells
            if is_solution(cell) and grade_id(cell) in given["answered"]
        }
        submission = Submission(where["student"], where["assignment"], found, problem, dict(given["notes"]))
        rebuilt = RebuiltNotebook(submission, nb)
        result = Journal(Path(self.journal)).get(
            key(rebuilt, settings), lambda: do_all(rebuilt, settings, self.log.info)
        )
        write_outputs(nb, result)
        return nb, resources


class MakeAnswersHarmless(NbGraderPreprocessor):
    """Turns written answers into harmless HTML, before the formgrader or a feedback page shows them."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Replaces the Markdown of an answer."""
        if cell.cell_type == "markdown" and is_solution(cell):
            cell.source = harmless(cell.source)
        return cell, resources


class LeaveGradeCells(NbGraderPreprocessor):
    """Marks grade cells as not to be executed: their outputs are written from outside, here as in grading."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Tags a grade cell for nbclient."""
        if graded_symbol(cell) is not None:
            cell.metadata.setdefault("tags", []).append(_SKIP)
        return cell, resources


_SKIP = "skip-execution"


def write_outputs(notebook: NotebookNode, result: Graded) -> None:
    """Writes what the answers printed and, into the grade cells, the reports and the points."""
    for cell in notebook.cells:
        symbol, output = graded_symbol(cell), result.outputs.get(str(grade_id(cell)))
        if symbol is not None:
            cell.metadata.pop("tags", None)
            report = result.reports[symbol]
            cell.outputs = [
                new_output("display_data", {"text/html": html(report), "text/plain": text(report)}),
                new_output(
                    "execute_result",
                    {"text/plain": number_text(report.score)},
                    execution_count=None,
                ),
            ]
        elif output is not None:
            cell.outputs = _cell_outputs(output)


def number_text(score: float) -> str:
    """Returns points as nbgrader reads them: a plain float."""
    return repr(float(score))


def _cell_outputs(output: Output) -> list[NotebookNode]:
    """Returns a student's outputs as text and pictures only: no HTML, no script."""
    outputs: list[NotebookNode] = []
    if output.text:
        cut = "\n[cut here]" if output.cut else ""
        outputs.append(new_output("stream", name="stdout", text=output.text + cut))
    outputs += [new_output("display_data", {"image/png": picture}) for picture in output.pictures]
    if output.error is not None:
        kind, message = output.error
        outputs.append(new_output("error", ename=kind, evalue=message, traceback=[f"{kind}: {message}"]))
    return outputs


def gradebook_url(out: Path) -> str:
    """Returns the address of the gradebook in a folder of results."""
    return f"sqlite:///{out / 'gradebook.db'}"


def configure(
    config: Config,
    course: Path,
    *,
    out: Path | None = None,
    submitted: Path | None = None,
    settings: Settings | None = None,
    db_url: str = "",
) -> None:
    """Wires nbgrader's stages to the autograder; `nbgrader_config.py` calls this.

    Args:
        config: nbgrader's configuration, changed in place.
        course: the course folder.
        out: where the gradebook, graded notebooks and feedback go; by default the folder that the variable
            AUTOGRADER_OUT names, else `graded/` in the course.
        submitted: the folder of submissions; by default that of AUTOGRADER_SUBMITTED, else `submitted/` in the course.
        settings: what differs from course.toml.
        db_url: where the gradebook is; by default what course.toml says, else `gradebook.db` in `out`.
    """
    read_timestamps_with_care()
    open_gradebooks_faster()
    out = out or Path(os.environ.get(OUT) or course / "graded")
    submitted = submitted or Path(os.environ.get(SUBMITTED) or course / "submitted")
    settings = settings or read_settings(course)
    directories = config.CourseDirectory
    directories.root = str(course)
    directories.db_url = db_url or read_db_url(course) or gradebook_url(out)
    if not directories.db_url.startswith("sqlite:") and "course_id" not in directories:
        # nbgrader refers to a course without a name, which it never enters; SQLite alone takes no offence
        directories.course_id = "default_course"
    directories.submitted_directory = str(submitted)
    directories.autograded_directory = str(out / "autograded")
    directories.feedback_directory = str(out / "feedback")
    directories.solution_directory = "solutions"
    config.RebuildingExporter.course = str(course)
    config.Autograde.exporter_class = "autograder.pipeline.stages.RebuildingExporter"
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = [
        "autograder.pipeline.stages.GradeAnswers",
        "nbgrader.preprocessors.SaveAutoGrades",
        "nbgrader.preprocessors.AssignLatePenalties",
        "autograder.pipeline.stages.MakeAnswersHarmless",
    ]
    config.GenerateFeedback.exporter_class = "autograder.pipeline.feedback.PageExporter"
    config.GenerateFeedback.preprocessors = [
        "autograder.pipeline.feedback.KeepAnswersAndMarks",
        "autograder.pipeline.feedback.ReadMarks",
    ]
    config.GenerateSolution.preprocessors = [
        "nbgrader.preprocessors.LockCells",
        "nbgrader.preprocessors.ClearOutput",
        "autograder.pipeline.stages.LeaveGradeCells",
        "nbgrader.preprocessors.Execute",
    ]
    config.Execute.timeout = 600
    config.GradeAnswers.course = str(course)
    config.GradeAnswers.journal = str(out / "journal")
    config.GradeAnswers.data = settings.data
    config.GradeAnswers.profile = settings.profile
    config.GradeAnswers.sandbox = settings.sandbox
    # no file but the notebook comes along: student code runs in an empty folder
    directories.ignore = ["*"]
    config.ExchangeFactory.release_assignment = "autograder.pipeline.exchange.ReleaseAssignment"
    config.ExchangeFactory.collect = "autograder.pipeline.exchange.Collect"
    config.ExchangeFactory.release_feedback = "autograder.pipeline.exchange.ReleaseFeedback"
    config.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError()"}
