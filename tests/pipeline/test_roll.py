"""Only what is missing is graded, in parts too, and what arrives is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.exercises import assignment
from autograder.pipeline.grading import GradingError
from autograder.pipeline.journal import Journal
from autograder.pipeline.roll import Roll
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import read_source
from autograder.pipeline.standing import Audience, Standing
from tests.hostile.attackers import handed_in
from tests.pipeline.fake_work import FakeCluster

NAME = "01_sequence_cnn"
STUDENTS = ["ada", "grace", "zoe"]


@pytest.fixture
def called(course: Path, tmp_path: Path) -> Callable[..., Roll]:
    source = read_source(course, NAME)
    for student in STUDENTS:
        path = tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(handed_in(source, {})))

    def call(profile: str = "gpu", audience: Audience = Audience()) -> Roll:  # noqa: B008
        settings = Settings(profile=profile)  # type: ignore[arg-type]
        roll = Roll(source, tmp_path / "submitted", settings, Journal(tmp_path / "journal"), audience)
        roll.call(STUDENTS)
        return roll

    return call


def test_on_a_cpu_every_submission_is_one_task(called: Callable[..., Roll]):
    roll, cluster = called("cpu"), FakeCluster()
    roll.grade(cluster)  # type: ignore[arg-type]
    assert [student for student, _ in cluster.asked] == STUDENTS


def test_with_a_gpu_training_is_a_task_of_its_own(called: Callable[..., Roll]):
    roll, cluster = called(), FakeCluster()
    roll.grade(cluster)  # type: ignore[arg-type]
    assert len(cluster.asked) == 6
    assert cluster.asked[0] == ("ada", ("build_sequence_cnn",))
    assert list(roll.result("ada").reports) == [exercise.symbol for exercise in assignment(NAME).exercises]


def test_a_second_run_has_nothing_left(called: Callable[..., Roll]):
    called().grade(FakeCluster())  # type: ignore[arg-type]
    roll = called()
    assert roll.left == []
    assert roll.standing.kept == 3


# one part of the second submission is there; then both are, and nobody has put them together
@pytest.mark.parametrize("stop_after", range(7))
def test_a_stopped_run_goes_on_where_it_stopped(called: Callable[..., Roll], stop_after: int):
    first, second = FakeCluster(stop_after), FakeCluster()
    try:
        called().grade(first)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        assert stop_after < 6
    roll = called()
    roll.grade(second)  # type: ignore[arg-type]
    assert len(first.asked) + len(second.asked) == 6
    assert not set(first.asked) & set(second.asked)
    assert [roll.result(student).student for student in STUDENTS] == STUDENTS


def test_a_notebook_that_was_changed_meanwhile_is_not_graded_for_the_old_one(
    called: Callable[..., Roll], course: Path, tmp_path: Path
):
    roll, cluster = called("cpu"), FakeCluster()
    path = tmp_path / "submitted" / "grace" / NAME / f"{NAME}.ipynb"
    path.write_text(json.dumps(handed_in(read_source(course, NAME), {"conv1d": "something else"})))
    roll.grade(cluster)  # type: ignore[arg-type]
    assert [student for student, _ in cluster.asked] == ["ada", "zoe"]
    assert (roll.changed, roll.graded) == (["grace"], ["ada", "zoe"])
    assert called("cpu").left == ["grace"]


def test_who_cannot_be_read_is_done_at_once(called: Callable[..., Roll], tmp_path: Path):
    (tmp_path / "submitted" / "grace" / NAME / f"{NAME}.ipynb").write_text("no notebook")
    roll = called()
    assert roll.left == ["ada", "zoe"]
    assert roll.result("grace").status == "missing"
    assert roll.standing.failed == 1


def test_whose_workers_die_is_given_up_and_the_others_are_there(called: Callable[..., Roll]):
    roll = called()
    roll.grade(FakeCluster(deadly="grace"))  # type: ignore[arg-type]
    assert roll.given_up == ["grace"]
    assert roll.result("ada").student == "ada"
    with pytest.raises(GradingError, match="grace"):
        roll.result("grace")


def test_every_step_is_shown(called: Callable[..., Roll]):
    shown: list[Standing] = []
    called(audience=Audience(shown.append)).grade(FakeCluster())  # type: ignore[arg-type]
    assert [standing.done for standing in shown] == [0, 1, 2, 3]
