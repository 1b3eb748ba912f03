"""The same class graded by stock nbgrader and by this project, in turn: A B A B.

Both run `nbgrader autograde` on the same submissions. Stock nbgrader executes the source notebook's tests in the
student's own kernel, a plain python3 one; ours is the same command with this course's nbgrader_config.py. "Stock,
cells that count" leaves out figures and visible checks, which ours doesn't execute either.

    .venv/bin/python -m benchmarks --assignment 02_positional_encoding --students 20 --rounds 2
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from autograder.checking import Probe, judge
from autograder.exercises import assignment
from autograder.pipeline.release import template
from autograder.pipeline.source import grade_id, graded_symbol, is_setup, is_solution, read_source
from autograder.sandbox.kernels import ONE_THREAD, QUIET
from benchmarks.machine import Cost, measure, memory

COURSE = Path(__file__).resolve().parent.parent
STOCK = """
c = get_config()
c.Execute.timeout = 300
c.Execute.interrupt_on_timeout = True
"""


def main() -> None:
    """Measures, prints a table and writes it to docs/."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--assignment", default="02_positional_encoding")
    arguments.add_argument("--students", type=int, default=20)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--out", type=Path, default=COURSE / "docs" / "benchmarks")
    options = arguments.parse_args()
    name, students = options.assignment, options.students
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    ways: dict[str, Callable[[Path], None]] = {
        "stock nbgrader": lambda folder: _stock(folder, name, students, everything=True),
        "stock, cells that count": lambda folder: _stock(folder, name, students, everything=False),
        "this project": lambda folder: _ours(folder, name, students),
    }
    costs: dict[str, list[Cost]] = {way: [] for way in ways}
    for turn in range(options.rounds):
        for way, prepare in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                prepare(Path(folder))
                command = [sys.executable, "-m", "nbgrader", "autograde", name]
                cost = measure(command, Path(folder), os.environ)
            costs[way].append(cost)
            print(f"round {turn + 1}, {way}: {cost.wall / students:.2f} s a submission", flush=True)
    result = {
        "assignment": name,
        "students": students,
        "rounds": options.rounds,
        "cores": os.cpu_count(),
        "ways": {way: _summary(found, students) for way, found in costs.items()},
        "floor": _floor(name),
        "kernel": _kernel(),
    }
    text = _table(result)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"grading_{name}.json").write_text(json.dumps(result, indent=1) + "\n")
    (options.out / f"grading_{name}.md").write_text(f"{text}\n![The table as bars](grading_{name}.svg)\n")
    draw(result, options.out / f"grading_{name}.svg")


def _summary(costs: list[Cost], students: int) -> dict[str, float]:
    return {
        "wall_seconds": statistics.median(cost.wall for cost in costs) / students,
        "cpu_seconds": statistics.median(cost.cpu for cost in costs) / students,
        "proportional_mb": statistics.median(cost.proportional for cost in costs) / 2**20,
        "resident_mb": statistics.median(cost.resident for cost in costs) / 2**20,
    }


def _submit(folder: Path, name: str, students: int) -> None:
    """Writes solved submissions."""
    source = read_source(COURSE, name)
    notebook = template(source)
    for cell in notebook.cells:
        if is_solution(cell) and cell.cell_type == "code":
            cell.source = source.solutions[str(grade_id(cell))]
    for number in range(students):
        path = folder / "submitted" / f"student{number:03}" / name / f"{name}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(notebook))


def _stock(folder: Path, name: str, students: int, *, everything: bool) -> None:
    notebook = read_source(COURSE, name).notebook
    if not everything:
        notebook.cells = [
            cell
            for cell in notebook.cells
            if cell.cell_type == "markdown" or is_setup(cell) or is_solution(cell) or graded_symbol(cell)
        ]
    path = folder / "source" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook))
    (folder / "nbgrader_config.py").write_text(STOCK)
    _generate(folder, name)
    _submit(folder, name, students)
    if not everything:
        # a submission holds the cells of its release
        for submitted in folder.glob("submitted/*/*/*.ipynb"):
            kept = nbformat.read(submitted, as_version=4)
            ids = {cell.id for cell in notebook.cells}
            kept.cells = [cell for cell in kept.cells if cell.id in ids]
            nbformat.write(kept, submitted)


def _ours(folder: Path, name: str, students: int) -> None:
    shutil.copytree(COURSE / "source", folder / "source")
    for file in ("course.toml", "nbgrader_config.py"):
        shutil.copy(COURSE / file, folder)
    _generate(folder, name)
    _submit(folder, name, students)


def _generate(folder: Path, name: str) -> None:
    measure([sys.executable, "-m", "nbgrader", "generate_assignment", name], folder, os.environ)


def _floor(name: str, count: int = 7) -> dict[str, float]:
    """Returns the cost of the student's own work: answers and checks in a bare fork, nothing around them."""
    source, wanted = read_source(COURSE, name), assignment(name)
    setup, solutions = source.setup, source.solutions
    os.environ |= QUIET | ONE_THREAD  # as in a kernel
    import keras  # noqa: F401
    import matplotlib.pyplot  # noqa: F401

    from autograder.sandbox.local import ask_here

    walls: list[float] = []
    cpus: list[float] = []
    for number in range(count):
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            try:
                namespace: dict[str, Any] = {"__name__": "__main__"}
                exec(setup, namespace)
                for solution in solutions.values():
                    exec(solution, namespace)
                for exercise in wanted.exercises:
                    report = judge(exercise, Probe(ask_here(namespace)), seed="floor", student=str(number))
                    if report.score != report.max_score:
                        os._exit(1)
            except BaseException:
                os._exit(2)
            os._exit(0)
        _, status, usage = os.wait4(pid, 0)
        if status:
            raise RuntimeError(f"the solved {name} did not get full marks in a bare fork")
        walls.append(time.monotonic() - started)
        cpus.append(usage.ru_utime + usage.ru_stime)
    return {"wall_seconds": statistics.median(walls), "cpu_seconds": statistics.median(cpus)}


def _kernel(count: int = 10) -> dict[str, float]:
    """Returns the time from a request to a kernel that answers, and what a further kernel adds to memory."""
    from autograder.sandbox.kernels import shared_interpreter
    from autograder.sandbox.session import Session
    from benchmarks.machine import family

    interpreter = shared_interpreter()
    with Session(interpreter) as first:
        first.run("1", 60)
    seconds: list[float] = []
    sessions: list[Session] = []
    sizes: list[int] = []
    for _ in range(count):
        started = time.monotonic()
        sessions.append(Session(interpreter))
        seconds.append(time.monotonic() - started)
        sessions[-1].run("import keras, numpy as np; keras.ops.sum(np.ones((3, 3)))", 60)
        sizes.append(sum(memory(pid)[0] for pid in family(os.getpid()) - {os.getpid()}))
    for session in sessions:
        session.close()
    return {
        "fork_to_answer_seconds": statistics.median(seconds),
        "further_kernel_mb": (sizes[-1] - sizes[0]) / (count - 1) / 2**20,
    }


def _table(result: dict[str, Any]) -> str:
    ways = result["ways"]
    ours = ways["this project"]
    lines = [
        f"`{result['assignment']}`, {result['students']} solved submissions, medians of {result['rounds']} rounds in "
        f"turn, {result['cores']} cores, one worker. Per submission:",
        "",
        "| | wall s | CPU s | peak memory, shared pages once (MB) | wall / ours | CPU / ours |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for way, cost in ways.items():
        lines.append(
            f"| {way} | {cost['wall_seconds']:.2f} | {cost['cpu_seconds']:.2f} | {cost['proportional_mb']:.0f} | "
            f"{cost['wall_seconds'] / ours['wall_seconds']:.1f} | {cost['cpu_seconds'] / ours['cpu_seconds']:.1f} |"
        )
    floor, kernel = result["floor"], result["kernel"]
    lines += [
        f"| the student's own work, in a bare fork | {floor['wall_seconds']:.2f} | {floor['cpu_seconds']:.2f} | | "
        f"{floor['wall_seconds'] / ours['wall_seconds']:.1f} | {floor['cpu_seconds'] / ours['cpu_seconds']:.1f} |",
        "",
        f"From the request to a kernel that answers: {kernel['fork_to_answer_seconds']:.2f} s (median of 10). "
        f"A further kernel adds {kernel['further_kernel_mb']:.0f} MB of proportional memory.",
        "",
    ]
    return "\n".join(lines)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draws wall and CPU seconds of a submission, a pair of bars for each way."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = result["assignment"]  # the same numbers give the same file
    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
    from matplotlib import pyplot as plt

    costs = {**result["ways"], "the student's own work": result["floor"]}
    figure, axis = plt.subplots(figsize=(7, 2.8), layout="constrained")
    for offset, (kind, label, colour) in enumerate(
        (("wall_seconds", "wall", "#00204d"), ("cpu_seconds", "CPU", "#ffd43b"))
    ):
        places = [number + 0.38 * offset for number in range(len(costs))]
        bars = axis.barh(places, [cost[kind] for cost in costs.values()], 0.36, label=label, color=colour)
        axis.bar_label(bars, fmt="%.2f", padding=3)
    axis.set_yticks([number + 0.19 for number in range(len(costs))], list(costs))
    axis.invert_yaxis()
    axis.margins(x=0.1)
    axis.set_xlabel(f"seconds for a submission of {result['assignment']}, {result['students']} in a class")
    axis.legend(loc="lower right")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
