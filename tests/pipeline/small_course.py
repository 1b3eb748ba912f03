"""A class of four whose results are entered; grading itself takes no time."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from autograder.pipeline.classroom import Class, grade_class
from autograder.pipeline.results import Results
from autograder.pipeline.source import read_source
from autograder.pipeline.standing import Audience
from tests.hostile.attackers import handed_in, put
from tests.pipeline.handed_in import NAME

ESSAY = "why_layer_norm"
STUDENTS = ["ada", "grace", "zoe"]


@dataclass
class Course:
    """A small class; who was entered into the gradebook, and whose page was written, is written down."""

    group: Class
    marks: list[str] = field(default_factory=list[str])
    pages: list[str] = field(default_factory=list[str])

    def grade(self, audience: Audience = Audience()) -> Results:  # noqa: B008
        self.marks.clear()
        self.pages.clear()
        return grade_class(self.group, NAME, ["absent", *STUDENTS], audience)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.group.out / 'gradebook.db'}"

    def hand_in(self, student: str, **answers: str) -> None:
        put(self.group.submitted, student, handed_in(read_source(self.group.course, NAME), answers))

    def mark_by_hand(self, student: str, points: float, comment: str) -> None:
        with Gradebook(self.url) as gradebook:
            grade = gradebook.find_grade(ESSAY, NAME, NAME, student)
            grade.manual_score, grade.needs_manual_grade = points, False
            gradebook.find_comment(ESSAY, NAME, NAME, student).manual_comment = comment
            gradebook.db.commit()


def course_of_one(course: Path, folder: Path) -> Path:
    """Makes a course folder that has this one assignment."""
    shutil.copytree(course / "source" / NAME, folder / "source" / NAME)
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copy(course / file, folder)
    return folder


def rename_question(course: Path, old: str, new: str, points: int) -> None:
    """Renames a question of the course's notebook, which takes one away and adds one."""
    path = course / "source" / NAME / f"{NAME}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("grade_id") == old:
            about.update(grade_id=new, points=points)
    nbformat.write(notebook, path)
