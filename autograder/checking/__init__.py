"""The words that exercises are written in: Exercise, Check, Misconception, Report, comparison."""

from autograder.checking import classifiers
from autograder.checking.accuracy import reaches_accuracy
from autograder.checking.cases import Case, FunctionCase, LayerCase
from autograder.checking.checks import agrees, holds, rejects
from autograder.checking.compare import FLOAT32, FLOAT64, Array, Difference, Tolerance, compare
from autograder.checking.exercise import (
    Assignment,
    Broken,
    Check,
    Exercise,
    Formula,
    Misconception,
    Property,
    Split,
    Trial,
)
from autograder.checking.judge import judge
from autograder.checking.layers import (
    Inventory,
    follows_policy,
    has_gradients,
    has_weights,
    needs_known_sizes,
    other_sizes,
    resized,
    starts_with,
    survives_config,
    traces,
)
from autograder.checking.naming import named, raises_on, right_on
from autograder.checking.probe import Instance, NoAnswer, Probe, StudentError
from autograder.checking.report import CheckResult, Report
from autograder.checking.seeds import Generator, distinct_sizes, generator

__all__ = [
    "FLOAT32",
    "FLOAT64",
    "Array",
    "Assignment",
    "Broken",
    "Case",
    "Check",
    "CheckResult",
    "Difference",
    "Exercise",
    "Formula",
    "FunctionCase",
    "Generator",
    "Instance",
    "Inventory",
    "LayerCase",
    "Misconception",
    "NoAnswer",
    "Probe",
    "Property",
    "Report",
    "Split",
    "StudentError",
    "Tolerance",
    "Trial",
    "agrees",
    "classifiers",
    "compare",
    "distinct_sizes",
    "follows_policy",
    "generator",
    "has_gradients",
    "has_weights",
    "holds",
    "judge",
    "named",
    "needs_known_sizes",
    "other_sizes",
    "raises_on",
    "reaches_accuracy",
    "rejects",
    "resized",
    "right_on",
    "starts_with",
    "survives_config",
    "traces",
]
