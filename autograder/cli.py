"""The command `autograder`: results go to files, messages to stderr, the verdict to the exit code.

Exit codes: 0 grading was completed, whatever the marks; 1 something of ours or the machine failed; 2 unusable
arguments, or something else that the user can mend; 130 stopped by Ctrl-C.

A command loads what it needs when it is run, and not before its arguments are seen to be usable: the grader's packages
take seconds.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from autograder.report.terminal import shown

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from autograder.pipeline.classroom import Class
    from autograder.pipeline.results import Results
    from autograder.pipeline.standing import Audience, Standing
    from autograder.pipeline.workers import Workers

T = TypeVar("T")

app = typer.Typer(
    help="Build, prove and grade the assignments of the course on attention and sequence models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Data(StrEnum):
    """What the training exercises train on."""

    generated = "generated"
    imdb = "imdb"


class Profile(StrEnum):
    """The machine that trains."""

    cpu = "cpu"
    gpu = "gpu"


class Form(StrEnum):
    """What other programs take."""

    csv = "csv"
    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    github_classroom = "github-classroom"
    junit = "junit"
    github_summary = "github-summary"


def _beginning(incomplete: str) -> list[str]:
    """Returns the assignments that what was typed before Tab may become."""
    from autograder.exercises import NAMES

    return [name for name in NAMES if name.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(help="Assignments, e.g. 05_layer_norm; default: all.", autocompletion=_beginning),
]
Sandbox = Annotated[
    bool,
    typer.Option(help="--no-sandbox runs student code as you, for your own notebooks only; marks count as untrusted."),
]
Jobs = Annotated[
    int | None, typer.Option(help="Workers on this machine; default: as many as it has cores and memory for.")
]


@app.command()
def build(
    assignments: Names = None,
    sandbox: Sandbox = True,
    check: Annotated[bool, typer.Option(help="Only tell whether release/ and solutions/ are up to date.")] = False,
) -> None:
    """Make release/ and solutions/ from source/, and verify them.

    Example: autograder build 05_layer_norm
    """
    from dataclasses import replace

    from autograder.pipeline.settings import find_course, read_settings

    course = find_course(Path.cwd())
    names = _known(assignments)

    from autograder.pipeline.build import build as build_one
    from autograder.pipeline.build import is_fresh

    if check:
        stale = [line for name in names for line in is_fresh(course, name, course / "release", course / "solutions")]
        for line in stale:
            _say(line)
        if stale:
            raise typer.Exit(1)
        return
    settings = replace(read_settings(course), sandbox=sandbox)
    for name in names:
        _say(f"{name}: building, executing the solution and grading it")
        built = build_one(course, name, course / "release", course / "solutions", settings)
        _say(f"{name}: {built.points:g} points, solved gets all of them, untouched none")


@app.command()
def bundle(
    out: Annotated[Path | None, typer.Option(help="The zip; default: sequence-models.zip in the course.")] = None,
) -> None:
    """Make the zip that students get.

    It holds the released notebooks, the data package, an environment and a page to read.

    Example: autograder bundle --out handout.zip
    """
    from autograder.pipeline.bundle import FOLDER, write_bundle
    from autograder.pipeline.settings import UsageError, find_course

    course = find_course(Path.cwd())
    out = out or course / f"{FOLDER}.zip"
    try:
        names = write_bundle(course, out)
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}): name another file with --out.") from error
    for name in names:
        _say(f"  {name}")
    _say(f"{out}: {len(names)} files, no solution, no hidden check; unzip it and run `python3 start.py`")


@app.command()
def collect(
    archive: Annotated[Path, typer.Argument(help="The zip that Moodle or Canvas made, or one with a folder for each.")],
    assignment: Annotated[
        str, typer.Option(help="What its notebooks answer, e.g. 05_layer_norm.", autocompletion=_beginning)
    ],
    roster: Annotated[
        Path | None,
        typer.Option(
            help="CSV with the columns id, first_name, last_name, email, lms_user_id; default: take everybody."
        ),
    ] = None,
    submitted: Annotated[
        Path | None, typer.Option(help="Where notebooks go; default: submitted/ in the course.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Whose gradebook gets the roster; default: graded/.")] = None,
) -> None:
    """Take submissions out of a learning platform's zip.

    Each notebook goes to where grading looks for it: submitted/STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb.

    Example: autograder collect submissions.zip --assignment 05_layer_norm --roster roster.csv
    """
    from autograder.pipeline.settings import Limits, UsageError, find_course

    course = find_course(Path.cwd())
    _known([assignment])

    from autograder.pipeline.collect import collect as collect_from
    from autograder.pipeline.collect import enter_roster

    submitted = (submitted or course / "submitted").resolve()
    people = enter_roster(roster, course, (out or course / "graded").resolve()) if roster else None
    done = collect_from(archive, assignment, submitted, people, Limits())
    for line in done.left_out:
        _say(line)
    if not done.new and not done.unchanged:
        raise UsageError(f"Nothing of {archive} was collected; why stands above, a line for each of its files.")
    _say(f"{archive}, names as {done.platform} gives them; into {submitted}:")
    absent = [person.id for person in people or () if not (submitted / person.id / assignment).is_dir()]
    for what, students in (
        ("collected", done.new),
        ("there already", done.unchanged),
        ("late", done.late),
        ("nothing handed in", absent),
    ):
        if students:
            _say(f"  {len(students):3} {what}: {', '.join(students)}")


@app.command()
def grade(
    assignments: Annotated[
        list[str], typer.Argument(help="Assignments, e.g. 05_layer_norm.", autocompletion=_beginning)
    ],
    submitted: Annotated[
        Path | None,
        typer.Option(help="Folder with STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb; default: submitted/ in the course."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where results go; default: graded/ in the course.")] = None,
    students: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    jobs: Jobs = None,
    scheduler: Annotated[
        str, typer.Option(help="Grade on the workers of this Dask scheduler, e.g. tcp://host:8786: docs/clusters.md.")
    ] = "",
    db_url: Annotated[
        str,
        typer.Option(help="The gradebook's database; default: db_url in course.toml, else gradebook.db in --out."),
    ] = "",
    profile: Annotated[
        Profile, typer.Option(help="gpu trains on all of the real reviews, and lets student code use the GPU.")
    ] = Profile.cpu,
    data: Annotated[
        Data | None,
        typer.Option(help="imdb also trains on the real reviews; default: generated, with --profile gpu imdb."),
    ] = None,
    sandbox: Sandbox = True,
    cache: Annotated[bool, typer.Option(help="Use the results of earlier runs that nothing has changed.")] = True,
    preview: Annotated[
        bool, typer.Option("--preview", help="Grade and list whose marks would change, but write none.")
    ] = False,
) -> None:
    """Grade a class.

    It writes marks, feedback pages, results.json and an overview.

    Example: autograder grade 05_layer_norm --submitted submitted --jobs 4
    """
    from dataclasses import replace

    from autograder.pipeline.settings import PUBLIC_SEED, find_course, read_settings

    course = find_course(Path.cwd())
    _known(assignments)

    from autograder.pipeline.classroom import Class, forget, students_of

    data = data or (Data.imdb if profile is Profile.gpu else Data.generated)
    settings = replace(read_settings(course), data=data.value, profile=profile.value, sandbox=sandbox)
    out = (out or course / "graded").resolve()
    group = Class(
        course,
        (submitted or course / "submitted").resolve(),
        out,
        settings,
        _jobs(jobs, scheduler),
        scheduler,
        db_url,
    )
    wanted = [name for name in students.split(",") if name]
    classes = {name: students_of(group, name, wanted) for name in assignments}
    again = "the same command again"
    if not cache:
        forget(out, [] if preview else assignments)
        again = "the same command without --no-cache"
    if settings.seed == PUBLIC_SEED:
        _say("The seed is the one that the course comes with, which everybody can read: set your own in course.toml.")
    if preview:
        _preview(group, classes, again)
    else:
        _grade(group, classes, "Results", again)


@app.command()
def report(
    results: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files graded/ASSIGNMENT/results.json; default: all in graded/ of the course.", metavar="RESULTS"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page; default: overview.html, or overview-no-names.html, in the folder that holds ASSIGNMENT/."
        ),
    ] = None,
    hide_names: Annotated[
        bool,
        typer.Option("--hide-names", help="Numbers stand for students, and nothing that a student wrote is shown."),
    ] = False,
) -> None:
    """Make the overview of a class anew from its results.

    Example: autograder report graded/05_layer_norm/results.json --hide-names
    """
    from autograder.pipeline.settings import UsageError, find_course, read_db_url
    from autograder.pipeline.summary import graded_in, overview

    course = None
    with contextlib.suppress(UsageError):  # results may lie anywhere, without their course
        course = find_course(Path.cwd())
    db_url = read_db_url(course) if course else ""
    graded = [path.resolve() for path in results or graded_in(find_course(Path.cwd()) / "graded")]
    default = "overview-no-names.html" if hide_names else "overview.html"
    out = (out or graded[0].parent.parent / default).resolve()
    _write({out: overview("Results", graded, out.parent, db_url, hide_names=hide_names)})
    _say(f"Overview:  {out}")


@app.command()
def export(
    form: Annotated[Form, typer.Argument(help="What to write; see below.", metavar="FORMAT", show_choices=False)],
    results: Annotated[Path, typer.Argument(help="A file graded/ASSIGNMENT/results.json.", metavar="RESULTS")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; for gradescope and github-classroom without --student a folder, which gets "
            "STUDENT/results.json. Default: standard output."
        ),
    ] = None,
    student: Annotated[str, typer.Option(help="Only this one.")] = "",
) -> None:
    """Write the marks in a form that another program takes.

    \b
    csv               one line for each student and question
    canvas            gradebook to import into Canvas
    moodle            grades to import into Moodle
    gradescope        results.json of a Gradescope autograder, of one student
    github-classroom  for GitHub Classroom's autograding reporter, of one student
    junit             JUnit XML: a suite for each student, a case for each check
    github-summary    Markdown for $GITHUB_STEP_SUMMARY

    Example: autograder export canvas graded/05_layer_norm/results.json --out canvas.csv
    """  # noqa: D301 (the backspace keeps the lines of the list apart)
    from autograder.export import FORMATS, files_of_each, only
    from autograder.pipeline.results import read_results
    from autograder.pipeline.settings import UsageError

    chosen = FORMATS[form]
    found = read_results(results)
    if not found.students:
        raise UsageError(f"{results} holds no student: grade again.")
    if student:
        found = only(found, student)
    if not found.trusted:
        _say(f"{results} is UNTRUSTED: student code ran outside the sandbox, so its marks prove nothing.")
    if not chosen.of_one or student:
        text = chosen.write(found)
        if out is None:
            sys.stdout.write(text)
        else:
            _write({out: text})
    elif out is None:
        raise UsageError(f"{form} is about one student: name one with --student, or a folder for all with --out.")
    else:
        _write(files_of_each(found, chosen, out))


@app.command()
def prove(
    assignments: Names = None,
    seeds: Annotated[int, typer.Option(help="Course seeds to try.", min=1)] = 2,
    thorough: Annotated[bool, typer.Option(help="Also pairs of misconceptions, and mutants of the solutions.")] = False,
) -> None:
    """Prove that the hidden checks catch what is wrong.

    Each known misconception must lose marks and be named, each correct alternative must get full marks.

    Example: autograder prove 05_layer_norm --thorough
    """
    from autograder.pipeline.settings import find_course

    course = find_course(Path.cwd())
    names = _known(assignments)

    from rich.console import Console
    from rich.table import Table

    from autograder.exercises import assignment
    from autograder.pipeline.proof import prove_exercise
    from autograder.pipeline.source import complete, read_source

    sources = {name: complete(read_source(course, name), assignment(name)) for name in names}
    rows: list[dict[str, str]] = []
    problems: list[str] = []
    idle: list[str] = []
    for name in names:
        for exercise in assignment(name).exercises:
            _say(f"Proving {name}: {exercise.symbol}")
            proof = prove_exercise(sources[name], exercise, course / "tests", seeds, thorough=thorough)
            rows.append(proof.row())
            problems += [f"{exercise.symbol}: {line}" for line in proof.problems]
            idle += [f"{exercise.symbol}: no wrong solution failed the check {check!r}" for check in proof.idle_checks]
    table = Table(box=None, padding=(0, 1))
    for column in rows[0]:
        table.add_column(column, justify="left" if column == "symbol" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row.values())
    Console(stderr=True, width=None if sys.stderr.isatty() else 160).print(table)
    for line in idle + problems:
        _say(line)
    if problems:
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Tell whether this machine can wall student code in.

    Below what is missing stands how to get it.

    Example: autograder doctor
    """
    from autograder.sandbox.doctor import examine

    findings = examine()
    for finding in findings:
        _say(f"{finding.state:8} {finding.name}: {finding.detail}")
        if finding.remedy:
            _say(f"{'':8} {finding.remedy}")
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(1)


@app.command(context_settings={"ignore_unknown_options": True})
def lab(
    options: Annotated[
        list[str] | None, typer.Argument(help="Options of JupyterLab, e.g. --port 8890 --no-browser.")
    ] = None,
    submitted: Annotated[Path | None, typer.Option(help="As for grade; default: submitted/ in the course.")] = None,
    out: Annotated[Path | None, typer.Option(help="As for grade; default: graded/ in the course.")] = None,
) -> None:
    """Open JupyterLab with the formgrader.

    There one generates, collects, autogrades, marks by hand and returns feedback.

    Example: autograder lab --port 8890
    """
    from autograder.pipeline.settings import find_course

    course = find_course(Path.cwd())

    from autograder.pipeline.lab import command, environment, prepare

    submitted, out = (submitted or course / "submitted").resolve(), (out or course / "graded").resolve()
    _say("Entering the assignments into the gradebook")
    prepare(course, submitted, out)
    _say("Opening JupyterLab; the formgrader is in its menu Nbgrader. Ctrl-C ends it.")
    os.chdir(course)
    words = command(course, out, options or [])
    os.execve(words[0], words, environment(submitted, out))


_DEMO = ("01_sequence_cnn", "03_self_attention", "05_layer_norm")
"""A training, a chain of functions, a written answer: what there is to see, in three minutes."""


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Where everything goes; default: graded/demo in the course.")] = None,
    jobs: Jobs = None,
    sandbox: Sandbox = True,
) -> None:
    """Simulate a class, grade it and say where to look.

    It builds three assignments first. What it makes is in graded/demo/, which it deletes first.

    Example: autograder demo
    """
    from dataclasses import replace

    from autograder.pipeline.settings import find_course, read_settings

    course = find_course(Path.cwd())
    jobs = _jobs(jobs)
    settings = replace(read_settings(course), sandbox=sandbox)
    out = (out or course / "graded" / "demo").resolve()
    _empty_for_a_demo(out, course)

    from autograder.exercises import assignment
    from autograder.pipeline.build import build as build_one
    from autograder.pipeline.classroom import Class
    from autograder.pipeline.simulate import simulated_class, write_class
    from autograder.pipeline.source import read_source
    from autograder.pipeline.stages import gradebook_url

    for name in _DEMO:
        _say(f"Building {name}: release, executed solution, and the proof that solved gets all points, untouched none")
        build_one(course, name, out / "release", out / "solutions", settings)
    classes: dict[str, list[str]] = {}
    for name in _DEMO:
        handed = simulated_class(
            read_source(course, name),
            assignment(name),
            alternatives=course / "tests" / "alternatives",
        )
        classes[name] = [one.student for one in write_class(handed, name, out / "submitted")]
    group = Class(course, out / "submitted", out, settings, jobs, db_url=gradebook_url(out))
    count = len({student for students in classes.values() for student in students})
    _say(f"A simulated class of {count} hands in {sum(map(len, classes.values()))} notebooks")
    _grade(group, classes, "A simulated class")


_MADE = ".demo"
"""The file that tells a folder which a demo made, and which the next one may delete."""


def _empty_for_a_demo(out: Path, course: Path) -> None:
    """Makes the folder of a demo anew, and deletes nothing that is not a demo's."""
    import shutil

    from autograder.pipeline.settings import UsageError

    try:
        made = out == course / "graded" / "demo" or (out / _MADE).is_file()
        if out.exists() and not made and not (out.is_dir() and not any(out.iterdir())):
            raise UsageError(f"{out} is there already and was not made by a demo: name a new folder with --out.")
        if out.exists():
            shutil.rmtree(out)
        out.mkdir(parents=True)
        (out / _MADE).touch()
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}): name another folder with --out.") from error


def _at_terminal(bar: Progress, name: str, total: int) -> Audience:
    from autograder.pipeline.standing import Audience

    task = bar.add_task(name, total=total, standing="", told="")

    def show(standing: Standing) -> None:
        done = standing.done if standing.entered is None else standing.entered
        bar.update(task, completed=done, standing=str(standing), told="")

    return Audience(
        show,
        lambda line: bar.update(task, told=shown(line)),
        lambda line: bar.console.print(shown(line), markup=False, highlight=False),
    )


_LINE_SECONDS = 10.0
"""How often a log is told how far the grading has got."""


def _in_log(name: str, total: int) -> Audience:
    import time

    from autograder.pipeline.standing import Audience

    said = time.monotonic()

    def show(standing: Standing) -> None:
        nonlocal said
        complete = standing.entered == standing.total or (standing.done == standing.total and standing.entered is None)
        if complete or time.monotonic() - said > _LINE_SECONDS:
            said = time.monotonic()
            _say(f"{name}: {standing}")

    _say(f"Grading {name}: {total} submissions")
    return Audience(show, _say, _say)


def _grade(group: Class, classes: dict[str, list[str]], title: str, again: str = "the same command again") -> None:
    from rich.console import Console

    from autograder.pipeline.classroom import grade_class
    from autograder.pipeline.settings import read_db_url
    from autograder.pipeline.summary import feedback_page, write_overview

    console = Console(stderr=True, width=None if sys.stderr.isatty() else 140)
    results = list(_each(console, grade_class, group, classes, again))
    for one in results:
        _show(console, one)
    overview = write_overview(group.out, title, group.db_url or read_db_url(group.course))
    example = feedback_page(group.out, next(iter(results[0].students)), results[0].assignment)
    _say(f"Overview:  {overview}")
    _say(f"Feedback:  {group.out / 'feedback'}, e.g. {example}")
    _say("Results:   " + ", ".join(str(group.out / one.assignment / "results.json") for one in results))


def _preview(group: Class, classes: dict[str, list[str]], again: str) -> None:
    from rich.console import Console

    from autograder.pipeline.classroom import preview_class

    found = list(_each(Console(stderr=True), preview_class, group, classes, again))
    for name, changes in zip(classes, found, strict=True):
        _say(f"{name}: {len(changes)} of {len(classes[name])} students would have other marks than the gradebook says")
        for change in changes:
            _say(f"  {change}")
    _say("Nothing was written; the same command without --preview writes it.")


def _each(
    console: Console,
    grade: Callable[[Class, str, Sequence[str], Audience, Workers], T],
    group: Class,
    classes: Mapping[str, Sequence[str]],
    again: str,
) -> Iterator[T]:
    """Grades one assignment after the other, and shows how far it has got; `again` goes on where it was stopped."""
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    from autograder.pipeline.classroom import Stopped, workers_of

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[standing]}"),
        TextColumn("{task.fields[told]}", style="dim", table_column=Column(ratio=1, no_wrap=True)),
    )
    with (
        workers_of(group) as workers,
        Progress(*columns, console=console, disable=not console.is_terminal, expand=True) as bar,
    ):
        for name, students in classes.items():
            audience = _at_terminal(bar, name, len(students)) if console.is_terminal else _in_log(name, len(students))
            try:
                yield grade(group, name, students, audience, workers)
            except Stopped as stopped:
                bar.stop()
                _say(f"autograder: stopped, {name}: {stopped}; run {again} to go on where it stopped")
                raise typer.Exit(130) from None


_ROWS = 200
"""Students of a table in the terminal."""


def _show(console: Console, results: Results) -> None:
    from rich.table import Table
    from rich.text import Text

    from autograder.report.cell import number

    table = Table(title=results.assignment, title_justify="left", box=None, padding=(0, 1))
    table.add_column("student", no_wrap=True)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("what was found", no_wrap=True, overflow="ellipsis")
    for student, outcome in islice(results.students.items(), _ROWS):
        lost = [
            f"{symbol}: " + (exercise.misconception or exercise.status.replace("graded", "wrong"))
            for symbol, exercise in outcome.exercises.items()
            if exercise.score < exercise.max_score
        ]
        found = outcome.problem or "; ".join(lost[:1]) + (f" and {len(lost) - 1} more" if len(lost) > 1 else "")
        points = f"{number(outcome.score)}/{number(outcome.max_score)}"
        table.add_row(*(Text(shown(part)) for part in (student, points, outcome.status, found)))
    console.print(table)
    if len(results.students) > _ROWS:
        console.print(f" and {len(results.students) - _ROWS:,} more, whom the overview has")
    console.print()


def _known(assignments: list[str] | None) -> list[str]:
    from autograder.exercises import NAMES
    from autograder.pipeline.settings import UsageError

    for name in assignments or ():
        if name not in NAMES:
            raise UsageError(f"There is no assignment {name!r}; there are {', '.join(NAMES)}.")
    return assignments or list(NAMES)


def _jobs(jobs: int | None, scheduler: str = "") -> int | None:
    from autograder.pipeline.settings import UsageError

    if jobs is not None and jobs < 1:
        raise UsageError(f"--jobs is {jobs}; expected 1 or more.")
    if jobs is not None and scheduler:
        raise UsageError("--jobs is for workers on this machine; a cluster that --scheduler names has its own.")
    return jobs


def _write(files: Mapping[Path, str]) -> None:
    from autograder.pipeline.journal import write_atomically
    from autograder.pipeline.settings import UsageError

    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text.encode())
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror}): name another place with --out.") from error


def _say(message: str) -> None:
    print(shown(message), file=sys.stderr, flush=True)


def main() -> None:
    """Runs the command; causes the user can mend end in one sentence."""
    from autograder.pipeline.settings import UsageError

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's greetings are no message of ours
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # it gets some products of broadcast matrices wrong
    try:
        app()
    except UsageError as error:
        _complain(error)
        sys.exit(2)
    except _failures() as error:
        _complain(error)
        sys.exit(1)
    except OSError as error:  # a disk that is full, a file that is another user's
        _say(
            f"autograder: {error.filename or 'The machine'}: {error.strerror or error}: make room or let this user "
            "read and write there, then run the same command again."
        )
        sys.exit(1)
    except SystemExit as end:
        if isinstance(getattr(end.__context__, "__cause__", None), KeyboardInterrupt):
            _say(_STOPPED)
        raise
    except KeyboardInterrupt:  # while a message is written, or what was begun is put away
        _say(_STOPPED)
        sys.exit(130)


_STOPPED = "autograder: stopped; the same command begins again"


def _complain(error: Exception) -> None:
    for line in f"autograder: {error}".splitlines():
        _say(line)


def _failures() -> tuple[type[Exception], ...]:
    """The errors of ours that explain themselves, if the modules that raise them were loaded at all."""
    named = (
        ("autograder.pipeline.build", "BuildError"),
        ("autograder.pipeline.nbgrader_stages", "StageError"),
        ("autograder.pipeline.grading", "GradingError"),
        ("autograder.pipeline.gradebook", "GradebookError"),
        ("autograder.pipeline.cluster", "ClusterError"),
        ("autograder.pipeline.worker", "WorkerError"),
        ("autograder.sandbox.kernels", "WarmInterpreterError"),
    )
    return tuple(getattr(sys.modules[m], n) for m, n in named if m in sys.modules)


if __name__ == "__main__":
    main()
