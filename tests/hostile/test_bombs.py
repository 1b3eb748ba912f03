"""Bombs: processes, threads, memory, disk, outputs, depth, sizes. They go off where they were made."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from autograder.pipeline.settings import Limits
from autograder.pipeline.submission import Unreadable, read_notebook
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.limits import GIB, MIB, KernelLimits
from tests.hostile.attackers import WRONG, Bench, put
from tests.sandbox.conftest import processes_with, until

NEXT = "layer_norm_gradients"


@pytest.fixture(scope="module")
def small(bench: Bench) -> Iterator[Bench]:
    """Kernels with room for little."""
    limits = KernelLimits(memory=GIB, processes=120, folder_bytes=32 * MIB, file_bytes=16 * MIB, folder_files=500)
    with contextlib.closing(WarmInterpreter(limits=limits)) as interpreter:
        yield Bench(bench.source, interpreter)


BOMBS = {
    "forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "forks that end": "import os\nwhile True:\n    if os.fork() == 0: os._exit(0)",
    "shells": "import subprocess\nwhile True: subprocess.Popen(['sleep', MARKER])",
    "threads": "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
    "memory": "import time\nheld = []\nwhile True: held.append(bytearray(b'x' * 2**24)); time.sleep(.005)",
    "memory of children": """
import os, time
for _ in range(6):
    if os.fork() == 0:
        held = bytearray(b'x' * 2**28)
        time.sleep(60)
time.sleep(60)""",
    "one huge array": "np.ones(2**37)",
    "disk": "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'wb').write(b'x' * 2**23)",
    "files": "n = 0\nwhile True:\n    n += 1\n    open(f'f{n}', 'w')",
    "shared memory": "n = 0\nwhile True:\n    n += 1\n    open(f'/dev/shm/f{n}', 'wb').write(b'x' * 2**23)",
    "depth": "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()",
    "a huge number": "10 ** 10 ** 9",
    "a regular expression": "import re\nre.match(r'(a+)+$', 'a' * 50 + 'b')",
}


SLOW = ("forks that end", "a huge number", "a regular expression", "memory of children", "files")


@pytest.mark.parametrize(
    "bomb", [pytest.param(bomb, id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name, bomb in BOMBS.items()]
)
def test_a_bomb_hurts_its_own_exercise_only(small: Bench, bomb: str) -> None:
    marker = f"86421.{os.getpid()}"
    answered = {"layer_norm": f"{WRONG}\n{bomb.replace('MARKER', repr(marker))}\n", NEXT: small.solution(NEXT)}
    started = time.monotonic()
    reports = small.grade(answered, cell_seconds=4, deadline=20).reports
    assert time.monotonic() - started < 60
    assert reports["layer_norm"].score == 0
    assert until(lambda: not processes_with(marker))
    assert reports[NEXT].score == reports[NEXT].max_score
    report = small.grade(small.solution("layer_norm"), deadline=20).reports["layer_norm"]
    assert report.score == report.max_score


FLOODS = {
    "lines": "while True: print('x' * 1000)",
    "a gigabyte at once": "print('x' * 10**9)",
    "a gigabyte in parts": "for _ in range(100): print('x' * 10**7)",
    "errors": "import sys\nwhile True: print('x' * 10**5, file=sys.stderr)",
    "pictures": """
from IPython.display import display
while True: display({"image/png": "A" * 10**6, "text/html": "<b>" * 10**5}, raw=True)""",
    "of a thread, without a word on the channel": """
import threading
def flood():
    socket, session = get_ipython().kernel.iopub_socket, get_ipython().kernel.session
    while True: session.send(socket, "stream", {"name": "stdout", "text": "x" * 10**5})
for _ in range(4): threading.Thread(target=flood, daemon=True).start()
while True: pass""",
    "of descriptors": "import os\nwhile True: os.write(1, b'x' * 10**6)",
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_of_output_is_cut_and_ends_in_time(small: Bench, flood: str) -> None:
    before = psutil.Process().memory_info().rss
    started = time.monotonic()
    graded = small.grade({"layer_norm": f"{WRONG}\n{flood}", NEXT: small.solution(NEXT)}, cell_seconds=4, deadline=20)
    assert time.monotonic() - started < 40
    assert psutil.Process().memory_info().rss - before < 300 * MIB
    assert graded.reports["layer_norm"].score == 0
    assert graded.reports[NEXT].score == graded.reports[NEXT].max_score
    assert all(len(output.text) <= output.limit for output in graded.outputs.values())


def test_a_flood_while_a_question_is_answered_ends_in_time(small: Bench) -> None:
    cheat = "def layer_norm(*args, **kwargs):\n    while True: print('x' * 1000)\n"
    graded = small.grade({"layer_norm": cheat, NEXT: small.solution(NEXT)}, deadline=4)
    assert graded.reports["layer_norm"].status == "timeout"
    assert graded.reports[NEXT].score == graded.reports[NEXT].max_score


@pytest.mark.slow
def test_a_result_of_a_gigabyte_is_a_failed_check(bench: Bench) -> None:
    assert bench.score("def layer_norm(*a, **k):\n    return np.zeros(2**27)\n", deadline=10) == 0


@pytest.mark.parametrize(
    "content",
    [
        "[" * 10**6,
        '{"a":' * 10**5,
        '{"nbformat": 4, "cells": ' + "[" * 10**5,
        '{"nbformat": 4, "cells": [1e999, NaN]}',
        '{"nbformat": ' + "9" * 10**5 + ', "cells": []}',
        '{"nbformat": "' + "9" * 10**6 + '", "cells": []}',
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": [["x"] * 9] * 9, "metadata": 7}] * 10**4}),
        " " * (20 * 10**6 + 1),
    ],
    ids=["brackets", "objects", "cells", "numbers", "digits", "format", "cells of cells", "too large"],
)
def test_a_huge_or_deep_notebook_is_told_not_raised(tmp_path: Path, content: str) -> None:
    path = put(tmp_path, "mallory", content)
    try:
        read_notebook(path, Limits())
    except Unreadable as error:
        assert len(str(error)) < 500


@pytest.mark.slow
def test_an_answer_of_odd_size_or_depth_is_graded(bench: Bench) -> None:
    for source in ("x = 1" + " + 1" * 20_000, "(" * 5_000, "-" * 90_000 + "1", "x" * 100_001, "a" + ".b" * 30_000):
        assert bench.score(source) == 0
