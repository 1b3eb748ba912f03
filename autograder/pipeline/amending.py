"""Change an assignment's questions though students have handed in: nbgrader refuses to add or remove cells then."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbgrader.api
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import SaveCells
from traitlets import Unicode

_tables: Any = nbgrader.api


class SaveChangedCells(SaveCells):
    """Saves an assignment's cells; where there are submissions, their marks and comments follow.

    A question that is gone takes its marks with it; they are written to a file first.
    """

    removed = Unicode(help="The CSV file that marks and comments of removed questions are added to.").tag(config=True)

    def _create_notebook(self, nb: NotebookNode) -> None:
        try:
            notebook: Any = self.gradebook.find_notebook(self.notebook_id, self.assignment_id)
        except MissingEntry:
            notebook = None
        if notebook is not None and notebook.submissions:
            self._remove(notebook)
            self._add(notebook)
            self.gradebook.db.commit()
        super()._create_notebook(nb)

    @property
    def _wanted(self) -> dict[Any, Mapping[str, dict[str, Any]]]:
        return {
            _tables.GradeCell: self.new_grade_cells,
            _tables.SolutionCell: self.new_solution_cells,
            _tables.TaskCell: self.new_task_cells,
        }

    def _remove(self, notebook: Any) -> None:
        database = self.gradebook.db
        gone = [cell for cell in notebook._base_cells if cell.name not in self._wanted[type(cell)]]
        self._keep_marks([cell.name for cell in gone], notebook)
        for cell in gone:
            for entered in [*(cell.grades or ()), *(cell.comments or ())]:
                database.delete(entered)
            database.flush()
            database.delete(cell)
        for cell in [cell for cell in notebook.source_cells if cell.name not in self.new_source_cells]:
            database.delete(cell)
        database.flush()
        database.refresh(notebook)

    def _keep_marks(self, gone: list[str], notebook: Any) -> None:
        rows: dict[tuple[str, str], list[object]] = {}
        for handed_in in notebook.submissions:
            student = handed_in.assignment.student.id
            for grade in handed_in.grades:
                if grade.name in gone:
                    rows[student, grade.name] = [grade.auto_score, grade.manual_score, grade.extra_credit, ""]
            for comment in handed_in.comments:
                if comment.name in gone and comment.manual_comment:
                    row = rows.setdefault((student, comment.name), ["", "", "", ""])
                    row[-1] = comment.manual_comment
        if not rows:
            return
        path = Path(self.removed)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [["student", "question", "auto_score", "manual_score", "extra_credit", "comment"]]
        lines += [["" if cell is None else str(cell) for cell in (*place, *row)] for place, row in sorted(rows.items())]
        with path.open("a+", encoding="utf-8", newline="") as file:
            file.seek(0)
            known = list(csv.reader(file))  # whoever was interrupted before the gradebook changed has written them
            csv.writer(file).writerows(line for line in lines if line not in known)

    def _add(self, notebook: Any) -> None:
        database = self.gradebook.db
        there = {(type(cell), cell.name): cell for cell in notebook._base_cells}
        for kind, wanted in self._wanted.items():
            for name, columns in wanted.items():
                if (kind, name) not in there:
                    there[kind, name] = kind(name=name, notebook=notebook, **columns)
                    database.add(there[kind, name])
        known = {cell.name for cell in notebook.source_cells}
        for name, columns in self.new_source_cells.items():
            if name not in known:
                database.add(_tables.SourceCell(name=name, notebook=notebook, **columns))
        database.flush()
        for handed_in in notebook.submissions:
            graded = {grade.cell_id for grade in handed_in.grades}
            commented = {comment.cell_id for comment in handed_in.comments}
            for (kind, _), cell in there.items():
                if kind is not _tables.SolutionCell and cell.id not in graded:
                    database.add(_tables.Grade(cell_id=cell.id, notebook=handed_in))
                if kind is not _tables.GradeCell and cell.id not in commented:
                    database.add(_tables.Comment(cell_id=cell.id, notebook=handed_in))
