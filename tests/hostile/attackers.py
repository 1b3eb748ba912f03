"""Hand in an attack and have it graded: what every family of attacks shares."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.exercises import assignment
from autograder.pipeline.corpora import load
from autograder.pipeline.grading import Graded, grade_submission
from autograder.pipeline.rebuild import rebuild
from autograder.pipeline.release import template
from autograder.pipeline.settings import Limits, Settings
from autograder.pipeline.source import SourceNotebook, grade_id, is_setup, is_solution, read_source
from autograder.pipeline.submission import answers
from autograder.report.cell import html, text
from autograder.sandbox.kernels import WarmInterpreter

NAME = "05_layer_norm"

WRONG = "def layer_norm(z, gamma, beta, epsilon=1e-6):\n    return z * 0\n"
"""An answer that is worth nothing: every attack that is added to it must leave it so."""


MARKER = f"75319.{os.getpid()}"
"""How long a process sleeps that an attack leaves behind: that is how it is found."""

ATTACKS = {
    "crash": "import os; os._exit(0)",
    "daemon": f"import subprocess; p = subprocess.Popen(['sleep', '{MARKER}'], start_new_session=True)",
    "exits": "import os; os.kill(os.getpid(), 9)",
    "flood": "import sys\nwhile True: print('x' * 10**5); sys.stdout.flush()",
    "forger": """
import gc
from autograder.sandbox.line import Answering, frame
kernel = get_ipython().kernel
answering = next(thing for thing in gc.get_objects() if type(thing) is Answering)
def reply(question):
    for part in (b"garbage", b"<IDS|MSG>"):
        kernel.iopub_socket.send_multipart([part])
    answering.line.sendall(frame(bytes(16), b"PK\\x05\\x06" + b"\\0" * 18) + b"garbage")
    return b""
answering.reply = reply
""",
    "forks": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "memory": "held = []\nwhile True: held.append(bytearray(b'x' * 2**26))",
    "network": "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)",
    "patches": "import builtins, autograder.sandbox.agent as agent\nagent.Agent.answer = lambda *a: {'value': 4.0}",
    "surrogates": 'print("\\ud800 \\x00 \\x1b[2J"); raise ValueError("\\ud800")',
    "writer": "for p in PATHS:\n    try: open(p, 'w').write('mine')\n    except OSError as e: print(e)",
}
"""What is done in the first answer, by its name; some reach for PORT and PATHS."""


@dataclass(frozen=True)
class Bench:
    """Grades single answers, with short deadlines.

    Attributes:
        source: the assignment.
        interpreter: where kernels are forked from.
    """

    source: SourceNotebook
    interpreter: WarmInterpreter

    def solution(self, symbol: str) -> str:
        return self.source.solutions[symbol]

    def grade(self, answered: str | Mapping[str, str], *, deadline: float = 8.0, cell_seconds: float = 5.0) -> Graded:
        """Grades answers by symbol; a text alone answers layer_norm. Exercises that are not answered are left out."""
        given = {"layer_norm": answered} if isinstance(answered, str) else dict(answered)
        released = template(self.source)
        wanted = set(given) | {f"test_{symbol}" for symbol in given}
        released.cells = [cell for cell in released.cells if is_setup(cell) or grade_id(cell) in wanted]
        handed = nbformat.from_dict(released)
        for cell in handed.cells:
            if is_solution(cell):
                cell.source = given[str(grade_id(cell))]
        course = assignment(self.source.name)
        exercises = tuple(replace(exercise, deadline=deadline) for exercise in course.exercises)
        limits = Limits(cell_seconds=cell_seconds)
        settings = Settings(limits=limits)
        return grade_submission(
            rebuild(answers("mallory", handed, released, self.source.name, limits), released),
            replace(course, exercises=exercises),
            settings,
            self.interpreter,
            load(settings),
        )

    def score(self, source: str, **settings: float) -> float:
        """Grades an answer to layer_norm; its report must be of the kind that pages can hold."""
        report = self.grade(source, **settings).reports["layer_norm"]
        (html(report) + text(report)).encode()
        return report.score


def handed_in(source: SourceNotebook, answered: Mapping[str, str], written: str = "In my own words.") -> NotebookNode:
    """Returns a solved notebook with these answers in the place of its own."""
    notebook = template(source)
    given = {**source.solutions, **answered}
    for cell in notebook.cells:
        if is_solution(cell):
            cell.source = given[str(grade_id(cell))] if cell.cell_type == "code" else written
    return notebook


def attack(source: SourceNotebook, name: str, names: str = "PORT = 1\nPATHS = ['/etc/passwd']\n") -> NotebookNode:
    """Returns a notebook without a right answer, whose first one attacks; `names` define what it reaches for."""
    lost = {"layer_norm_gradients": "pass", "LayerNorm": "pass"}
    return handed_in(source, {"layer_norm": f"{WRONG}{names}{ATTACKS[name]}\n", **lost})


def put(submitted: Path, student: str, notebook: NotebookNode | str) -> Path:
    """Writes a submitted notebook."""
    path = submitted / student / NAME / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook), encoding="utf-8")
    return path


def digest(folder: Path) -> str:
    """Returns a hash of every file in a folder."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(str(path.relative_to(folder)).encode())
        if path.is_file():
            total.update(path.read_bytes())
    return total.hexdigest()


def course_source(course: Path) -> SourceNotebook:
    return read_source(course, NAME)
