"""Work arrives at a worker as it was sent."""

from dataclasses import replace
from pathlib import Path

import pytest

from autograder.exercises import assignment
from autograder.pipeline.grading import Graded
from autograder.pipeline.journal import from_json, key, to_json
from autograder.pipeline.parts import parts_of
from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Limits, Settings, UsageError
from autograder.pipeline.source import read_source
from autograder.pipeline.submission import Submission, answers
from autograder.pipeline.work import Work, do, do_all, pack, unpack
from tests.hostile.attackers import handed_in
from tests.pipeline.handed_in import NAME

SETTINGS = Settings("a seed", "imdb", "gpu", False, Limits(cell_seconds=2.5))


def _work(course: Path) -> Work:
    source = read_source(course, NAME)
    handed = handed_in(source, {"layer_norm": "print('ünïcødé \\x00 \\u2028')"})
    submission = answers("ada", handed, template(source), NAME, SETTINGS.limits)
    (part,) = parts_of(assignment(NAME), SETTINGS)
    return Work(rebuild(submission, template(source)), SETTINGS, part)


def test_what_was_packed_is_what_is_unpacked(course: Path):
    work = _work(course)
    assert unpack(pack(work)) == work


def test_the_result_is_known_by_the_same_hash_on_both_sides(course: Path):
    work = _work(course)
    assert key(unpack(pack(work)).rebuilt, SETTINGS) == key(work.rebuilt, SETTINGS)


def test_packed_work_is_text_and_no_program(course: Path):
    assert pack(_work(course)).decode().startswith('{"submission":')


def test_reviews_are_looked_for_where_something_is_learned_from_them_and_nowhere_else(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SEQUENCE_DATA_IMDB", str(tmp_path / "missing.npz"))
    assert do(_work(course), print).reports["LayerNorm"].score == 4
    source = read_source(course, "01_sequence_cnn")
    submission = Submission("ada", source.name, dict(source.solutions), "", {})
    training, others = parts_of(assignment(source.name), SETTINGS)
    with pytest.raises(UsageError, match=r"missing\.npz does not exist"):
        do(Work(rebuild(submission, template(source)), SETTINGS, training), print)
    few = replace(others, symbols=("receptive_field",))
    assert do(Work(rebuild(submission, template(source)), SETTINGS, few), print).reports["receptive_field"].score == 3


def test_what_cannot_be_read_needs_no_kernel(course: Path):
    source = read_source(course, NAME)
    submission = answers("ada", template(source), template(source), "other", SETTINGS.limits)
    empty = rebuild(type(submission)("ada", NAME, problem="It was not handed in."), template(source))
    result: Graded = do_all(empty, SETTINGS)
    assert (result.status, result.problem) == ("missing", "It was not handed in.")
    assert from_json(to_json(result)) == result
