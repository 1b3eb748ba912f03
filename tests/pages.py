"""The pages of the documentation as their readers' commands: fenced blocks, and what is said of running them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
DOCS = sorted([COURSE / "README.md", *(COURSE / "docs").glob("*.md")])
PAGES = sorted([*DOCS, COURSE / "CONTRIBUTING.md", *(COURSE / "data").glob("*.md")])
TYPED = sorted([*PAGES, COURSE / "students" / "README.md"])
"""The pages with commands: the page in the zip that students get, too, whose links lead to files of that zip."""

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
BLOCK = re.compile(r"(?:^<!-- (?P<mark>.*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


def name_of(path: Path) -> str:
    return path.relative_to(COURSE).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: where it stands.
        line: of its fence, from 1.
        language: what the fence says; `sh` is a block of commands.
        text: what is in it.
        mark: the comment right before it, which readers do not see: `slow`, `run by: FILE` or `FILE::TEST`, `not run:
            REASON`. Empty for commands that are run with each commit.
    """

    page: Path
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands in it, one a line, without the comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        stripped = (re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines)
        return [line for line in stripped if line]


def blocks_of(text: str, page: Path) -> Iterator[Block]:
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        yield Block(page, line, found["language"], found["text"], found["mark"] or "")


def blocks(page: Path) -> list[Block]:
    return list(blocks_of(page.read_text(encoding="utf-8"), page))


def commands(page: Path) -> list[str]:
    """The commands in a page's blocks."""
    return [command for block in blocks(page) if block.language == "sh" for command in block.commands]


def commands_in_passing(page: Path) -> list[str]:
    """The commands in a page's sentences."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"`((?:make|\.venv/bin/\w+) [^`]+)`", text.replace("\n", " "))
