"""Where the time of a training exercise goes, and what would make it shorter.

    .venv/bin/python -m benchmarks.training_time --corpus phrases --corpus order --corpus letters --rounds 3
    SEQUENCE_DATA_IMDB=imdb_compact.npz .venv/bin/python -m benchmarks.training_time --corpus imdb-small

The reference solutions are trained in the sandbox as the grader does it, each way in turn within a round. The page is
made from every measurement, which docs/benchmarks/training_time.json keeps.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.checking import Probe, Trial, generator, sorting, training
from autograder.exercises import find
from autograder.pipeline import corpora
from autograder.pipeline.source import read_source
from autograder.sandbox.kernels import shared_interpreter
from autograder.sandbox.session import Session
from benchmarks.calibrate import BUILDERS, CORPORA, COURSE, OUT, of_run, reached
from benchmarks.machine import idle_load

_WATCH = """
import time as _time
import keras as _keras

_spent = {"fit": [], "predict": []}


def _timed(name):
    method = getattr(_keras.Model, name)

    def timed(self, *args, **kwargs):
        started = _time.monotonic()
        try:
            return method(self, *args, **kwargs)
        finally:
            _spent[name].append(_time.monotonic() - started)

    setattr(_keras.Model, name, timed)


_timed("fit")
_timed("predict")
"""


@dataclass(frozen=True)
class Way:
    """A way to train.

    Attributes:
        name: what is special about it.
        before: code that runs before the solution.
        edits: what stands in the solution, and what stands there instead.
        batch_size: rows in a step.
        reviews: reviews of IMDb to train on.
        length: tokens of a review of IMDb.
    """

    name: str
    before: str = ""
    edits: tuple[tuple[str, str], ...] = ()
    batch_size: int = training.BATCH_SIZE
    reviews: int = corpora.SIZES["cpu"][0]
    length: int = corpora.SIZES["cpu"][2]

    def of(self, solution: str) -> str:
        """Returns a solution as it is trained in this way."""
        edited = solution
        for old, new in self.edits:
            edited = edited.replace(old, new)
        if self.edits and edited == solution:
            raise SystemExit(f"{self.name}: nothing in the solution is to be replaced")
        return edited


WAYS = (
    Way("as the grader does it"),
    Way("XLA", edits=((".compile(", ".compile(jit_compile=True, "),)),
    Way("mixed precision", before="_keras.mixed_precision.set_global_policy('mixed_bfloat16')"),
    Way("32 rows in a step", batch_size=32),
    Way("128 rows in a step", batch_size=128),
)
"""On every corpus."""
SIZES = (
    Way("64 tokens", length=64),
    Way("200 tokens", length=200),
    Way("6,250 reviews", reviews=6_250),
    Way("25,000 reviews", reviews=25_000),
    Way("a quarter as wide", edits=((" 32", " 8"), ("Conv1D(64", "Conv1D(16"), ("hidden_dim=64", "hidden_dim=16"))),
    Way("twice as wide", edits=((" 32", " 64"), ("Conv1D(64", "Conv1D(128"), ("hidden_dim=64", "hidden_dim=128"))),
)
"""Where the course has a choice: on the part of IMDb for machines without a GPU."""


def ways(corpus: str) -> tuple[Way, ...]:
    """Returns the ways that are tried on a corpus."""
    return (*WAYS, *SIZES) if corpus == "imdb-small" else WAYS


def measure(corpus: str, symbol: str, way: Way, seed: int) -> dict[str, float]:
    """Trains a reference solution; returns its accuracy and seconds: of all, in `fit`, in `predict`, for tracing."""
    source, exercise = read_source(COURSE, BUILDERS[symbol]), find(symbol)
    with Session(shared_interpreter()) as session:
        cells = [source.setup, _WATCH, way.before]
        cells += [way.of(solution) if name == symbol else solution for name, solution in source.solutions.items()]
        for cell in cells:
            if error := session.run(cell, 120).error:
                raise SystemExit(f"{symbol}, {way.name}: a cell raised {': '.join(error)}")

        def ask(question: Mapping[str, Any]) -> Mapping[str, Any]:
            return session.ask(question, 1800)

        with _settings(way):
            name, rows = of_run(corpus, seed)
            if corpus != sorting.CORPUS:
                rows(name)  # the grader loads a corpus once for a class
            trial = Trial(exercise, Probe(ask), generator("training time", corpus, symbol, str(seed)), rows)
            started = time.monotonic()
            accuracy = reached(trial, name)
            wall = time.monotonic() - started
        spent = json.loads(session.run("import json; print(json.dumps(_spent))", 10).text)
    return {
        "accuracy": accuracy,
        "wall": wall,
        "fit": sum(spent["fit"]),
        "predict": sum(spent["predict"]),
        "tracing": max(0.0, spent["fit"][0] - min(spent["fit"])),
    }


@contextlib.contextmanager
def _settings(way: Way) -> Generator[None]:
    """Sets what belongs to the grader and not to the solution."""
    batch_size, sizes = training.BATCH_SIZE, dict(corpora.SIZES)
    training.BATCH_SIZE = way.batch_size
    corpora.SIZES["cpu"] = (way.reviews, sizes["cpu"][1], way.length)
    try:
        yield
    finally:
        training.BATCH_SIZE = batch_size
        corpora.SIZES.update(sizes)


_INTRODUCTION = """# Where the time of a training exercise goes

Reference solutions, trained in the sandbox as the grader does it, in one thread. *All*: from building the model to its
answers for the unseen rows; of letters to be sorted, *accuracy* is the share sorted without a mistake. *predict*: the
part of it in Keras' `predict`: the answers for the unseen rows that count, and for others with the weights from before
training (a third as many when this was measured, of letters as many). *Rest*: the part in neither `fit` nor `predict`:
building the model, disguising and sending rows, fetching and setting weights. *Tracing*: what the first epoch takes
longer than the shortest. Medians of the rounds; *busy*: cores at work with other things. Made by
`.venv/bin/python -m benchmarks.training_time`.
"""


def page(kept: Mapping[str, Mapping[str, Mapping[str, list[dict[str, float]]]]]) -> str:
    """Returns the tables in Markdown."""
    text = _INTRODUCTION
    for corpus, symbols in kept.items():
        for symbol, found in symbols.items():
            text += f"\n## `{symbol}` on {corpus}\n\n"
            text += "| way | rounds | all, s | of the usual | predict | rest | tracing, s | accuracy | busy |\n"
            text += "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"
            usual = statistics.median(one["wall"] for one in found[WAYS[0].name])
            for name, rounds in found.items():
                middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
                predict = statistics.median(one["predict"] / one["wall"] for one in rounds)
                rest = statistics.median(1 - (one["fit"] + one["predict"]) / one["wall"] for one in rounds)
                text += (
                    f"| {name} | {len(rounds)} | {middle['wall']:.1f} | {middle['wall'] / usual:.2f} | {predict:.0%} "
                    f"| {rest:.0%} | {middle['tracing']:.1f} | {middle['accuracy']:.4f} | {middle['busy']:.1f} |\n"
                )
    return text


def main() -> None:
    """Measures, and writes the page."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--corpus", choices=CORPORA, action="append", required=True)
    arguments.add_argument("--rounds", type=int, default=1)
    options = arguments.parse_args()
    path = OUT / "training_time.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    for corpus in options.corpus:
        kept[corpus] = {symbol: {way.name: [] for way in ways(corpus)} for symbol in CORPORA[corpus]}
        for seed in range(options.rounds):
            for symbol in CORPORA[corpus]:
                for way in ways(corpus):
                    busy = idle_load()
                    found = {**measure(corpus, symbol, way, seed), "busy": busy}
                    print(corpus, symbol, way.name, found, flush=True)
                    kept[corpus][symbol][way.name].append(found)
                    path.write_text(json.dumps(kept, indent=1) + "\n")
    (OUT / "training_time.md").write_text(page(kept))


if __name__ == "__main__":
    main()
