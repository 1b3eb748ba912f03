"""What the reference solution reaches under the accuracy protocol, and what a bag of words reaches on the same rows.

SEQUENCE_DATA_IMDB=imdb_compact.npz .venv/bin/python -m benchmarks.accuracy --corpus imdb --seeds 5
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.checking import Probe, Split, generator
from autograder.checking.accuracy import renamed, score, trained
from autograder.pipeline.corpora import load
from autograder.pipeline.source import read_source
from autograder.sandbox.kernels import shared_interpreter
from autograder.sandbox.session import Session

COURSE = Path(__file__).resolve().parent.parent
BUILDERS = {"01_sequence_cnn": "build_sequence_cnn", "06_transformer": "build_transformer"}
"""The solutions that are trained, by the assignment they belong to."""


def main() -> None:
    """Trains, prints a table and writes it to docs/benchmarks/."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--corpus", choices=["phrases", "order", "imdb"], default="phrases")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--out", type=Path, default=COURSE / "docs" / "benchmarks")
    options = arguments.parse_args()
    split = load("imdb")(options.corpus)
    lines = [
        f"Corpus `{options.corpus}`: {len(split.x_train):,} rows to train on, {len(split.x_test):,} to score on, "
        f"{split.x_train.shape[1]} tokens, {split.vocabulary_size:,} ids. {options.seeds} seeds; one CPU thread.",
        "",
        "| | accuracy, mean | lowest | highest | seconds, median |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, symbol in BUILDERS.items():
        found = [_reference(name, symbol, split, seed) for seed in range(options.seeds)]
        lines.append(_row(f"`{symbol}`, the reference solution", found))
    lines.append(_row("bag of words, logistic regression", [_bag_of_words(split)]))
    text = "\n".join([*lines, ""])
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"accuracy_{options.corpus}.md").write_text(text)


def _row(what: str, found: list[tuple[float, float]]) -> str:
    accuracies, seconds = zip(*found, strict=True)
    return (
        f"| {what} | {statistics.mean(accuracies):.4f} | {min(accuracies):.4f} | {max(accuracies):.4f} | "
        f"{statistics.median(seconds):.0f} |"
    )


def _reference(name: str, symbol: str, split: Split, seed: int) -> tuple[float, float]:
    """Trains a solution in a kernel, as the grader does; returns its accuracy and the seconds it took."""
    source = read_source(COURSE, name)
    with Session(shared_interpreter()) as session:
        session.run(source.setup, 120)
        for solution in source.solutions.values():  # a builder may use what was written before it
            session.run(solution, 60)

        def ask(question: Any) -> Any:
            return session.ask(question, 1200)

        rng = generator("accuracy", name, str(seed))
        rows = renamed(split, rng)
        started = time.monotonic()
        probabilities, labels = trained(Probe(ask), symbol, rows, rng)
        seconds = time.monotonic() - started
    accuracy = score(labels, probabilities)
    print(f"{symbol}, seed {seed}: {accuracy:.4f} in {seconds:.0f} s", flush=True)
    return accuracy, seconds


def _bag_of_words(split: Split) -> tuple[float, float]:
    """Fits a logistic regression to which words occur."""
    started = time.monotonic()
    vectorizer = CountVectorizer(analyzer=lambda row: row[row > 2].tolist(), binary=True)
    model = LogisticRegression(C=0.02, max_iter=1000)
    model.fit(vectorizer.fit_transform(list(split.x_train)), split.y_train)
    probabilities = model.predict_proba(vectorizer.transform(list(split.x_test)))[:, 1]
    return score(split.y_test, np.asarray(probabilities)), time.monotonic() - started


if __name__ == "__main__":
    main()
