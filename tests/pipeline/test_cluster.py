"""Workers are handed tasks and give results; they may be of two kinds, die, or be of another version."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest
from distributed import Client

from autograder.pipeline import local_cluster as local
from autograder.pipeline.cluster import Cluster, ClusterError, _dashboard, remote_cluster
from autograder.pipeline.grading import Graded
from autograder.pipeline.local_cluster import default_jobs, gpus, local_cluster
from autograder.pipeline.settings import Settings, UsageError
from autograder.pipeline.standing import NOBODY
from autograder.pipeline.work import Task
from autograder.pipeline.worker import WorkerError, grade_on_worker
from autograder.pipeline.workers import Workers
from tests.pipeline import fake_work
from tests.pipeline.fake_work import task
from tests.pipeline.remote import SAME_CODE, Remote
from tests.sandbox.conftest import until

pytestmark = pytest.mark.xdist_group("cluster")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers, one of which has a GPU called 7."""
    with local_cluster(2, tmp_path_factory.mktemp("cluster") / "log", devices=["7"]) as made:
        made.grade = fake_work.work
        made.grow(2)
        yield made


def _done(cluster: Cluster, *tasks: Task, told: list[str] | None = None) -> dict[str, Graded | None]:
    lines: list[str] = [] if told is None else told
    return {task.student: graded for task, graded in cluster.results(tasks, lines.append)}


def test_every_task_is_done_once(cluster: Cluster):
    students = [f"student{number}" for number in range(50)]
    came = [(task.student, graded) for task, graded in cluster.results(map(task, students), print)]
    assert sorted(student for student, _ in came) == sorted(students)
    assert all(graded is not None and graded.student == student for student, graded in came)


def test_a_result_comes_before_slower_ones_that_were_asked_for_earlier(cluster: Cluster):
    slow_first = [task("slow", "sleep 2"), task("fast")]
    assert next(iter(cluster.results(slow_first, print)))[0].student == "fast"


def test_what_training_tells_reaches_whoever_waits_and_nobody_afterwards(cluster: Cluster):
    told: list[str] = []
    _done(cluster, task("ada", "tell epoch 1 of 3"), told=told)
    assert told == ["epoch 1 of 3"]
    topic, ask = cluster._topic, cluster._client.run_on_scheduler
    assert until(lambda: not ask(lambda dask_scheduler: dask_scheduler._broker._topics[topic].subscribers))


def test_what_was_sent_is_not_kept(cluster: Cluster):
    # Dask would keep the last thousand messages of every connection, up to a megabyte each
    before = psutil.Process().memory_info().rss
    tasks = (task(f"student{number}", f"ignore {'x' * 500_000}") for number in range(300))
    assert all(graded is not None for _, graded in cluster.results(tasks, print))
    assert psutil.Process().memory_info().rss - before < 150e6


def test_training_goes_to_the_worker_with_a_gpu(cluster: Cluster):
    training = [task(f"student{number}", gpu=True) for number in range(6)]
    assert {graded.problem for graded in _done(cluster, *training).values() if graded} == {"7"}


def test_where_no_worker_has_a_gpu_training_goes_to_any(tmp_path: Path):
    with local_cluster(1, tmp_path / "log") as plain:
        plain.grade = fake_work.work
        plain.grow(1)
        assert _done(plain, task("ada", gpu=True))["ada"] is not None


def test_what_a_dead_worker_had_is_done_by_another(cluster: Cluster, tmp_path: Path):
    tasks = [task(f"student{number}") for number in range(5)]
    done = _done(cluster, task("deadly", f"die-once {tmp_path / 'died'}"), *tasks)
    assert (tmp_path / "died").exists()
    assert len(done) == 6
    assert None not in done.values()


def test_results_that_are_lost_with_their_worker_are_had_again(tmp_path: Path):
    with local_cluster(1, tmp_path / "log") as own:
        own.grade = fake_work.work
        own.grow(1)
        students = {"ada", "emmy", "zoe"}
        results = own.results(map(task, sorted(students)), print)
        first, _ = next(results)
        futures = own._client.futures
        assert until(lambda: all(state.status == "finished" for state in futures.values()))
        (worker,) = own._client.run(os.getpid).values()
        os.kill(worker, signal.SIGKILL)
        assert until(lambda: any(state.status == "lost" for state in futures.values()))
        assert {first.student, *(task.student for task, graded in results if graded is not None)} == students


def test_a_task_that_kills_every_worker_is_given_up_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(local._CONFIGURATION, "distributed.scheduler.allowed-failures", 1)
    with local_cluster(2, tmp_path / "log") as own:
        own.grade = fake_work.work
        own.grow(2)
        done = _done(own, task("deadly", "die"), task("ada"), task("zoe"))
    assert done["deadly"] is None
    assert done["ada"] is not None
    assert done["zoe"] is not None


def test_another_version_is_refused_in_one_sentence(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("autograder.pipeline.cluster.grader_digest", lambda: "0123456789abcdef")
    monkeypatch.setattr(cluster, "grade", grade_on_worker)
    with pytest.raises(WorkerError, match=r"another version of the grader \(\w{8}\) than the one that asks \(01234567"):
        _done(cluster, task("ada"))


def test_what_a_worker_cannot_read_is_no_crash(cluster: Cluster, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cluster, "grade", _not_on_any_worker)
    with pytest.raises(ClusterError, match="the same commit"):
        _done(cluster, task("ada"))


def _not_on_any_worker(digest: str, packed: bytes, topic: str) -> bytes:
    raise ModuleNotFoundError("No module named 'autograder'")


def test_nothing_listens_beyond_this_machine(cluster: Cluster):
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    ports = [one.laddr for process in processes for one in process.net_connections("inet") if one.status == "LISTEN"]
    assert len(ports) >= 3
    assert {port.ip for port in ports} == {"127.0.0.1"}


def test_nobody_gets_in_without_the_certificate(cluster: Cluster):
    host, _, port = cluster._client.scheduler.address.removeprefix("tls://").partition(":")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        context.wrap_socket(plain) as wrapped,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
    ):
        wrapped.recv(1)  # the scheduler greets whom it lets in


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def test_a_cluster_leaves_no_process_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {process.pid for process in psutil.Process().children()}  # the other cluster's, which go on starting some
    with local_cluster(2, tmp_path / "log") as own:
        own.grade = fake_work.work
        own.grow(2)
        _done(own, task("ada"))
        its = [one for child in psutil.Process().children() if child.pid not in before for one in _family(child)]
        assert len(its) >= 2
    assert [process for process in its if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert {process.pid for process in psutil.Process().children()} <= before
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_there_are_no_more_workers_than_tasks_nor_than_were_allowed(tmp_path: Path):
    def workers() -> int:
        return sum("local_worker" in " ".join(child.cmdline()) for child in psutil.Process().children())

    there = workers()
    with local_cluster(2, tmp_path / "log") as own:
        for tasks, expected in ((0, 0), (1, 1), (1, 1), (300, 2)):
            own.grow(tasks)
            assert until(lambda expected=expected: workers() - there == expected)
    assert workers() == there


def test_assignments_of_one_command_share_their_workers(tmp_path: Path):
    with Workers(Settings(sandbox=False), tmp_path / "log", 1, "") as workers:
        first = workers.wanted(3, NOBODY)
        assert workers.wanted(5, NOBODY) is first


def test_workers_end_with_the_process_that_started_them():
    code = (
        "import sys, time; from pathlib import Path; from autograder.pipeline.local_cluster import local_cluster\n"
        "with local_cluster(2, Path('/dev/null')) as cluster:\n"
        "    cluster.grow(2); cluster._wait_for_workers(print); print('there', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=SAME_CODE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        workers = psutil.Process(process.pid).children(recursive=True)
        assert len(workers) >= 2
        process.kill()
    assert until(lambda: not any(worker.is_running() for worker in workers))


def test_neither_client_nor_scheduler_loads_tensorflow():
    code = (
        "import sys, autograder.pipeline.classroom, autograder.pipeline.local_cluster; "
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, env=SAME_CODE).returncode == 0


@pytest.mark.parametrize(
    ("visible", "found"), [("", []), ("-1", []), ("0", ["0"]), ("2, 3", ["2", "3"]), ("GPU-8f2c", ["GPU-8f2c"])]
)
def test_the_gpus_are_those_that_cuda_is_shown(monkeypatch: pytest.MonkeyPatch, visible: str, found: list[str]):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus() == found


@pytest.mark.parametrize(("cores", "gigabytes", "jobs"), [(8, 64, 8), (8, 5, 5), (1, 64, 1), (4, 0.5, 1)])
def test_there_are_as_many_workers_as_cores_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, cores: int, gigabytes: float, jobs: int
):
    monkeypatch.setattr(local, "CPU_COUNT", cores)
    monkeypatch.setattr(local, "MEMORY_LIMIT", int(gigabytes * 2**30))
    assert default_jobs() == jobs


def test_where_no_scheduler_answers_the_address_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("autograder.pipeline.cluster.ANSWER_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ClusterError, match=address), remote_cluster(address, tmp_path / "log"):
        pass


@pytest.mark.parametrize("address", ["nonsense://", "tls://127.0.0.1:1"])
def test_what_is_no_address_is_named(tmp_path: Path, address: str):
    with pytest.raises(UsageError, match=address), remote_cluster(address, tmp_path / "log"):
        pass


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    made = Remote(tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_without_a_worker_one_waits_and_is_told_so(remote: Remote, tmp_path: Path):
    told: list[str] = []

    def start_when_told() -> None:
        assert until(lambda: bool(told), 30)
        remote.worker()

    threading.Thread(target=start_when_told).start()
    with remote_cluster(remote.address, tmp_path / "log") as cluster:
        cluster.grade = fake_work.work
        assert _done(cluster, task("ada"), told=told)["ada"] is not None
    assert told == [f"The cluster at {remote.address} has no worker; waiting for one"]


def test_where_the_last_worker_with_a_gpu_goes_training_goes_to_the_others(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("autograder.pipeline.cluster.GPU_SECONDS", 1.0)
    monkeypatch.setattr("autograder.pipeline.cluster._LOOK_SECONDS", 1.0)
    remote.worker("--resources", "GPU=1")
    remote.worker()
    told: list[str] = []
    with remote_cluster(remote.address, tmp_path / "log") as cluster:
        cluster.grade = fake_work.work
        assert until(lambda: len(cluster._info()["workers"]) == 2, 30)
        hangs = tmp_path / "hangs"
        tasks = [task("first", gpu=True), task("ada", f"hang-once {hangs}", gpu=True), task("zoe", gpu=True)]
        results = cluster.results(tasks, told.append)
        assert next(results)[0].student == "first"
        assert until(hangs.exists, 30)
        remote.workers[0].kill()
        assert {task.student for task, graded in results if graded is not None} == {"ada", "zoe"}
    assert told == [f"The cluster at {remote.address} has no worker with a GPU any more; trainings go to the others"]


@pytest.mark.parametrize(
    ("page", "status", "found"),
    [(b"<title>Dask: Status</title>", 200, True), (b"<p>Dask needs bokeh>=3.1.0</p>", 200, False), (b"", 404, False)],
)
def test_a_dashboard_is_named_where_it_runs(page: bytes, status: int, found: bool):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        link = f"http://127.0.0.1:{server.server_port}/status"
        assert _dashboard(link) == (link if found else "")
        server.shutdown()
    assert _dashboard(link) == ""


def test_a_scheduler_that_goes_is_named_with_what_to_do(remote: Remote, tmp_path: Path):
    remote.worker()
    with remote_cluster(remote.address, tmp_path / "log") as cluster:
        cluster.grade = fake_work.work
        results = cluster.results([task("ada"), task("slow", "sleep 60")], print)
        assert next(results)[0].student == "ada"
        remote.scheduler.kill()
        with pytest.raises(ClusterError, match="run the same command to go on"):
            next(results)


def test_a_cluster_that_others_use_is_left_as_it_was(remote: Remote, tmp_path: Path):
    remote.worker()
    with remote_cluster(remote.address, tmp_path / "log") as cluster:
        cluster.grade = fake_work.work
        # stopped in the middle
        next(iter(cluster.results([task("ada"), task("slow", "sleep 3")], print)))
    with Client(remote.address, set_as_default=False) as somebody:
        assert somebody.submit(pow, 2, 3).result(timeout=20) == 8
        deadline = time.monotonic() + 10
        while somebody.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.1)
