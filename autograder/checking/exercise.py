"""An exercise as a value: a formula, what must hold, and what people get wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from autograder.checking.compare import Value
from autograder.checking.probe import Probe

Formula = Callable[..., Value]
"""A formula in NumPy, right or wrong."""


@dataclass(frozen=True)
class Misconception:
    """A named wrong formula and the hint for whoever wrote it.

    Attributes:
        name: short name in words joined by hyphens, e.g. "softmax-over-queries".
        hint: what the code does, how it shows in the numbers, and where to read again. For students.
        wrong: the wrong formula, with the signature of the exercise's formula. None where a check itself
            recognises the mistake (`Broken(..., misconception=name)`).
        edit: what turns the solution in the source notebook into this mistake: pairs of text found exactly once
            in the solution cell and the text that takes its place. The proof of the checks runs the result.
    """

    name: str
    hint: str
    wrong: Callable[..., Value] | None = None
    edit: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Property:
    """Something every right result has, named when a wrong one breaks it.

    Attributes:
        name: what holds, e.g. "every row of the weights sums to 1".
        holds: tells whether it does, from the found value and the arguments of the formula.
    """

    name: str
    holds: Callable[..., bool]


class Broken(Exception):
    """Raised inside a check: what the check asks for does not hold.

    Attributes:
        misconceptions: names of misconceptions recognised, most likely first.
        fraction: the part of the check's points that is earned all the same.
    """

    def __init__(self, message: str, *misconceptions: str, fraction: float = 0.0) -> None:
        super().__init__(message)
        self.misconceptions = misconceptions
        self.fraction = fraction


@dataclass(frozen=True)
class Split:
    """Token rows and labels to train and to score on.

    Attributes:
        x_train: (N, L) int32, ids below `vocabulary_size`, padded with 0 at the end.
        y_train: (N,) 0 or 1.
        x_test: (M, L) int32.
        y_test: (M,); never leaves the grader.
        vocabulary_size: one more than the largest id that may occur.
        small: fewer and shorter rows than there are, for a machine without a GPU.
        public: anybody may have seen these rows, and their labels.
        spare: of the L tokens, how many are there to take the place of others that are left out.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    vocabulary_size: int
    small: bool = False
    public: bool = False
    spare: int = 0


@dataclass(frozen=True)
class Trial:
    """One check's view of one submission.

    Attributes:
        exercise: the exercise under test.
        probe: reaches the student's code.
        rng: this check's own random generator, fresh for every student.
        data: returns a training corpus by name.
        tell: is told, in a line, how training gets on.
    """

    exercise: Exercise
    probe: Probe
    rng: np.random.Generator
    data: Callable[[str], Split]
    tell: Callable[[str], None] = lambda line: None


@dataclass(frozen=True)
class Check:
    """Something that must hold, and what it is worth.

    Attributes:
        name: what holds, as a sentence that students read.
        run: returns if it holds, perhaps what it found; else raises `Broken` (a `StudentError` counts as broken, too).
        points: points for holding.
        cost: points taken away for not holding: a gate. Shapes, dtypes, signatures and configs are gates.
        hint: what it looks at and how, for students; never the data.
        data: name of the corpus it trains on; the check is skipped in runs without it.
        trains: whether it trains a model, for which a GPU is worth having.
        thresholds: of a training, by corpus: what is reached for no points, and what for all.
    """

    name: str
    run: Callable[[Trial], str | None]
    points: float = 0.0
    cost: float = 0.0
    hint: str = ""
    data: str | None = None
    trains: bool = False
    thresholds: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])


@dataclass(frozen=True)
class Exercise:
    """A graded symbol.

    Attributes:
        symbol: the name students give their function, layer or builder.
        formula: the formula in NumPy, computed in float64. Of a layer: a function of inputs, then weights and
            constructor arguments by name. None for a builder.
        checks: what must hold, from the general to the special.
        misconceptions: what people get wrong.
        properties: what every right result has.
        forbidden: names of ready-made forms of the symbol, in whatever library they stand.
        deadline: seconds that all its checks may take.
    """

    symbol: str
    checks: tuple[Check, ...]
    misconceptions: tuple[Misconception, ...]
    formula: Callable[..., Value] | None = None
    properties: tuple[Property, ...] = ()
    forbidden: tuple[str, ...] = ()
    deadline: float = 30.0

    def __post_init__(self) -> None:
        for kind, names in (
            ("check", [check.name for check in self.checks]),
            ("misconception", [wrong.name for wrong in self.misconceptions]),
        ):
            doubles = {name for name in names if names.count(name) > 1}
            if doubles:
                raise ValueError(f"{self.symbol}: two {kind}s are named {sorted(doubles)}")
        if not any(check.points > 0 for check in self.checks):
            raise ValueError(f"{self.symbol}: no check is worth points")

    @property
    def points(self) -> float:
        """Points of the whole exercise."""
        return sum(check.points for check in self.checks)

    @property
    def trains(self) -> bool:
        """Whether one of its checks trains a model."""
        return any(check.trains for check in self.checks)

    def misconception(self, name: str) -> Misconception:
        """Returns a misconception by name."""
        for candidate in self.misconceptions:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.symbol} has no misconception {name!r}")


@dataclass(frozen=True)
class Assignment:
    """An assignment: a notebook's exercises.

    Attributes:
        name: folder and notebook name, e.g. "05_layer_norm".
        title: for people.
        exercises: graded symbols, in the notebook's order.
        written: `grade_id` and points of the answers graded by hand.
    """

    name: str
    title: str
    exercises: tuple[Exercise, ...]
    written: Mapping[str, float] = field(default_factory=dict[str, float])

    def exercise(self, symbol: str) -> Exercise:
        """Returns an exercise by its symbol."""
        for exercise in self.exercises:
            if exercise.symbol == symbol:
                return exercise
        known = ", ".join(exercise.symbol for exercise in self.exercises)
        raise KeyError(f"{self.name} has no exercise {symbol!r}; it has {known}")

    @property
    def points(self) -> float:
        """Points of all exercises and written answers."""
        return sum(exercise.points for exercise in self.exercises) + sum(self.written.values())
