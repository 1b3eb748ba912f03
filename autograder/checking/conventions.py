"""What every function of the course promises, whatever it computes, and the mistake behind each broken promise.

Arguments stay as they are; float64 in means float64 precision; whole numbers and tensors are taken like float32 arrays.
Each promise is a gate, and each mistake a misconception that the gate names: where the function is right on the same
numbers as float32 arrays, it is the promise that is broken, not the formula.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from autograder.checking.cases import FunctionCase
from autograder.checking.checks import agrees, holds
from autograder.checking.compare import Value
from autograder.checking.exercise import Broken, Check, Misconception, Trial
from autograder.checking.naming import named, right_on

MakeCase = Callable[[np.random.Generator], FunctionCase]
Edit = tuple[str, str]


def leaves_arguments_alone(case: MakeCase, *, cost: float) -> Check:
    """A gate: the function doesn't write into its arguments."""

    def run(trial: Trial) -> None:
        put = case(trial.rng)
        if trial.probe.modifies(trial.exercise.symbol, *put.args, **put.kwargs):
            raise Broken("After the call, an array that was passed in held other numbers.", "changes-its-arguments")

    hint = "The arrays that went in, before and after the call."
    return holds("leaves its arguments as they were", run, cost=cost, hint=hint)


def keeps_float64(case: MakeCase, *, cost: float, otherwise: MakeCase | None = None) -> Check:
    """A gate: float64 in means float64 precision.

    Args:
        case: a call; its floating-point arrays are widened to float64.
        cost: points taken away if not.
        otherwise: the call that must be right for a float32 on the way to be named, by default the same in float32.
    """
    check = agrees(
        "computes in float64 what comes in float64",
        lambda rng: _with_floats(case(rng), np.float64),
        cost=cost,
        hint="Sixteen digits in, at least eight digits right.",
    )
    return named(check, "computes-in-float32", right_on(lambda rng: _with_floats((otherwise or case)(rng), np.float32)))


def takes_whole_numbers(case: MakeCase, *, cost: float, hint: str) -> Check:
    """A gate: the function computes with arrays of integers, which the case holds, as with float32."""
    check = agrees("takes whole numbers", case, cost=cost, hint=hint)
    return named(check, "keeps-integers", right_on(lambda rng: _with_floats(case(rng), np.float32)))


def takes_tensors(case: MakeCase, *, cost: float) -> Check:
    """A gate: the function takes tensors of the Keras backend as well as arrays."""
    check = agrees(
        "takes tensors",
        lambda rng: replace(case(rng), tensors=True),
        cost=cost,
        hint="The same numbers as tensors of the Keras backend.",
    )
    return named(check, "numpy-only", right_on(case))


def _with_floats(case: FunctionCase, dtype: type[np.floating]) -> FunctionCase:
    """Returns the case with its numeric arrays in a floating-point dtype."""

    def cast(value: Value) -> Value:
        return value.astype(dtype) if isinstance(value, np.ndarray) and value.dtype.kind in "fi" else value

    kwargs = {name: cast(value) for name, value in case.kwargs.items()}
    return replace(case, args=tuple(cast(value) for value in case.args), kwargs=kwargs)


def changes_its_arguments(where: str, *edit: Edit) -> Misconception:
    """The mistake that `leaves_arguments_alone` names; `where` is the section that asks for more care."""
    return Misconception(
        "changes-its-arguments",
        "You compute in place (-=, *=, out=, or an assignment to a part), so the caller's own array holds other "
        f"numbers after the call. Make a new array instead: see {where}.",
        edit=edit,
    )


def computes_in_float32(where: str, *edit: Edit) -> Misconception:
    """The mistake that `keeps_float64` names."""
    return Misconception(
        "computes-in-float32",
        "You are right to seven digits where float64 carries sixteen: something on the way is float32, a cast, a "
        f"tensor or an array made without a dtype. See {where}.",
        edit=edit,
    )


def keeps_integers(where: str, *edit: Edit, wrong: Callable[..., Value] | None = None) -> Misconception:
    """The mistake that `takes_whole_numbers` names; `wrong` is its formula where there is one."""
    return Misconception(
        "keeps-integers",
        "You are right on floats but not on whole numbers: somewhere an array keeps an integer dtype, which refuses "
        f"or cuts off fractions. See {where}.",
        wrong=wrong,
        edit=edit,
    )


def numpy_only(where: str, *edit: Edit) -> Misconception:
    """The mistake that `takes_tensors` names."""
    return Misconception(
        "numpy-only",
        "You are right on NumPy arrays but not on tensors: a method such as .mean() or an assignment to part of an "
        f"array exists for NumPy only. Functions of keras.ops take both: see {where}.",
        edit=edit,
    )
