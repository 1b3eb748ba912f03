"""Files, environment and network, from inside a kernel."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import autograder
from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.session import Session

Say = Callable[..., str]
ROOT = Path(autograder.__file__).resolve().parents[1]


def test_a_kernel_computes(say: Say) -> None:
    assert say("import keras, numpy as np\nprint(float(keras.ops.sum(np.ones((3, 4)))))") == "12.0"


def test_a_kernel_answers_questions(session: Session) -> None:
    session.run("def double(x):\n    return 2 * x", 10)
    question = {"op": "call", "symbol": "double", "args": [21], "kwargs": {}, "tensors": False}
    assert session.ask(question, 10) == {"value": 42}


def test_a_kernel_trains(say: Say) -> None:
    trained = """
import keras, numpy as np
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(np.ones((64, 4)), np.ones(64), epochs=2, verbose=0)
model.save("model.keras")
keras.models.load_model("model.keras").predict(np.ones((2, 4)), verbose=0)
print("trained")
"""
    assert say(trained) == "trained"


def test_multiprocessing_psutil_and_shells_work(say: Say) -> None:
    assert say("""
import multiprocessing, psutil, subprocess
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(abs, [-1, -2]))
print(psutil.Process().memory_info().rss > 0, psutil.virtual_memory().total > 0)
print(subprocess.run("echo shell", shell=True, capture_output=True, text=True).stdout)
""").split() == ["[1,", "2]", "True", "True", "shell"]


def test_no_file_of_the_course_or_of_the_users_is_there(say: Say, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("label")
    secret.chmod(0o644)
    paths = [
        secret,
        ROOT / "pyproject.toml",
        ROOT / "source",
        ROOT / "autograder" / "exercises" / "self_attention.py",
        ROOT / "gradebook.db",
        Path("/etc/shadow"),
        Path("/root/.bashrc"),
        Path("/home"),
        Path("/var"),
        Path("/sys/kernel"),
        Path.home() / ".bashrc",
    ]
    found = say(f"import os\nprint([path for path in {[str(path) for path in paths]!r} if os.path.exists(path)])")
    assert found == "[]"


def test_no_formula_can_be_imported(session: Session) -> None:
    for name in ("exercises", "exercises.self_attention", "checking", "pipeline", "notebook", "sandbox.kernels"):
        output = session.run(f"import autograder.{name}", 10)
        assert output.error is not None
        assert output.error[0] == "ModuleNotFoundError", name


def test_no_file_that_is_shown_holds_a_formula(say: Say) -> None:
    found = say("""
import os
found = []
for top in ("/opt", "/etc", "/tmp", "/dev", "/run", "/mnt", "/srv", "/usr/local"):
    for folder, folders, files in os.walk(top):
        if "site-packages" in folder:
            folders.clear()
        found += [folder for name in files if name.endswith((".ipynb", ".db")) or "exercise" in folder]
import site, sys
found += [entry for entry in sys.path if os.path.exists(os.path.join(entry, "autograder", "exercises"))]
print(found)
""")
    assert found == "[]"


def test_the_environment_is_clean(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SEED", "a secret")
    with contextlib.closing(WarmInterpreter()) as warm, Session(warm) as fresh:
        text = fresh.run("import os, json\nprint(json.dumps(dict(os.environ)))", 10).text
    assert "a secret" not in text
    variables = json.loads(text)
    assert not set(variables) & {"AUTOGRADER_SEED", "USER", "SSH_AUTH_SOCK", "VIRTUAL_ENV", "OLDPWD", "LOGNAME"}
    assert variables["HOME"] == "/tmp"


def test_nothing_can_be_written_outside_the_working_folder(say: Say) -> None:
    refused = say("""
import numpy, os, sys
places = ["/", "/usr/lib", "/etc", "/opt/inside", "/dev", "/root", "/proc", "/proc/sys/kernel"]
places.append(os.path.dirname(numpy.__file__))
written = []
for place in [*places, *filter(None, sys.path)]:
    for attempt in ("x", "__init__.py"):
        try:
            with open(os.path.join(place, attempt), "a"):
                written.append(place)
        except OSError:
            pass
print(written)
""")
    assert refused == "[]"


def test_the_working_folder_begins_empty_and_is_gone_afterwards(interpreter: WarmInterpreter) -> None:
    look = "import os\nprint(os.listdir(), os.listdir('/tmp'), os.listdir('/dev/shm'))"
    for _ in range(2):
        with Session(interpreter) as fresh:
            seen = fresh.run(look, 10).text
            fresh.run("for p in ('mine', '/tmp/mine', '/dev/shm/mine'): open(p, 'w').write('x')", 10)
        assert "mine" not in seen


def test_a_listener_of_this_machine_is_out_of_reach(say: Say) -> None:
    met: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(3)
        port = listener.getsockname()[1]

        def listen() -> None:
            with contextlib.suppress(TimeoutError):
                met.append(listener.accept())

        thread = threading.Thread(target=listen)
        thread.start()
        answers = say(f"""
import socket, urllib.request
def attempt(f):
    try:
        f()
    except OSError:
        return "refused"
    return "reached"
print(attempt(lambda: socket.create_connection(("127.0.0.1", {port}), 1)))
print(attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
print(attempt(lambda: socket.socket(socket.AF_INET6)))
print(attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)))
print(attempt(lambda: socket.getaddrinfo("example.org", 80)))
print(attempt(lambda: urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=1)))
""")
        thread.join()
    assert answers.split() == ["refused"] * 6
    assert met == []


def test_sockets_of_this_machine_are_out_of_reach(say: Say, tmp_path: Path) -> None:
    name = f"autograder-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
        abstract.bind(f"\0{name}")
        abstract.listen()
        path = tmp_path / "s"
        named.bind(str(path))
        named.listen()
        assert say(f"""
import socket
for address in ("\\0{name}", {str(path)!r}):
    try:
        socket.socket(socket.AF_UNIX).connect(address)
        print("reached")
    except OSError:
        print("refused")
""").split() == ["refused", "refused"]
