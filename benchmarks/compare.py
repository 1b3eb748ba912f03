"""The comparison in section 6 of 06_transformer, on real reviews and with several seeds.

SEQUENCE_DATA_IMDB=imdb_compact.npz .venv/bin/python -m benchmarks.compare --corpus imdb --seeds 3

Models, training, scores and figures are the notebook's own cells, so that there is one place where they stand. What a
seed gave is kept in docs/benchmarks/comparison.json as soon as all have been trained with it, and not done again.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.pipeline.source import (
    SourceNotebook,
    grade_id,
    graded_symbol,
    is_setup,
    is_solution,
    read_source,
)

COURSE = Path(__file__).resolve().parent.parent
OUT = COURSE / "docs" / "benchmarks"
ASSIGNMENT = "06_transformer"
CORPORA = {
    "generated": "The notebook's mixture: a third of the reviews hangs on words, a third on phrases, a third on order.",
    "imdb": "Real reviews: *whole* ones are read to their beginning, of *cut* ones the last tokens only.",
}
RUN = ("compare-given", "compare-contest")
"""The cells that define the contestants and the contest; they train nothing."""
FIGURES = {
    "compare-figure": (
        "scores",
        "ROC curves and confusion matrices; their numbers stand in the first table",
    ),
    "compare-disagree": ("disagreement", "Accuracy by kind of review, disagreement by pair; the numbers stand above"),
}
"""The cells that draw, what their pictures are called and what they show."""

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)

_INTRODUCTION = """# The comparison

Section 6 of `06_transformer`, run by `python -m benchmarks.compare` with the cells of that notebook and the solution of
its exercises. All are trained as the grader trains: at most three epochs, a tenth of the rows held out, the weights of
the best epoch kept. Numbers are means over the seeds, in brackets the lowest and the highest accuracy; the two
regressions are the same for every seed. Seconds are those of two busy CPU cores. Pictures and the table of
disagreement are those of the first seed."""

Scores = dict[str, Any]
"""What one contestant reached with one seed."""


def namespace(source: SourceNotebook) -> dict[str, Any]:
    """Returns what the solved notebook defines once its cells have run, without running what trains and draws."""
    names: dict[str, Any] = {"__name__": "cell"}
    exec(source.setup, names)
    for cell in source.notebook.cells:
        if cell.cell_type != "code" or is_setup(cell) or graded_symbol(cell):
            continue
        if is_solution(cell):
            exec(source.solutions[str(grade_id(cell))], names)
        elif cell.id in RUN:
            run(names, source, cell.id)
        else:
            tree = ast.parse(cell.source)
            tree.body = [statement for statement in tree.body if isinstance(statement, _DEFINITIONS)]
            exec(compile(tree, cell.id, "exec"), names)
    return names


def run(names: dict[str, Any], source: SourceNotebook, name: str) -> None:
    """Runs a cell of the notebook by its id."""
    (text,) = (cell.source for cell in source.notebook.cells if cell.id == name)
    exec(compile(text, name, "exec"), names)


def compete(names: Mapping[str, Any], seed: int) -> tuple[dict[str, np.ndarray], dict[str, Scores]]:
    """Trains all contestants on the common reviews; returns their probabilities of the test rows, and their scores."""
    said: dict[str, np.ndarray] = {}
    scores: dict[str, Scores] = {}
    labels, kinds = names["common"].y_test, names["kinds"]
    for name in names["contestants"]:
        said[name], parameters, seconds = names["compete"](name, names["common"], seed)
        right = (said[name] >= 0.5) == labels
        scores[name] = {
            **names["evaluate_classifier"](labels, said[name]),
            "false alarms": float(np.mean(said[name][labels == 0] >= 0.5)),
            "kinds": {str(kind): float(right[kinds == kind].mean()) for kind in np.unique(kinds)},
            "parameters": int(parameters),
            "seconds": seconds,
        }
        print(f"seed {seed}, {name}: {scores[name]['accuracy']:.4f} in {seconds:.0f} s", flush=True)
    return said, scores


def disagreement(said: Mapping[str, np.ndarray]) -> list[list[float]]:
    """Returns the share of the reviews that two contestants judge differently, a row for each."""
    positive = [found >= 0.5 for found in said.values()]
    return [[float(np.mean(a != b)) for b in positive] for a in positive]


def compare(corpus: str, seeds: int) -> None:
    """Trains what has not been trained yet on a corpus, and draws the pictures of the first seed."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    path = OUT / "comparison.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    of_corpus = kept.setdefault(corpus, {"seeds": []})
    source = read_source(COURSE, ASSIGNMENT)
    names = namespace(source)
    names["common"], names["kinds"] = names["common_reviews"](corpus)
    common = names["common"]
    of_corpus["rows"] = [len(common.x_train), len(common.x_test), common.sequence_length, common.num_words]
    for seed in range(len(of_corpus["seeds"]), seeds):
        names["said"], scores = compete(names, seed)
        of_corpus["seeds"].append(scores)
        if seed == 0:
            of_corpus["disagreement"] = disagreement(names["said"])
            for cell, (name, _) in FIGURES.items():
                run(names, source, cell)
                plt.savefig(OUT / f"comparison_{corpus}_{name}.png", dpi=80)
                plt.close("all")
        path.write_text(json.dumps(_rounded(kept), indent=1) + "\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def table(kept: Mapping[str, Any]) -> str:
    """Returns the tables of all corpora in Markdown."""
    lines = [_INTRODUCTION]
    for corpus in (corpus for corpus in CORPORA if corpus in kept):
        of_corpus = kept[corpus]
        train, test, length, words = of_corpus["rows"]
        contestants = list(of_corpus["seeds"][0])
        kinds = list(of_corpus["seeds"][0][contestants[0]]["kinds"])
        lines += [
            "",
            f"## {corpus}",
            "",
            CORPORA[corpus],
            f"{train:,} rows to train on, {test:,} to score on, {length} tokens, {words:,} ids, "
            f"{len(of_corpus['seeds'])} seeds.",
            "",
            "| contestant | parameters | accuracy | F1 | AUC | positive found | false alarms | "
            + " | ".join(f"*{kind}*" for kind in kinds)
            + " | seconds |",
            "|---|---:|---|---:|---:|---:|---:|" + "---:|" * len(kinds) + "---:|",
        ]
        for name in contestants:
            found = [seed[name] for seed in of_corpus["seeds"]]
            accuracies = [scores["accuracy"] for scores in found]
            spread = f" ({min(accuracies):.3f} to {max(accuracies):.3f})" if len(set(accuracies)) > 1 else ""
            numbers = [_mean(found, key) for key in ("f1", "roc_auc", "recall", "false alarms")]
            numbers += [_mean([scores["kinds"] for scores in found], kind) for kind in kinds]
            lines.append(
                f"| {name} | {found[0]['parameters']:,} | {statistics.mean(accuracies):.3f}{spread} | "
                + " | ".join(f"{number:.3f}" for number in numbers)
                + f" | {statistics.median(scores['seconds'] for scores in found):.0f} |"
            )
        lines += [
            "",
            "Share of the reviews on which two disagree:",
            "",
            "| | " + " | ".join(contestants[1:]) + " |",
            "|---|" + "---:|" * (len(contestants) - 1),
        ]
        for place, name in enumerate(contestants[:-1]):
            row = list(enumerate(of_corpus["disagreement"][place]))[1:]
            shares = ["" if other <= place else f"{share:.3f}" for other, share in row]
            lines.append(f"| {name} | " + " | ".join(shares) + " |")
        for name, shown in FIGURES.values():
            lines += ["", f"![{shown}](comparison_{corpus}_{name}.png)"]
    return "\n".join(lines) + "\n"


def _mean(found: Sequence[Mapping[str, float]], key: str) -> float:
    return statistics.mean(scores[key] for scores in found)


def main() -> None:
    """Trains, and writes tables and pictures to docs/benchmarks/."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--corpus", choices=list(CORPORA), action="append", default=[])
    arguments.add_argument("--seeds", type=int, default=3)
    options = arguments.parse_args()
    for corpus in options.corpus:
        compare(corpus, options.seeds)
    (OUT / "comparison.md").write_text(table(json.loads((OUT / "comparison.json").read_text())))


if __name__ == "__main__":
    main()
