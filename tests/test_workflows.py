"""The workflows run this repository's own commands, hold few rights, and grade.

The linter knows what is wrong with any workflow; what stands here is what these ones promise.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from autograder.exercises import assignment
from autograder.pipeline.results import fingerprint
from autograder.pipeline.settings import Settings
from autograder.pipeline.simulate import simulated_class
from autograder.pipeline.source import read_source
from tests.pages import COURSE, FENCE
from tests.pipeline.handed_in import NAME, write
from tests.test_docs import exists

FOLDER = COURSE / ".github" / "workflows"
AUTOGRADE = FOLDER / "autograde.yml"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))

ALLOW_NAMESPACES = "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
INSTALL_POSTGRESQL = "sudo apt-get update && sudo apt-get install --yes --no-install-recommends postgresql"
GIVEN = "Either a repository or an artifact is given, and a student's name is that of a folder"
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
EXPRESSION = re.compile(r"\$\{\{ (?P<kind>inputs|secrets)\.(?P<name>\w+)(?: \|\| (?P<otherwise>\w+))? \}\}")

Tree = dict[str, Any]


def read(text: str) -> Tree:
    """A workflow; YAML 1.1 takes its key `on` for the truth value."""
    content = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in content.items()}


def workflow(path: Path) -> Tree:
    return read(path.read_text(encoding="utf-8"))


def steps(path: Path) -> Iterator[Tree]:
    for job in workflow(path)["jobs"].values():
        yield from job["steps"]


def step(name: str) -> Tree:
    (found,) = [one for one in steps(AUTOGRADE) if one.get("name") == name]
    return found


def texts(tree: object) -> Iterator[str]:
    if isinstance(tree, dict):
        for value in tree.values():
            yield from texts(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value)
    else:
        yield str(tree)


# ---------------------------------------------------------------------------------------------------------------------
# What they run


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_step_is_a_command_of_this_repository(path: Path):
    foreign = [
        line
        for one in steps(path)
        if one.get("name") != GIVEN
        for line in one.get("run", "").splitlines()
        if line not in (ALLOW_NAMESPACES, INSTALL_POSTGRESQL) and not exists(line.removeprefix("sudo "))
    ]
    assert foreign == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_says_its_version(path: Path):
    used = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert [line.strip() for line in used if not PINNED.search(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_command_is_put_together_from_inputs(path: Path):
    # an input with a quote in it would be a command of its own
    assert [one["run"] for one in steps(path) if "${{" in one.get("run", "")] == []


# ---------------------------------------------------------------------------------------------------------------------
# What they may do, and who sees what


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_the_contents_and_nothing_more(path: Path):
    content = workflow(path)
    assert content["permissions"] == {"contents": "read"}
    assert [name for name, job in content["jobs"].items() if "permissions" in job] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_checkout_leaves_its_token_behind(path: Path):
    checkouts = [one["with"] for one in steps(path) if one.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(given.get("persist-credentials") is False for given in checkouts)


def test_each_secret_is_seen_by_one_step():
    sees = {
        secret: [one.get("name") for one in steps(AUTOGRADE) if any(secret in text for text in texts(one))]
        for secret in ("secrets.AUTOGRADER_SEED", "secrets.SUBMISSIONS_TOKEN", "github.token", "GITHUB_TOKEN")
    }
    assert sees == {
        "secrets.AUTOGRADER_SEED": ["Grade"],
        "secrets.SUBMISSIONS_TOKEN": ["The student's repository"],
        "github.token": ["The student's repository"],
        "GITHUB_TOKEN": [],
    }
    content = workflow(AUTOGRADE)
    around = {**content, "on": {}, "jobs": {name: {**job, "steps": []} for name, job in content["jobs"].items()}}
    assert [text for text in texts(around) if "secrets" in text or "token" in text.lower()] == []


def test_no_token_is_in_the_environment_of_a_command():
    content = workflow(AUTOGRADE)
    environments = [content.get("env"), *(job.get("env") for job in content["jobs"].values())]
    environments += [one.get("env") for one in steps(AUTOGRADE)]
    named = {name for environment in environments if environment for name in environment}
    of_submission = {"REPOSITORY", "ARTIFACT", "STUDENT"}
    assert named == {"ASSIGNMENT", "PROFILE", "DATA", "JOBS", "AUTOGRADER_SEED", *of_submission}


def test_a_pull_request_grades_nothing():
    (condition,) = [job["if"] for job in workflow(AUTOGRADE)["jobs"].values()]
    allowed = json.loads(re.fullmatch(r"contains\(fromJSON\('(.*)'\), github\.event_name\)", condition)[1])
    assert set(allowed) == {"push", "repository_dispatch", "schedule", "workflow_dispatch"}


def test_one_job_at_a_time_is_on_a_gpu_and_none_that_waits_is_dropped():
    (job,) = workflow(AUTOGRADE)["jobs"].values()
    assert job["concurrency"]["group"].startswith("grade-${{ inputs.runner || ")
    assert job["concurrency"]["queue"] == "max"
    assert not job["concurrency"].get("cancel-in-progress")


def test_in_an_image_the_walls_can_be_raised():
    (job,) = workflow(AUTOGRADE)["jobs"].values()
    assert job["container"]["image"] == "${{ inputs.image }}"
    (documented,) = re.findall(
        r"^\| a Docker or Podman container \| `([^`]+)`",
        (COURSE / "docs" / "security.md").read_text(encoding="utf-8"),
        re.M,
    )
    assert job["container"]["options"] == documented
    assert job["defaults"]["run"]["shell"] == "bash"  # in a container it would be another


def test_by_hand_it_takes_the_inputs_that_a_caller_gives():
    on = workflow(AUTOGRADE)["on"]
    called, by_hand = on["workflow_call"]["inputs"], on["workflow_dispatch"]["inputs"]
    for name, given in by_hand.items():
        assert {**given, "required": False} == {**called[name], "required": False}, name
    # a run that a person starts has no artifact of another job, and one student
    assert set(called) - set(by_hand) == {"artifact", "jobs", "minutes"}


# ---------------------------------------------------------------------------------------------------------------------
# What the linter says


def lint(*paths: Path, pipeline: Path = COURSE / ".gitlab-ci.yml") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    programs, workflows = f"BIN={Path(sys.executable).parent}", " ".join(map(str, paths))
    return subprocess.run(
        # the environment is not to be made anew while a test runs in it
        [
            *("make", "--old-file", ".venv/.installed", "workflows"),
            *(programs, f"WORKFLOWS={workflows}", f"PIPELINE={pipeline}"),
        ],
        cwd=COURSE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


# a run of the linter takes seconds: each has several broken workflows before it, and names what is wrong in each
BROKEN = {
    "no workflow": [
        ("runs-on:", "run-on:", "'runs-on' is a required property"),
        ("        type: number", "        type: count", "'count' is not one of"),
        ("queue: max", "queue: all", "'all' is not one of"),
    ],
    "no YAML": [("    steps:", "   steps:", "Failed to parse")],
    "a workflow to beware of": [
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "unpinned-uses"),
        ("persist-credentials: false", "persist-credentials: true", "artipacked"),
        ("contents: read", "contents: write", "excessive-permissions"),
        ('grade "$ASSIGNMENT"', 'grade "${{ inputs.assignment }}"', "template-injection"),
        ("  workflow_dispatch:", "  pull_request_target:\n  workflow_dispatch:", "dangerous-triggers"),
    ],
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_the_linter_refuses_a_workflow_that_is_broken(tmp_path: Path, changes: list[tuple[str, str, str]]):
    text = AUTOGRADE.read_text(encoding="utf-8")
    for number, (right, wrong, _) in enumerate(changes):
        assert right in text
        (tmp_path / f"{number}.yml").write_text(text.replace(right, wrong), encoding="utf-8")
    done = lint(*sorted(tmp_path.iterdir()))
    assert done.returncode != 0
    assert [said for _, _, said in changes if said not in done.stdout + done.stderr] == []


# ---------------------------------------------------------------------------------------------------------------------
# What the steps do, on this machine's CPU


@dataclass(frozen=True)
class Job:
    """A checkout with a submission in it, and the variables that its steps see."""

    folder: Path
    given: dict[str, str]

    def run(self, name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a step as GitHub does."""
        (job,) = workflow(AUTOGRADE)["jobs"].values()
        environment = {**job["env"], **step(name).get("env", {})}
        known = {key: self.filled(str(value)) for key, value in environment.items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step(name)["run"]],
            cwd=self.folder,
            env={**os.environ, **known, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def filled(self, text: str) -> str:
        inputs = workflow(AUTOGRADE)["on"]["workflow_call"]["inputs"]

        def value(found: re.Match[str]) -> str:
            name = found["name"]
            default = inputs[name].get("default", "") if found["kind"] == "inputs" else ""
            return str(self.given.get(name, default) or found["otherwise"] or "")

        filled = EXPRESSION.sub(value, text)
        assert "${{" not in filled
        return filled


@pytest.fixture(scope="module")
def job(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("job")
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(course / name, folder)
    shutil.copytree(course / "source" / NAME, folder / "source" / NAME)
    program = folder / ".venv" / "bin" / "autograder"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m autograder.cli "$@"\n')
    program.chmod(0o755)
    (solved,) = [one for one in simulated_class(read_source(course, NAME), assignment(NAME)) if one.student == "solved"]
    write(folder / "submitted", "ada", nbformat.writes(solved.notebook))
    return Job(folder, {"assignment": NAME, "AUTOGRADER_SEED": "the seed of the course"})


@pytest.fixture(scope="module")
def results(job: Job) -> Tree:
    done = job.run("Grade")
    assert done.returncode == 0, done.stderr
    return json.loads((job.folder / "graded" / NAME / "results.json").read_text(encoding="utf-8"))


def test_the_grading_step_grades_with_the_seed_of_the_course(results: Tree):
    assert set(results["students"]) == {"ada"}
    # all that needs no person
    assert results["students"]["ada"]["score"] == 13
    assert results["trusted"]
    assert (results["profile"], results["data"]) == ("cpu", "generated")
    assert results["seed"] == fingerprint(Settings(seed="the seed of the course"))


def test_what_is_kept_is_there(job: Job, results: Tree):
    kept = job.filled(step("Results and feedback pages")["with"]["path"]).split()
    assert [path for path in kept if not (job.folder / path).exists()] == []
    assert (job.folder / "graded" / "feedback" / "ada" / NAME / f"{NAME}.html").is_file()


def test_the_summary_step_writes_a_summary_of_the_marks(job: Job, results: Tree):
    page = job.folder / "summary.md"
    done = job.run("Summary", GITHUB_STEP_SUMMARY=str(page))
    assert done.returncode == 0, done.stderr
    assert "ada" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "good"),
    [
        ({"repository": "course/ada", "student": "ada"}, True),
        ({"artifact": "class"}, True),
        ({"student": "ada"}, False),
        ({"repository": "course/ada", "artifact": "class"}, False),
        ({"repository": "course/ada", "student": "../autograder"}, False),
        ({"repository": "course/ada", "student": "a/b"}, False),
        ({"repository": "course/ada", "student": '"; exit 0; "'}, True),
    ],
)
def test_what_is_not_exactly_one_submission_or_class_is_refused(job: Job, given: dict[str, str], good: bool):
    assert (Job(job.folder, {**job.given, **given}).run(GIVEN).returncode == 0) == good


@pytest.mark.parametrize("given", [{"data": "mnist"}, {"profile": "tpu"}])
def test_an_input_that_cannot_be_used_fails_the_step(job: Job, given: dict[str, str]):
    done = Job(job.folder, {**job.given, **given}).run("Grade")
    assert done.returncode == 2
    assert next(iter(given.values())) in done.stderr


def test_a_quote_in_an_input_is_no_command(job: Job):
    done = Job(job.folder, {**job.given, "assignment": '"; touch "$PWD/planted"; "'}).run("Grade")
    assert done.returncode == 2
    assert not (job.folder / "planted").exists()


# ---------------------------------------------------------------------------------------------------------------------
# What docs/ci.md shows


def shown(key: str) -> list[str]:
    """The YAML of docs/ci.md that has this key at its top."""
    text = (COURSE / "docs" / "ci.md").read_text(encoding="utf-8")
    blocks = [content for language, content in FENCE.findall(text) if language == "yaml"]
    return [block for block in blocks if isinstance(tree := yaml.safe_load(block), dict) and key in tree]


def test_the_caller_that_is_shown_is_a_workflow_and_names_what_is_there(tmp_path: Path):
    (block,) = shown("jobs")
    path = tmp_path / "caller.yml"
    path.write_text(block, encoding="utf-8")
    done = lint(path)
    assert done.returncode == 0, done.stdout + done.stderr
    takes = workflow(AUTOGRADE)["on"]["workflow_call"]
    for job in read(block)["jobs"].values():
        assert job["uses"] == "$/.github/workflows/autograde.yml"
        assert set(job["with"]) <= set(takes["inputs"])
        assert {name for name, given in takes["inputs"].items() if given.get("required")} <= set(job["with"])
        assert set(job["secrets"]) <= set(takes["secrets"])


def test_every_input_is_explained(course: Path):
    text = (course / "docs" / "ci.md").read_text(encoding="utf-8")
    takes = workflow(AUTOGRADE)["on"]["workflow_call"]
    assert [name for name in (*takes["inputs"], *takes["secrets"]) if f"`{name}`" not in text] == []


# ---------------------------------------------------------------------------------------------------------------------
# The same on GitLab

PIPELINE = yaml.safe_load((COURSE / ".gitlab-ci.yml").read_text(encoding="utf-8"))
GRADING = ("grade", "grade-gpu")


@pytest.mark.parametrize("name", GRADING)
def test_gitlab_grades_with_commands_of_this_repository(name: str):
    assert [line for line in PIPELINE[name]["script"] if not exists(line)] == []


def test_gitlab_keeps_the_token_from_the_job_that_runs_student_code():
    # a secret belongs to an environment, in GitLab's settings, and each job to one of them
    assert PIPELINE["fetch"]["environment"] != PIPELINE["grade"]["environment"]
    assert PIPELINE["grade-gpu"]["extends"] == "grade"
    assert "environment" not in PIPELINE["grade-gpu"]
    assert [name for name in GRADING if "TOKEN" in json.dumps(PIPELINE[name])] == []
    assert "SEED" not in json.dumps(PIPELINE["fetch"])


def test_gitlab_grades_nothing_for_a_push_or_a_merge_request():
    conditions = [rule["if"] for rule in PIPELINE["workflow"]["rules"]]
    assert set(" ".join(conditions).split('"')[1::2]) == {"schedule", "web"}


def test_gitlab_hands_on_the_notebook_and_nothing_else_of_a_students(tmp_path: Path):
    theirs, mine = tmp_path / "our-course" / "ada.git", tmp_path / "job"
    (theirs / NAME).mkdir(parents=True)
    mine.mkdir()
    (mine / "secret").write_text("the hidden checks")
    (theirs / NAME / f"{NAME}.ipynb").symlink_to("../../../secret")

    def git(*words: str) -> None:
        about = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *about, *words], cwd=theirs, capture_output=True, check=True)

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "handed in")
    here = f"url.file://{tmp_path}/.insteadOf=https://token:a-secret@gitlab.example.org/"
    settings = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": here.split("=")[0],
        "GIT_CONFIG_VALUE_0": here.split("=")[1],
    }
    variables = {
        "STUDENTS": "nobody ada", "ASSIGNMENT": NAME, "GROUP": "our-course",
        "SUBMISSIONS_TOKEN": "a-secret", "CI_SERVER_HOST": "gitlab.example.org",
    }  # fmt: skip
    script = "\n".join(PIPELINE["fetch"]["script"])
    known = {**os.environ, **settings, **variables}
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=mine, env=known, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    notebook = mine / "submitted" / "ada" / NAME / f"{NAME}.ipynb"
    assert not notebook.is_symlink()
    assert notebook.read_text() == "../../../secret"
    assert "nobody was not fetched" in done.stdout
    # an empty folder would not be handed on, and who did not hand in would not be in the results
    assert [path.name for path in (mine / "submitted" / "nobody").iterdir()] == [".asked"]
    # the address with the token stood there
    assert not (mine / "submitted" / "ada" / ".git").exists()


def test_every_variable_of_gitlab_is_explained():
    text = (COURSE / "docs" / "ci.md").read_text(encoding="utf-8")
    named = {*PIPELINE["variables"], "SUBMISSIONS_TOKEN", "AUTOGRADER_SEED"}
    assert [name for name in named if f"| `{name}` |" not in text] == []


def test_the_linter_refuses_a_pipeline_that_is_broken(tmp_path: Path):
    text = (COURSE / ".gitlab-ci.yml").read_text(encoding="utf-8")
    path = tmp_path / "gitlab.yml"
    path.write_text(text.replace("expire_in: 2 weeks", "expire_in: [2]"), encoding="utf-8")
    done = lint(AUTOGRADE, pipeline=path)
    assert done.returncode != 0
    assert "expire_in" in done.stdout + done.stderr
