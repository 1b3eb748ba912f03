"""receptive_field: how many input steps an output step can see.

Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", Distill,
doi:10.23915/distill.00021, equation (2), with dilation as in its section on dilated convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.checking import (
    Broken,
    Check,
    Exercise,
    FunctionCase,
    Generator,
    Misconception,
    Trial,
    distinct_sizes,
    holds,
)

Stack = Sequence[Sequence[int]]
"""(kernel_size, stride, dilation) of each layer, the first layer first."""


def receptive_field(layers: Stack) -> int:
    """Returns 1 + sum over i of (k_i - 1) d_i times the strides of the layers before i."""
    span, jump = 1, 1
    for k, stride, dilation in layers:
        span += (k - 1) * dilation * jump
        jump *= stride
    return span


def _stack(rng: Generator, *layers: tuple[int, int]) -> list[list[int]]:
    """Returns layers of the given strides and dilations with kernel sizes that all differ."""
    widths = distinct_sizes(rng, len(layers), 3, 9)
    return [[k, stride, dilation] for k, (stride, dilation) in zip(widths, layers, strict=True)]


def _plain_stacks(rng: Generator) -> list[FunctionCase]:
    ones = [(1, 1)]
    return [FunctionCase((_stack(rng, *ones * depth),)) for depth in (1, 3, 4)]


def _dilated_stacks(rng: Generator) -> list[FunctionCase]:
    return [
        FunctionCase((_stack(rng, (1, 3)),)),
        FunctionCase((_stack(rng, (1, 1), (1, 2), (1, 4)),)),
        FunctionCase((_stack(rng, (1, 5), (1, 2)),)),
    ]


def _strided_stacks(rng: Generator) -> list[FunctionCase]:
    return [
        FunctionCase((_stack(rng, (3, 2), (2, 1), (1, 3)),)),
        FunctionCase((_stack(rng, (2, 1), (1, 1)),)),
        FunctionCase((_stack(rng, (1, 2), (2, 3), (3, 1), (2, 2)),)),
    ]


def counts(name: str, cases: Callable[[Generator], list[FunctionCase]], **worth: Any) -> Check:
    """A check that the number is right; what type it has is another check's business."""

    def run(trial: Trial) -> None:
        asked = cases(trial.rng)
        found = [_number(case.found(trial.probe, trial.exercise.symbol)) for case in asked]
        expected = [case.expected(receptive_field) for case in asked]
        if found == expected:
            return
        # small integers agree by chance: a misconception must explain all the numbers
        names = [
            wrong.name
            for wrong in trial.exercise.misconceptions
            if wrong.wrong is not None and found == [case.expected(wrong.wrong) for case in asked]
        ]
        first = [one == other for one, other in zip(found, expected, strict=True)].index(False)
        (layers,) = asked[first].args
        said = [tuple(layer) for layer in layers]
        raise Broken(f"For {said} it returned {found[first]:g}.", *names)

    return holds(name, run, **worth)


def _number(found: Any) -> float:
    try:
        return float(np.asarray(found, np.float64).reshape(()))
    except (TypeError, ValueError, OverflowError):
        raise Broken("The result is not one number.") from None


def _returns_an_integer(trial: Trial) -> None:
    layers = _stack(trial.rng, (2, 1), (1, 3))
    found = trial.probe.call(trial.exercise.symbol, layers)
    _number(found)
    if isinstance(found, bool) or np.asarray(found).dtype.kind not in "iu":
        raise Broken("The result is not an integer.")


def _of_no_layer(trial: Trial) -> None:
    if (found := _number(trial.probe.call(trial.exercise.symbol, []))) != 1:
        names = ["step-itself-forgotten"] if found == 0 else []
        raise Broken(f"For an empty list it returned {found:g}.", *names)


def _summed(term: Callable[[int, int], int]) -> Callable[[Stack], int]:
    """Returns the receptive field with another term per layer, from k and dilation."""

    def formula(layers: Stack) -> int:
        jumps = np.cumprod([1, *(stride for _, stride, _ in layers)])
        return 1 + sum(term(k, dilation) * int(jump) for (k, _, dilation), jump in zip(layers, jumps, strict=False))

    return formula


def _steps_read(layers: Stack) -> int:
    """Returns how many input steps enter one output step: fewer than the span if there are gaps."""
    steps, jumps = {0}, np.cumprod([1, *(stride for _, stride, _ in layers)])
    for (k, _, dilation), jump in zip(layers, jumps, strict=False):
        steps = {step + w * dilation * int(jump) for step in steps for w in range(k)}
    return len(steps)


def _jumping_by(growth: Callable[[int, int], int], own: bool = False) -> Callable[[Stack], int]:
    """Returns the receptive field with another rule for the jump, from stride and dilation."""

    def formula(layers: Stack) -> int:
        span, jump = 1, 1
        for k, stride, dilation in layers:
            before, jump = jump, jump * growth(stride, dilation)
            span += (k - 1) * dilation * (jump if own else before)
        return span

    return formula


def _strides_added(layers: Stack) -> int:
    span, jump = 1, 1
    for k, stride, dilation in layers:
        span += (k - 1) * dilation * jump
        jump += stride - 1
    return span


RECEPTIVE_FIELD = Exercise(
    symbol="receptive_field",
    formula=receptive_field,
    checks=(
        counts("grows with every plain layer", _plain_stacks, points=1, hint="Stride and dilation 1."),
        counts("grows faster with dilation", _dilated_stacks, points=1, hint="Stride 1."),
        counts(
            "counts the strides of earlier layers",
            _strided_stacks,
            points=1,
            hint="Strides and dilations that differ from layer to layer.",
        ),
        holds("is an integer", _returns_an_integer, cost=0.5),
        holds("is 1 without any layer", _of_no_layer, cost=0.5, hint="An empty list."),
    ),
    misconceptions=(
        Misconception(
            "dilation-ignored",
            "Your number stays the same when the dilation grows. The distance between the first and the last tap "
            "depends on it: see the formula in section 2.",
            wrong=_summed(lambda k, dilation: k - 1),
            edit=(("(k - 1) * dilation * jump", "(k - 1) * jump"),),
        ),
        Misconception(
            "strides-ignored",
            "Your number stays the same when an early stride grows. A step of a later layer is as many input steps as "
            "all strides before it make: see section 2.",
            wrong=_jumping_by(lambda stride, dilation: 1),
            edit=(("jump *= stride", "jump *= 1"),),
        ),
        Misconception(
            "own-stride-counted",
            "You multiply by a layer's own stride, too, so that the last stride changes your number and should not. "
            "See which strides the product in section 2 runs over.",
            wrong=_jumping_by(lambda stride, dilation: stride, own=True),
            edit=(
                (
                    "        span += (k - 1) * dilation * jump\n        jump *= stride",
                    "        jump *= stride\n        span += (k - 1) * dilation * jump",
                ),
            ),
        ),
        Misconception(
            "strides-added",
            "You add up the strides where a stride of 2 after a stride of 3 makes steps of 6. See the product in "
            "section 2.",
            wrong=_strides_added,
            edit=(("jump *= stride", "jump += stride - 1"),),
        ),
        Misconception(
            "widths-summed",
            "You add k per layer where a layer adds the distance from its first to its last tap: for one layer of "
            "width 3 you get 4. Work the example of section 2 by hand.",
            wrong=_summed(lambda k, dilation: k * dilation),
            edit=(("(k - 1) * dilation * jump", "k * dilation * jump"),),
        ),
        Misconception(
            "gap-after-the-last-tap",
            "You take k · d for the span of a dilated kernel, which counts a gap after its last tap; without dilation "
            "your numbers are right. Work the example of section 2 by hand.",
            wrong=_summed(lambda k, dilation: k * dilation - 1),
            edit=(("(k - 1) * dilation * jump", "(k * dilation - 1) * jump"),),
        ),
        Misconception(
            "step-itself-forgotten",
            "Your numbers are one too small, and 0 for no layer: you count the distance between the first and the "
            "last step, not the steps from one to the other. See section 2.",
            wrong=lambda layers: receptive_field(layers) - 1,
            edit=(("span, jump = 1, 1", "span, jump = 0, 1"),),
        ),
        Misconception(
            "widths-multiplied",
            "You multiply layers where the receptive field grows by an addition per layer: two layers of width 3 see "
            "5 steps. See the picture in section 2.",
            wrong=lambda layers: int(np.prod([1 + (k - 1) * d for k, _, d in layers])),
            edit=(("span += (k - 1) * dilation * jump", "span *= 1 + (k - 1) * dilation"),),
        ),
        Misconception(
            "dilations-accumulate",
            "You let a layer's dilation spread the layers after it, as a stride does. A dilated layer with stride 1 "
            "still has an output for every step: see section 2.",
            wrong=_jumping_by(lambda stride, dilation: stride * dilation),
            edit=(("jump *= stride", "jump *= stride * dilation"),),
        ),
        Misconception(
            "last-layer-first",
            "You go through the list from its end: the strides of later layers count for earlier ones. The first "
            "entry is the layer that reads the input, see section 2.",
            wrong=lambda layers: receptive_field(list(layers)[::-1]),
            edit=(("in layers:", "in reversed(layers):"),),
        ),
        Misconception(
            "steps-counted-not-spanned",
            "You count the input steps that enter an output; section 2 asks for the span from the first to the last "
            "of them, gaps included.",
            wrong=_steps_read,
            edit=(
                ("span, jump = 1, 1", "span, jump = {0}, 1"),
                (
                    "span += (k - 1) * dilation * jump",
                    "span = {s + w * dilation * jump for s in span for w in range(k)}",
                ),
                ("return span", "return len(span)"),
            ),
        ),
        Misconception(
            "first-layer-only",
            "Only one layer of the list counts in your number. Is your return statement inside the loop? See section "
            "2.",
            wrong=lambda layers: receptive_field(layers[:1]),
            edit=(("    return span", "        return span\n    return 1"),),
        ),
    ),
)
