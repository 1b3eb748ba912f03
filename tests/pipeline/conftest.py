"""What the tests of the pipeline share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from autograder.pipeline import entering
from autograder.pipeline.classroom import Class
from autograder.pipeline.settings import read_settings
from autograder.pipeline.workers import Workers
from tests.hostile.test_class import course_copy
from tests.pipeline.fake_work import FakeCluster
from tests.pipeline.small_course import STUDENTS, Course


@pytest.fixture
def small(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(Workers, "wanted", lambda self, tasks, audience: FakeCluster())
    own = course_copy(course, tmp_path)
    made = Course(Class(own, tmp_path / "submitted", tmp_path / "graded", read_settings(own)))
    for student in STUDENTS:
        made.hand_in(student)
    (tmp_path / "submitted" / "absent").mkdir()

    def spied(name: str, seen: list[str]) -> None:
        stage: Callable[[object, str, Sequence[str]], None] = getattr(entering, name)

        def spy(config: object, assignment: str, students: Sequence[str]) -> None:
            seen.extend(students)
            stage(config, assignment, students)

        monkeypatch.setattr(entering, name, spy)

    spied("autograde", made.marks)
    spied("generate_feedback", made.pages)
    made.grade()
    return made
