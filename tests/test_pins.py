"""The lists of pinned packages agree, and the image is made of them alone."""

import re
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent


def pins(name: str) -> dict[str, str]:
    """Versions by package, of a list that `make pins` made."""
    text = (COURSE / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", text, re.M))


def test_both_lists_differ_in_the_build_of_tensorflow_only():
    usual, gpu = pins("requirements.txt"), pins("requirements-gpu.txt")
    both = set(usual) & set(gpu)
    assert {name for name in both if usual[name] != gpu[name]} == set()
    assert set(usual) - both == {"tensorflow-cpu"}
    assert {name.split("-")[0] for name in set(gpu) - both} == {"nvidia"}
    assert usual["tensorflow-cpu"] == gpu["tensorflow"]


def instructions() -> list[str]:
    """The Containerfile without comments, a line for each instruction."""
    text = (COURSE / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_begins_with_an_image_that_cannot_change():
    begins = [line for line in instructions() if line.startswith("FROM ")]
    assert begins
    assert [line for line in begins if not re.search(r":\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$", line)] == []


def test_the_image_gets_no_package_but_those_with_a_hash():
    installs = [line for line in instructions() if "pip install " in line]
    assert installs
    assert [line for line in installs if not ("--require-hashes" in line or "--no-deps" in line)] == []


def test_the_image_gets_git_and_make_of_its_distribution_and_nothing_else():
    (apt,) = [line for line in instructions() if "apt-get" in line]
    installs = "apt-get install --yes --no-install-recommends git make"
    assert apt == f"RUN apt-get update && {installs} && rm -rf /var/lib/apt/lists/*"


def test_a_change_of_the_course_leaves_the_layer_of_packages():
    lines = instructions()
    packages = next(number for number, line in enumerate(lines) if "--require-hashes" in line)
    copied = [line.split()[1] for line in lines[:packages] if line.startswith("COPY ")]
    assert copied == ["${REQUIREMENTS}"]
    (default,) = [line.partition("=")[2] for line in lines if line.startswith("ARG REQUIREMENTS")]
    assert (COURSE / default).is_file()


def test_nothing_of_students_gets_into_the_image():
    ignored = (COURSE / ".dockerignore").read_text(encoding="utf-8").splitlines()
    git = (COURSE / ".gitignore").read_text(encoding="utf-8")
    works = set(re.findall(r"^/(\w+)/$", git.partition("# Made by make")[0], re.M))
    assert works == {"submitted", "autograded", "feedback", "graded"}
    assert works <= set(ignored)
