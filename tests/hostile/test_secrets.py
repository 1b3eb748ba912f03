"""There is nothing inside to find: no expected value, no source, no other submission, no variable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.hostile.attackers import Bench, digest

HUNTERS = {
    "history": """
def candidates(z):
    shell = get_ipython()
    yield from (value for value in shell.user_ns.values())
    yield from shell.user_ns["In"]
    yield from shell.user_ns["Out"].values()
""",
    "frames": """
import sys
def candidates(z):
    for frame in sys._current_frames().values():
        while frame is not None:
            yield from list(frame.f_locals.values())
            frame = frame.f_back
""",
    "the garbage collector": """
import gc
def candidates(z):
    for thing in gc.get_objects():
        if type(thing) in (list, tuple):
            yield from thing
        elif type(thing) is dict:
            yield from list(thing.values())
        else:
            yield thing
""",
    "a trace": """
import sys
seen = []
def spy(frame, event, value):
    seen.append(value); seen.extend(frame.f_locals.values())
    return spy
sys.settrace(spy); sys.setprofile(spy)
def candidates(z):
    sys.settrace(None); sys.setprofile(None)
    yield from list(seen)
""",
}


@pytest.mark.parametrize("hunter", HUNTERS.values(), ids=HUNTERS)
def test_no_expected_value_is_found_inside(bench: Bench, hunter: str) -> None:
    # of every array in reach that has the right shape and is no argument, the answer is the newest
    cheat = f"""{hunter}
def layer_norm(z, gamma, beta, epsilon=1e-6):
    given = {{id(z), id(gamma), id(beta)}}
    found = []
    for value in candidates(z):
        if type(value) is np.ndarray and value.shape == z.shape and id(value) not in given:
            if not np.array_equal(value, np.asarray(z)):
                found.append(value)
    return found[-1] if found else z * 0
"""
    assert bench.score(cheat) == 0


def test_files_environment_and_processes_of_the_outside_are_not_there(
    bench: Bench, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", "a-seed-that-is-secret")
    for name in ("gradebook.db", "solutions.ipynb", "ada.ipynb"):
        (tmp_path / name).write_text("a-text-that-is-secret")
    tmp_path.chmod(0o777)
    before = digest(course / "source"), digest(tmp_path)
    places = [
        str(place) for place in (course, course / "source", course / "autograder", tmp_path, tmp_path / "ada.ipynb")
    ]
    cheat = f"""
import glob, os
for place in {places!r}:
    for action in (os.listdir, lambda p: open(p).read(), lambda p: open(p + "/planted", "w"), os.remove, os.rmdir):
        try:
            print("REACHED", action(place))
        except OSError:
            pass
for name in ("exercises.layer_norm", "checking", "pipeline", "pipeline.grading", "sandbox.session", "notebook"):
    try:
        __import__("autograder." + name)
        print("REACHED", name)
    except ImportError:
        pass
for entry in glob.glob("/proc/[0-9]*"):
    for name in ("environ", "cmdline", "mem", "maps"):
        try:
            with open(entry + "/" + name, "rb") as file:
                text = file.read(10**6)
        except OSError:
            continue
        if b"secret" in text or b"pytest" in text:
            print("REACHED", entry, name)
print(sorted(os.environ), list(os.environ.values()))
if "{os.environ.get("USER", "nobody-at-all")}" in os.environ.values():
    print("REACHED the name of the user")
print("looked")
"""
    graded = bench.grade(cheat)
    text = graded.outputs["layer_norm"].text
    assert text.endswith("looked\n"), graded
    assert "REACHED" not in text
    assert "secret" not in text
    assert (digest(course / "source"), digest(tmp_path)) == before


def test_what_a_question_holds_is_no_secret(bench: Bench) -> None:
    # all that comes in while one answer is checked, shown by the next one
    spy = """
import autograder.sandbox.agent as agent
asked, right = [], agent.Agent.answer
def answer(self, question):
    asked.append(question)
    return right(self, question)
agent.Agent.answer = answer
"""
    tell = """
def flat(value):
    if isinstance(value, dict):
        return {key: flat(item) for key, item in value.items()}
    return [flat(item) for item in value] if isinstance(value, (list, tuple)) else str(type(value).__name__)
print({key for question in asked for key in question})
print(len(asked))
"""
    graded = bench.grade({"layer_norm": bench.solution("layer_norm") + spy, "layer_norm_gradients": tell})
    keys, count = graded.outputs["layer_norm_gradients"].text.splitlines()
    assert int(count) > 5
    assert set(eval(keys)) <= {"op", "symbol", "args", "kwargs", "tensors", "forbidden"}
