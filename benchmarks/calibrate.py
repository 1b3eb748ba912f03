"""What right solutions, faulty ones and simple baselines reach under the accuracy protocol, and the thresholds from it.

SEQUENCE_DATA_IMDB=imdb_compact.npz .venv/bin/python -m benchmarks.calibrate --corpus imdb-small --seeds 5

Every training is kept in docs/benchmarks/calibration_<corpus>.json as soon as it is done; what is there already is not
trained again, so that a run can be stopped and gone on with. The table and the picture are made from all these files.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import re
import statistics
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from autograder.checking import Exercise, Probe, Split, Trial, generator, sorting
from autograder.checking.accuracy import CHANCE, PARTS, disguised, learn, score
from autograder.checking.training import too_much
from autograder.exercises import find
from autograder.pipeline.corpora import load
from autograder.pipeline.proof import edited
from autograder.pipeline.settings import Settings
from autograder.pipeline.source import SourceNotebook, read_source
from autograder.sandbox.kernels import shared_interpreter
from autograder.sandbox.session import Session

COURSE = Path(__file__).resolve().parent.parent
OUT = COURSE / "docs" / "benchmarks"
BUILDERS = {
    "build_sequence_cnn": "01_sequence_cnn",
    "build_transformer": "06_transformer",
    "build_gpt": "07_tiny_gpt",
}
CORPORA = {
    "phrases": ("build_sequence_cnn",),
    "order": ("build_transformer",),
    sorting.CORPUS: ("build_gpt",),
    "imdb-small": ("build_sequence_cnn", "build_transformer"),
    "imdb": ("build_sequence_cnn", "build_transformer"),
}
"""Which solutions are trained on what."""

MISCONCEPTIONS = ("width-one-only", "no-positions", "no-attention", "not-causal", "tokens-do-not-meet")
"""Faults whose code the exercises have already."""

CAUGHT = {
    "width one only": "has a convolution of width 2 or more, and neither attention nor recurrence",
    "no attention": "has an attention layer, and 500 to 5 million parameters",
    "no positions": "tells one order of the words from another",
    "reads the first 20 tokens only": "reads to the end of a row",
}
"""The check that finds a fault which what it reaches does not always give away."""

HARMLESS = {("phrases", "frozen random embedding"), (sorting.CORPUS, "frozen random embedding")}
"""What random features can do as well."""

REFERENCE = "reference solution"
TRIES = 20
"""How often a right model is made and asked before training."""
RIGHT = 0.001
"""How often a right solution may miss full marks."""

_INTRODUCTION = """# What models reach

Every model is trained in the sandbox by the protocol of the grader, on one CPU thread; how many seeds were tried
stands in the tables, how long it takes, but for all of IMDb, in [training_time.md](training_time.md). Faults stand in
italics. Where a fault has reached full marks, accuracy does not always see it; which check of the exercise finds it
then, stands behind it. A frozen random embedding loses nothing on phrases and letters, where random features are as
good as learned ones; it is no mistake there. Of letters, *accuracy* is the share of rows sorted without a mistake.

Reviews of IMDb are those of the grader: a fifth of their most frequent words is left out, from the baselines' too,
and what stands before takes their place.

![Every training as a dot, a fault as a cross, beside thresholds and baselines](calibration.svg)"""

Result = tuple[float, float]
"""Accuracy, and seconds it took."""


@dataclass(frozen=True)
class Model:
    """A solution cell to be trained.

    Attributes:
        name: what is special about it.
        right: whether it should get all points.
        cell: its code.
        shuffled: trained on labels in random order.
    """

    name: str
    right: bool
    cell: str
    shuffled: bool = False


def models(source: SourceNotebook, exercise: Exercise) -> list[Model]:
    """Returns the reference solution, the alternatives that earn full marks too, and typical faults."""
    solution, symbol = source.solutions[exercise.symbol], exercise.symbol
    folder = COURSE / "tests" / "alternatives" / source.name
    listed = [Model(REFERENCE, True, solution)]
    for path in sorted(folder.glob(f"{symbol}__*.py")):
        listed.append(Model(path.stem.partition("__")[2].replace("_", " "), True, path.read_text(encoding="utf-8")))
    for misconception in exercise.misconceptions:
        if misconception.name in MISCONCEPTIONS:
            listed.append(
                Model(misconception.name.replace("-", " "), False, edited(solution, exercise, misconception.name))
            )
    frozen = re.sub(r"(keras\.layers\.Embedding\([^)]*)\)", r"\1, trainable=False)", solution)
    if symbol == "build_gpt":  # of rows of eleven letters, whose targets follow from them
        return [*listed, Model("frozen random embedding", False, frozen)]
    first = _once(solution, "(tokens)", "(tokens[:, :20])")
    return [
        *listed,
        Model("reads the first 20 tokens only", False, first),
        Model("frozen random embedding", False, frozen),
        Model("shuffled labels", False, solution, shuffled=True),
    ]


def _once(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"{old!r} stands {text.count(old)} times in the solution, expected once")
    return text.replace(old, new)


def train(source: SourceNotebook, exercise: Exercise, model: Model, corpus: str, seed: int) -> Result:
    """Trains a model in a kernel, as the grader does; returns its accuracy and the seconds it took."""
    with _kernel(source, exercise, model) as probe:
        name, rows = of_run(corpus, seed)
        if model.shuffled:
            rows = _shuffled(rows, seed)
        started = time.monotonic()
        trial = Trial(exercise, probe, generator("calibrate", corpus, exercise.symbol, str(seed)), rows)
        return reached(trial, name), time.monotonic() - started


def untrained(source: SourceNotebook, exercise: Exercise, model: Model, corpus: str) -> list[float]:
    """Returns what a model reaches that was never trained, on as many rows as the grader asks about, `TRIES` times."""
    found: list[float] = []
    with _kernel(source, exercise, model) as probe:
        name, rows = of_run(corpus, 0)
        rng = generator("untrained", corpus, exercise.symbol)
        for _ in range(TRIES):
            probe.seed(int(rng.integers(2**31)))
            if name == sorting.CORPUS:
                task = sorting.sorting(rng)
                made = probe.make(exercise.symbol, sorting.SYMBOLS, sorting.CONTEXT)
                part = slice(len(task.letters) // sorting.PARTS)
                right = sorting.decoded(made, task.letters[part]) == task.ordered[part]
                found.append(float(right.all(axis=1).mean()))
            else:
                split = disguised(rows(name), rng)
                made = probe.make(exercise.symbol, split.vocabulary_size, split.x_train.shape[1])
                part = rng.permutation(len(split.x_test))[: len(split.x_test) // PARTS]
                found.append(score(split.y_test[part], made.predict(split.x_test[part])))
    return found


@contextlib.contextmanager
def _kernel(source: SourceNotebook, exercise: Exercise, model: Model) -> Generator[Probe]:
    """Starts a kernel in which a notebook's solutions have run, the model's cell in the place of one of them."""
    with Session(shared_interpreter()) as session:
        session.run(source.setup, 120)
        for symbol, solution in source.solutions.items():  # a builder may use what was written before it
            if error := session.run(model.cell if symbol == exercise.symbol else solution, 60).error:
                raise SystemExit(f"{symbol}, {model.name}: the cell raised {': '.join(error)}")
        yield Probe(lambda question: session.ask(question, 1800))


def reached(trial: Trial, corpus: str) -> float:
    """Trains a builder's model; returns its accuracy, or the share of letters that it sorts."""
    if corpus == sorting.CORPUS:
        return sorting.learn(trial, lambda trial, model: None).exact
    learned = learn(trial, corpus)
    return score(learned.labels, learned.probabilities)


def of_run(corpus: str, seed: int) -> tuple[str, Callable[[str], Split]]:
    """Returns the grader's name of a corpus, and where a run with that course seed gets it from."""
    if corpus == "imdb-small":
        return "imdb", load(Settings(str(seed), "imdb", "cpu"))
    return corpus, load(Settings(str(seed), "imdb", "gpu"))


def _shuffled(rows: Callable[[str], Split], seed: int) -> Callable[[str], Split]:
    def shuffled(corpus: str) -> Split:
        split = rows(corpus)
        return replace(split, y_train=np.random.default_rng(seed).permutation(split.y_train))

    return shuffled


def baselines(split: Split) -> dict[str, list[Result]]:
    """Fits logistic regressions to counted words: the same for every seed."""

    def words(row: np.ndarray) -> list[str]:
        return [str(word) for word in row[row > 2]]

    def fitted(vectorizer: CountVectorizer, strength: float) -> list[Result]:
        started = time.monotonic()
        model = LogisticRegression(C=strength, max_iter=1000)
        model.fit(vectorizer.fit_transform(list(split.x_train)), split.y_train)
        found = np.asarray(model.predict_proba(vectorizer.transform(list(split.x_test)))[:, 1])
        return [(score(split.y_test, found), time.monotonic() - started)]

    def pairs(row: np.ndarray) -> list[str]:
        listed = words(row)
        return listed + [f"{a} {b}" for a, b in itertools.pairwise(listed)]

    return {
        "bag of words": fitted(CountVectorizer(analyzer=words, binary=True), 0.02),
        "TF-IDF": fitted(TfidfVectorizer(analyzer=words), 4.0),
        "TF-IDF of words and pairs": fitted(TfidfVectorizer(analyzer=pairs, min_df=3), 10.0),
    }


def calibrate(corpus: str, seeds: int, wanted: Callable[[Model], bool]) -> None:
    """Trains the wanted models on a corpus, as far as that has not been done yet."""
    path = OUT / f"calibration_{corpus}.json"
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if corpus == sorting.CORPUS:
        kept |= {"rows": [sorting.ROWS, sorting.UNSEEN, sorting.CONTEXT, sorting.SYMBOLS], "baselines": {}}
    if "baselines" not in kept:
        name, rows = of_run(corpus, 0)
        split = disguised(rows(name), generator("calibrate", corpus))
        kept["rows"] = [len(split.x_train), len(split.x_test), split.x_train.shape[1], split.vocabulary_size]
        kept["baselines"] = baselines(split)
        _keep(path, kept)
    for seed in range(seeds):
        for symbol in CORPORA[corpus]:
            source, exercise = read_source(COURSE, BUILDERS[symbol]), find(symbol)
            for model in filter(wanted, models(source, exercise)):
                found = kept.setdefault(symbol, {}).setdefault(model.name, {"right": model.right, "results": []})
                if len(found["results"]) > seed:
                    continue
                found["results"].append(train(source, exercise, model, corpus, seed))
                accuracy, seconds = found["results"][-1]
                print(f"{corpus}, {symbol}, {model.name}, seed {seed}: {accuracy:.4f} in {seconds:.0f} s", flush=True)
                _keep(path, kept)


def ask_untrained(corpus: str) -> None:
    """Asks the right models of a corpus before training, as far as that has not been done yet."""
    path = OUT / f"calibration_{corpus}.json"
    kept: dict[str, Any] = json.loads(path.read_text())
    for symbol in CORPORA[corpus]:
        source, exercise = read_source(COURSE, BUILDERS[symbol]), find(symbol)
        for model in models(source, exercise):
            found = kept.get(symbol, {}).get(model.name)
            if model.right and found and "untrained" not in found:
                found["untrained"] = untrained(source, exercise, model, corpus)
                print(f"{corpus}, {symbol}, {model.name}, untrained: at most {max(found['untrained']):.4f}", flush=True)
                _keep(path, kept)


_ONLY: dict[str, Callable[[Model], bool]] = {
    "right": lambda model: model.right,
    "references": lambda model: model.name == REFERENCE,
}


def _keep(path: Path, kept: Mapping[str, Any]) -> None:
    def rounded(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: rounded(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [rounded(item) for item in value]
        return round(value, 5) if isinstance(value, float) else value

    path.write_text(json.dumps(rounded(kept), indent=1) + "\n")


def supported(right: list[list[float]]) -> float:
    """Returns the threshold that a right model of the worst kind misses with probability `RIGHT`.

    Args:
        right: accuracies of each right model over the seeds; their spread is pooled.
    """
    freedom = sum(len(found) - 1 for found in right)
    spread = math.sqrt(sum((len(found) - 1) * statistics.variance(found) for found in right) / freedom)
    fewest = min(len(found) for found in right)
    quantile = float(stats.t.ppf(1 - RIGHT, freedom))
    return min(map(statistics.mean, right)) - quantile * spread * math.sqrt(1 + 1 / fewest)


def table() -> str:
    """Returns the tables of all corpora in Markdown."""
    lines = [_INTRODUCTION, ""]
    for corpus, symbols in CORPORA.items():
        path = OUT / f"calibration_{corpus}.json"
        if not path.exists():
            continue
        kept = json.loads(path.read_text())
        train_rows, test_rows, length, words = kept["rows"]
        lines += [
            f"## {corpus}",
            "",
            f"{train_rows:,} rows to train on, {test_rows:,} to score on, {length} tokens, {words:,} ids.",
            "",
        ]
        for symbol in symbols:
            if symbol not in kept:
                continue
            lines += [
                f"**`{symbol}`**",
                "",
                "| model | seeds | accuracy, mean | lowest | highest | found by the check |",
                "|---|---:|---:|---:|---:|---|",
            ]
            floor, full = thresholds(symbol)[corpus]
            for name, model in kept[symbol].items():
                reach = max(accuracy for accuracy, _ in model["results"]) >= full
                if model["right"] or not reach:
                    check = ""
                else:
                    check = " no mistake" if (corpus, name) in HARMLESS else f" {CAUGHT.get(name, '**none**')}"
                lines.append(_row(name if model["right"] else f"*{name}*", model["results"]) + f"{check} |")
            lines += ["", f"Points rise from {floor:.2f} to {full:.2f}."]
            right = [[a for a, _ in model["results"]] for model in kept[symbol].values() if model["right"]]
            if min(map(len, right)) > 1:
                lines[-1] += (
                    f" A right model of the worst of these kinds misses {supported(right):.3f} once in "
                    f"{1 / RIGHT:,.0f} times."
                )
            if before := [accuracy for model in kept[symbol].values() for accuracy in model.get("untrained", [])]:
                lines[-1] += (
                    f" Before training the highest of {len(before)} right models reached {max(before):.3f}; from "
                    f"{suspected(symbol, corpus):.3f} on it would earn nothing."
                )
            lines.append("")
        if not kept["baselines"]:
            continue
        lines += ["| baseline | seeds | accuracy | lowest | highest |", "|---|---:|---:|---:|---:|"]
        lines += [_row(name, found) for name, found in kept["baselines"].items()]
        lines.append("")
    return "\n".join(lines)


def thresholds(symbol: str) -> dict[str, tuple[float, float]]:
    """Returns floor and full marks of an exercise's trainings, by corpus."""
    return {corpus: both for check in find(symbol).checks for corpus, both in check.thresholds.items()}


def suspected(symbol: str, corpus: str) -> float:
    """Returns what a model may not reach with its weights from before training."""
    floor, _ = thresholds(symbol)[corpus]
    return too_much(sorting.CHANCE if corpus == sorting.CORPUS else CHANCE, floor)


def _row(name: str, found: list[Result]) -> str:
    accuracies, _ = zip(*found, strict=True)
    numbers = " | ".join(f"{number:.4f}" for number in (statistics.mean(accuracies), min(accuracies), max(accuracies)))
    return f"| {name} | {len(found)} | {numbers} |"


def picture(path: Path) -> None:
    """Draws every training as a dot, right solutions above faults, a panel for each corpus."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "calibration"  # the same numbers give the same file
    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text
    import matplotlib.pyplot as plt

    panels = [(corpus, symbol) for corpus in CORPORA for symbol in CORPORA[corpus] if _there(corpus, symbol)]
    figure, axes = plt.subplots(len(panels), 1, figsize=(8, 2.6 * len(panels)), squeeze=False)
    for (corpus, symbol), axis in zip(panels, axes[:, 0], strict=True):
        kept = json.loads((OUT / f"calibration_{corpus}.json").read_text())
        names = list(kept[symbol])
        for place, name in enumerate(reversed(names)):
            model = kept[symbol][name]
            values = [accuracy for accuracy, _ in model["results"]]
            style = {"color": "#0072B2", "marker": "o"} if model["right"] else {"color": "#D55E00", "marker": "x"}
            axis.scatter(values, [place] * len(values), s=22, **style)
        for found in kept["baselines"].values():
            axis.axvline(max(accuracy for accuracy, _ in found), color="grey", linestyle=":", linewidth=1)
        axis.axvline(thresholds(symbol)[corpus][1], color="#009E73", linewidth=1)
        axis.set_yticks(range(len(names)), reversed(names), fontsize=8)
        axis.set_title(f"{symbol} on {corpus}", fontsize=9, loc="left")
        axis.grid(axis="x", alpha=0.3)
    axes[-1, 0].set_xlabel("accuracy on the test rows; line: full marks; dotted: baselines; crosses: faults")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _there(corpus: str, symbol: str) -> bool:
    path = OUT / f"calibration_{corpus}.json"
    return path.exists() and symbol in json.loads(path.read_text())


def main() -> None:
    """Trains, and writes tables and picture to docs/benchmarks/."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--corpus", choices=list(CORPORA), action="append", default=[])
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--only", choices=list(_ONLY), help="leave out the faults, or all but the solutions")
    options = arguments.parse_args()
    for corpus in options.corpus:
        calibrate(corpus, options.seeds, _ONLY.get(options.only, lambda model: True))
        ask_untrained(corpus)
    (OUT / "calibration.md").write_text(table())
    picture(OUT / "calibration.svg")


if __name__ == "__main__":
    main()
