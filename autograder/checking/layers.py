"""What every layer of the course promises: weights by name, any batch and length, its config, gradients, dtypes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checking.cases import LayerCase
from autograder.checking.checks import expect
from autograder.checking.compare import FLOAT64, Tolerance, compare
from autograder.checking.exercise import Broken, Check, Misconception, Trial
from autograder.checking.naming import named, right_on
from autograder.checking.probe import StudentError
from autograder.checking.seeds import distinct_sizes

MakeLayerCase = Callable[[np.random.Generator], LayerCase]
Inventory = Sequence[Mapping[str, Any]]

GRADIENTS = Tolerance(rtol=2e-3, atol=2e-4)
"""Central differences of the float64 formula against one float32 training step."""
HALF = Tolerance(rtol=3e-2, atol=3e-2)
"""float16 keeps three digits."""
POLICIES = {
    "float64": (np.float64, "float64", FLOAT64),
    "mixed_float16": (np.float32, "float16", HALF),
}
"""By policy: the dtype that goes in, the one that comes out, and how near to the formula."""


def has_weights(
    name: str,
    case: MakeLayerCase,
    *,
    cost: float,
    frozen: Sequence[str] = (),
    diagnose: Callable[[Inventory, LayerCase], str | None] = lambda inventory, case: None,
    hint: str = "",
) -> Check:
    """A gate: the built layer has exactly the case's weights, under their names, in their shapes.

    Args:
        name: what holds, as a sentence.
        case: a case whose weights name all there may be.
        cost: points taken away if not.
        frozen: attribute paths of the weights that are not trainable.
        diagnose: names the misconception behind a wrong inventory, if it recognises one.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        layer = trial.probe.make(trial.exercise.symbol, **wanted.config)
        layer(*wanted.inputs, **wanted.kwargs)
        inventory = layer.inventory()
        misconception = diagnose(inventory, wanted)
        names = (misconception,) if misconception else ()
        if len(inventory) != len(wanted.weights):
            have = ", ".join(f"{w['path']} {tuple(w['shape'])}" for w in inventory) or "none"
            listed = ", ".join(f"{n} {w.shape}" for n, w in wanted.weights.items())
            raise Broken(f"The built layer has the weights {have}; expected {listed}.", *names)
        trainable = sum(bool(weight["trainable"]) for weight in inventory)
        if trainable != len(wanted.weights) - len(frozen):
            raise Broken(
                f"{trainable} of {len(inventory)} weights are trainable, expected {len(wanted.weights) - len(frozen)}.",
                *names,
            )
        try:
            layer.assign(wanted.weights)
        except StudentError as error:
            raise Broken(error.detail, *names) from error

    return Check(name, run, cost=cost, hint=hint)


def starts_with(name: str, case: MakeLayerCase, values: Mapping[str, float], *, cost: float, hint: str = "") -> Check:
    """A gate: before any training these weights hold these numbers everywhere."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        layer = trial.probe.make(trial.exercise.symbol, **wanted.config)
        layer(*wanted.inputs, **wanted.kwargs)
        found = layer.read(*values)
        for path, start in values.items():
            if not np.all(np.asarray(found[path]) == start):
                raise Broken(f"Before any training, {path} does not hold {start:g} everywhere.", "other-initial-values")

    return Check(name, run, cost=cost, hint=hint)


def other_sizes(case: MakeLayerCase) -> Callable[[np.random.Generator], list[LayerCase]]:
    """Returns a maker of two cases: the second holds steps of the first in another batch size and length."""

    def cases(rng: np.random.Generator) -> list[LayerCase]:
        first = case(rng)
        return [first, resized(rng, first)]

    return cases


def resized(rng: np.random.Generator, case: LayerCase) -> LayerCase:
    """Returns the layer on other sequences (B, T, D), made of the same steps."""
    (x,) = case.inputs
    steps = x.reshape(-1, x.shape[-1])
    batch, time = distinct_sizes(rng, 2, 10, 15)
    return LayerCase(case.config, case.weights, (steps[rng.integers(0, len(steps), (batch, time))],))


def traces(
    cases: Callable[[np.random.Generator], Sequence[LayerCase]],
    *,
    points: float = 0.0,
    cost: float = 0.0,
    hint: str = "One layer, one model with unknown batch and length, inputs of several sizes.",
) -> Check:
    """A check that one layer, inside a functional model, serves several batch sizes and lengths.

    Args:
        cases: makes cases with the same config and weights, and inputs of different sizes.
        points: points for holding.
        cost: points taken away if not.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> None:
        first, *rest = cases(trial.rng)
        layer = first.built(trial.probe, trial.exercise.symbol)
        for case in (first, *rest):
            expect(trial.exercise, case, layer.traced(*case.inputs, *case.kwargs.values()))
        # the size of the batch may be known where the length is not
        expect(trial.exercise, first, layer.traced(*first.inputs, *first.kwargs.values(), free=(1,)))

    check = Check("serves any batch size and length in a functional model", run, points=points, cost=cost, hint=hint)
    return named(check, "needs-known-sizes", right_on(lambda rng: cases(rng)[0]))


_NAME = "a_name_of_its_own"


def survives_config(
    case: MakeLayerCase, *, cost: float, hint: str = "from_config(get_config()) makes the same layer."
) -> Check:
    """A gate: the layer rebuilt by `from_config(get_config())` has the same name and computes the same."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        original = trial.probe.make(trial.exercise.symbol, **wanted.config, name=_NAME)
        try:
            layer = original.clone()
        except StudentError as error:
            raise Broken(f"from_config(get_config()) raised {error.kind}: {error.detail}") from error
        if (name := layer.name()) != _NAME:
            raise Broken(f"A layer made with name={_NAME!r} comes back from its config as {name!r}.")
        layer(*wanted.inputs, **wanted.kwargs)
        layer.assign(wanted.weights)
        expect(trial.exercise, wanted, layer(*wanted.inputs, **wanted.kwargs))

    return Check("comes back from its config", run, cost=cost, hint=hint)


def follows_policy(case: MakeLayerCase, *policies: str, cost: float) -> Check:
    """A gate: made with a dtype policy ("float64", "mixed_float16"), the layer computes and returns as that says."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        for policy in policies:
            given, returned, close = POLICIES[policy]
            inputs = tuple(x.astype(given) for x in wanted.inputs)
            layer = trial.probe.make(trial.exercise.symbol, dtype=policy, **wanted.config)
            layer(*inputs, **wanted.kwargs)
            layer.assign(wanted.weights)
            found = layer(*inputs, **wanted.kwargs)
            if isinstance(found, np.ndarray):
                if str(found.dtype) != returned:
                    raise Broken(f"Made with dtype={policy!r}, the layer returned {found.dtype}.")
                found = found.astype(np.float64)  # a float16 that was asked for is no wrong dtype
            expect(trial.exercise, wanted, found, close)

    hint = "Made with " + " and ".join(f'dtype="{policy}"' for policy in policies) + "."
    check = Check("follows its dtype policy", run, cost=cost, hint=hint)
    return named(check, "ignores-its-dtype-policy", right_on(case))


def has_gradients(
    case: MakeLayerCase,
    *,
    points: float = 0.0,
    cost: float = 0.0,
    hint: str = "One training step; each weight moves by its gradient.",
) -> Check:
    """A check that training moves every weight as the formula's derivative says."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        formula = trial.exercise.formula
        assert formula is not None, f"{trial.exercise.symbol} has no formula to differentiate"
        layer = wanted.built(trial.probe, trial.exercise.symbol)
        (x,) = wanted.inputs
        upstream = trial.rng.normal(size=np.shape(wanted.expected(formula))).astype(np.float32)
        found = layer.gradients(x, upstream, *wanted.weights)
        for path in wanted.weights:
            expected = _slopes(wanted, path, upstream, formula)
            if difference := compare(found.get(path), expected, GRADIENTS, name=f"the gradient of {path}"):
                raise Broken(difference.message)

    return Check("its weights learn as the derivative says", run, points=points, cost=cost, hint=hint)


def needs_known_sizes(where: str, *edit: tuple[str, str]) -> Misconception:
    """The mistake that `traces` names; `where` is the section that says what a layer may be made of."""
    return Misconception(
        "needs-known-sizes",
        "Your layer is right on a batch at hand and fails in a functional model, where batch and length are None and "
        "x is no array yet: something needs a known size, loops over an axis, or is NumPy. "
        f"See {where}.",
        edit=edit,
    )


def _slopes(case: LayerCase, path: str, upstream: np.ndarray, formula: Callable[..., Any]) -> np.ndarray:
    """Returns d sum(upstream * formula) / d weight by central differences in float64."""
    args, kwargs = case.arguments
    name = path.replace(".", "_")
    weight = np.array(kwargs[name], np.float64)
    slopes = np.empty_like(weight)
    step = 1e-6
    for index in np.ndindex(weight.shape):
        ends: list[float] = []
        for sign in (1, -1):
            moved = weight.copy()
            moved[index] += sign * step
            ends.append(float(np.sum(upstream * formula(*args, **{**kwargs, name: moved}))))
        slopes[index] = (ends[0] - ends[1]) / (2 * step)
    return slopes
