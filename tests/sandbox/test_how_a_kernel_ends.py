"""Bombs, deaths and what is left behind: nothing."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autograder.sandbox.kernels import WarmInterpreter
from autograder.sandbox.limits import GIB, MIB, KernelLimits
from autograder.sandbox.session import Ended, Session
from tests.sandbox.conftest import processes_with, until


def gone(marker: str) -> bool:
    return until(lambda: not processes_with(marker))


def test_a_process_that_ends_itself_is_told_with_its_code(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session, pytest.raises(Ended, match="exit code 7") as ended:
        session.run("import os; os._exit(7)", 20)
    assert ended.value.status == "crashed"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGSEGV, "crashed"), (signal.SIGKILL, "out-of-memory")])
def test_a_signal_is_told(interpreter: WarmInterpreter, number: signal.Signals, status: str) -> None:
    with Session(interpreter) as session, pytest.raises(Ended) as ended:
        session.run(f"import os; os.kill(os.getpid(), {int(number)})", 20)
    assert ended.value.status == status


def test_an_endless_loop_is_ended(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session, pytest.raises(Ended) as ended:
        session.run("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", 2)
    assert ended.value.status == "timeout"


def test_daemons_do_not_survive(interpreter: WarmInterpreter) -> None:
    marker = f"98766.{os.getpid()}"
    with Session(interpreter) as session:
        output = session.run(
            f"""
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", "{marker}"])
        os._exit(0)
time.sleep(1)
""",
            20,
        )
        assert output.error is None
        assert len(processes_with(marker)) == 3
    assert gone(marker)


def test_orphans_are_buried(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        session.run(
            """
import os, time
for _ in range(20):
    if os.fork() == 0:
        if os.fork() == 0:
            os._exit(0)
        os._exit(0)
    os.wait()
time.sleep(1.5)
""",
            30,
        )
        left = session.run("import os\nprint(len([n for n in os.listdir('/proc') if n.isdigit()]))", 10).text
        assert int(left) <= 2


def test_a_fork_bomb_hurts_only_itself(interpreter: WarmInterpreter) -> None:
    marker = f"98767.{os.getpid()}"
    limits = KernelLimits(processes=60)
    with contextlib.closing(WarmInterpreter(limits=limits)) as warm:
        with Session(warm) as session, Session(warm) as other:
            output = session.run(
                f"""
import subprocess
started = []
try:
    while len(started) < 500:
        started.append(subprocess.Popen(["sleep", "{marker}"]))
except OSError as error:
    print("refused", len(started))
""",
                60,
            )
            assert output.text.startswith("refused"), output
            assert len(processes_with(marker)) < 60
            assert other.run("import subprocess; print(subprocess.call('true'))", 20).text.strip() == "0"
        assert gone(marker)


def test_a_memory_bomb_is_told_as_one(interpreter: WarmInterpreter) -> None:
    limits = KernelLimits(memory=1 * GIB)
    with (
        contextlib.closing(WarmInterpreter(limits=limits)) as warm,
        Session(warm) as session,
        pytest.raises(Ended) as ended,
    ):
        session.run("import time\nheld = []\nwhile True: held.append(bytearray(b'x' * 2**25)); time.sleep(0.02)", 60)
    assert ended.value.status == "out-of-memory"


def test_memory_is_counted_over_all_processes(interpreter: WarmInterpreter) -> None:
    limits = KernelLimits(memory=1 * GIB)
    with (
        contextlib.closing(WarmInterpreter(limits=limits)) as warm,
        Session(warm) as session,
        pytest.raises(Ended) as ended,
    ):
        session.run(
            "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
            "        held = bytearray(b'x' * 2**28)\n        time.sleep(60)\ntime.sleep(60)",
            50,
        )
    assert ended.value.status == "out-of-memory"


def test_a_huge_array_is_an_error_of_the_cell(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        output = session.run("import numpy as np\nx = np.empty(2**42, dtype=np.uint8)", 30)
        assert output.error is not None
        assert "Memory" in output.error[0]
        assert session.run("print(1)", 10).text.strip() == "1"


def test_a_file_bomb_fills_its_own_folder_only(interpreter: WarmInterpreter) -> None:
    limits = KernelLimits(folder_bytes=32 * MIB, file_bytes=8 * MIB, folder_files=100, shared_bytes=4 * MIB)
    with contextlib.closing(WarmInterpreter(limits=limits)) as warm, Session(warm) as session:
        text = session.run(
            """
import errno, os
def fill(pattern, size, most):
    try:
        for number in range(most):
            with open(pattern % number, "wb") as file:
                file.write(b"x" * size)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "filled"
print(fill("one%d", 16 * 2**20, 1))
print(fill("many%d", 2**22, 100))
for name in os.listdir():
    if name.startswith(("one", "many")):
        os.remove(name)
print(fill("small%d", 1, 1000))
print(fill("/dev/shm/x%d", 2**21, 10))
""",
            30,
        ).text
    assert text.split() == ["EFBIG", "ENOSPC", "ENOSPC", "ENOSPC"]


def test_the_sandbox_ends_when_the_grader_is_killed(tmp_path: Path) -> None:
    marker = f"98768.{os.getpid()}"
    grader = textwrap.dedent(f"""
        import sys, time
        from autograder.sandbox.kernels import WarmInterpreter
        from autograder.sandbox.session import Session
        session = Session(WarmInterpreter())
        session.run('import subprocess; p = subprocess.Popen(["sleep", "{marker}"], start_new_session=True)', 20)
        print("ready", flush=True)
        time.sleep(600)
    """)
    script = tmp_path / "grader.py"
    script.write_text(grader)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert len(processes_with(marker)) == 1
        finally:
            process.kill()
    assert gone(marker)
    # and what the killed one left on the disk goes with the next one
    folders = list(Path("/tmp").glob(f"warm-{process.pid}-*"))
    with contextlib.closing(WarmInterpreter()) as warm, Session(warm):
        assert not [folder for folder in folders if folder.exists()]


def test_closing_leaves_no_process_and_no_file() -> None:
    warm = WarmInterpreter()
    session = Session(warm)
    session.run("import subprocess; p = subprocess.Popen(['sleep', '98769.5'])", 20)
    assert warm._process is not None
    folder = warm._process.folder
    warm.close()
    assert gone("98769.5")
    session.close()
    assert not folder.exists()


def test_a_dead_warm_interpreter_is_replaced() -> None:
    with contextlib.closing(WarmInterpreter()) as warm:
        with Session(warm) as session:
            process = warm._process
            assert process is not None
            assert process._process is not None
            process._process.kill()
            with pytest.raises(Ended):
                session.run("import time; time.sleep(30)", 30)
        with Session(warm) as session:
            assert session.run("print(1)", 10).text.strip() == "1"


def test_an_interrupt_reaches_the_kernel(interpreter: WarmInterpreter) -> None:
    with Session(interpreter) as session:
        session._kernel.interrupt()
        import threading

        threading.Timer(1, session._kernel.interrupt).start()
        output = session.run("import time; time.sleep(30)", 20)
        assert output.error is not None
        assert output.error[0] == "KeyboardInterrupt"


def test_kernels_one_after_the_other_leak_nothing(interpreter: WarmInterpreter) -> None:
    def used() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with Session(interpreter):
        pass
    before = used()
    seconds: list[float] = []
    for _ in range(10):
        started = time.perf_counter()
        with Session(interpreter) as session:
            session.run("1 + 1", 20)
            seconds.append(time.perf_counter() - started)
    print(f"from request to an answered cell: median {statistics.median(seconds):.3f} s")
    # sockets are closed by a thread of their own, a moment later
    deadline = time.monotonic() + 20
    while used() > before + 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert used() <= before + 3
