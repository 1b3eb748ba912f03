"""Where the time of a training exercise goes, and what would make it shorter.

    .venv/bin/python -m benchmarks.training_time --corpus phrases --corpus order --corpus letters --rounds 3
    SEQUENCE_DATA_IMDB=imdb_compact.npz .venv/bin/python -m benchmarks.training_time --corpus imdb-small

The reference solutions are trained in the sandbox as the grader does it, each way in turn within a round. The page is
made from every measurement, which docs/benchmarks/training_time.json keeps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder.checking import Probe, Trial, generator, sorting, training
from autograder.exercises import find
from autograder.pipeline.source import read_source
from autograder.sandbox.kernels import shared_interpreter
from autograder.sandbox.session import Session
from benchmarks.calibrate import BUILDERS, CORPORA, COURSE, OUT, of_run, reached
from benchmarks.machine import idle_load

_WATCH = """
import time as _time
import keras as _keras

_fit, _spent = _keras.Model.fit, []


def _timed(self, *args, **kwargs):
    started = _time.monotonic()
    try:
        return _fit(self, *args, **kwargs)
    finally:
        _spent.append(_time.monotonic() - started)


_keras.Model.fit = _timed
"""


@dataclass(frozen=True)
class Way:
    """A way to train the same model.

    Attributes:
        name: what is special about it.
        before: code that runs before the solution.
        compile: arguments of compile in addition.
        batch_size: rows in a step.
    """

    name: str
    before: str = ""
    compile: str = ""
    batch_size: int = training.BATCH_SIZE


WAYS = (
    Way("as the grader does it"),
    Way("XLA", compile="jit_compile=True, "),
    Way("mixed precision", before="_keras.mixed_precision.set_global_policy('mixed_bfloat16')"),
    Way("32 rows in a step", batch_size=32),
    Way("128 rows in a step", batch_size=128),
)


def measure(corpus: str, symbol: str, way: Way, seed: int) -> dict[str, float]:
    """Trains a reference solution; returns its accuracy, the seconds of all and those within `fit`."""
    source, exercise = read_source(COURSE, BUILDERS[symbol]), find(symbol)
    with Session(shared_interpreter()) as session:
        cells = [source.setup, _WATCH, way.before]
        cells += [solution.replace(".compile(", f".compile({way.compile}") for solution in source.solutions.values()]
        for cell in cells:
            if error := session.run(cell, 120).error:
                raise SystemExit(f"{symbol}, {way.name}: a cell raised {': '.join(error)}")

        def ask(question: Mapping[str, Any]) -> Mapping[str, Any]:
            return session.ask(question, 1800)

        name, rows = of_run(corpus, seed)
        if corpus != sorting.CORPUS:
            rows(name)  # the grader loads a corpus once for a class
        trial = Trial(exercise, Probe(ask), generator("training time", corpus, symbol, str(seed)), rows)
        usual, training.BATCH_SIZE = training.BATCH_SIZE, way.batch_size
        try:
            started = time.monotonic()
            accuracy = reached(trial, name)
            wall = time.monotonic() - started
        finally:
            training.BATCH_SIZE = usual
        fit = float(session.run("print(sum(_spent))", 10).text)
    return {"accuracy": accuracy, "wall": wall, "fit": fit}


_INTRODUCTION = """# Where the time of a training exercise goes

Reference solutions, trained in the sandbox as the grader does it, in one thread. *All*: from building the model to its
answers for the test rows; of letters to be sorted, *accuracy* is the share sorted without a mistake. *Outside fit*: the
part of it that is not spent in Keras' own `fit`: disguising and sending rows, fetching weights, asking for predictions.
Medians of the rounds; *busy*: cores at work with other things. Made by `.venv/bin/python -m benchmarks.training_time`.
"""


def page(kept: Mapping[str, Mapping[str, Mapping[str, list[dict[str, float]]]]]) -> str:
    """Returns the tables in Markdown."""
    text = _INTRODUCTION
    for corpus, symbols in kept.items():
        for symbol, ways in symbols.items():
            text += f"\n## `{symbol}` on {corpus}\n\n"
            text += "| way | rounds | all, s | of the usual | outside fit | accuracy | busy |\n"
            text += "|---|---:|---:|---:|---:|---:|---:|\n"
            usual = statistics.median(one["wall"] for one in ways[WAYS[0].name])
            for name, rounds in ways.items():
                middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
                outside = statistics.median(1 - one["fit"] / one["wall"] for one in rounds)
                text += (
                    f"| {name} | {len(rounds)} | {middle['wall']:.1f} | {middle['wall'] / usual:.2f} | {outside:.0%} "
                    f"| {middle['accuracy']:.4f} | {middle['busy']:.1f} |\n"
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
        kept[corpus] = {symbol: {way.name: [] for way in WAYS} for symbol in CORPORA[corpus]}
        for seed in range(options.rounds):
            for symbol in CORPORA[corpus]:
                for way in WAYS:
                    busy = idle_load()
                    found = {**measure(corpus, symbol, way, seed), "busy": busy}
                    print(corpus, symbol, way.name, found, flush=True)
                    kept[corpus][symbol][way.name].append(found)
    path.write_text(json.dumps(kept, indent=1) + "\n")
    (OUT / "training_time.md").write_text(page(kept))


if __name__ == "__main__":
    main()
