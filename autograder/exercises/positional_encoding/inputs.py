"""What the checks of this assignment put in: even depths, short sequences, masks; and what both layers owe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Check,
    FunctionCase,
    Generator,
    LayerCase,
    StudentError,
    Tolerance,
    Trial,
    compare,
    distinct_sizes,
    holds,
)
from autograder.checking.checks import expect

ENCODING = Tolerance(rtol=1e-4, atol=5e-4)
"""Below position 2,048: float32 holds an angle of 2,047 radians to about 1e-4."""


@dataclass(frozen=True)
class EncodingCase(FunctionCase):
    """A call with whole numbers, whose result holds sines of large angles."""

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return ENCODING


@dataclass(frozen=True)
class EncodedCase(LayerCase):
    """A layer whose output holds sines of angles."""

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return ENCODING


def even(rng: Generator, low: int, high: int) -> int:
    """Returns an even number in [low, high)."""
    return 2 * int(rng.integers(low // 2, high // 2))


def sizes(rng: Generator, T: int | None = None) -> tuple[int, int, int]:
    """Returns B, T and an even D, all different; more steps than sequences, so that no axis fits another."""
    depth = even(rng, 4, 12)
    batch, *time = (size for size in distinct_sizes(rng, 8, 3, 13) if size != depth)
    return min(batch, *time), T or max(time), depth


def off_centre(rng: Generator, *shape: int) -> Array:
    """Returns embeddings whose mean is not 0."""
    return rng.normal(0.7, 1.5, shape).astype(np.float32)


def padded(rng: Generator, batch: int, time: int) -> Array:
    """Returns a mask (B, T) of real steps: one row with no padding, all others with some of it."""
    lengths = rng.integers(1, time, (batch, 1))
    lengths[rng.integers(0, batch)] = time
    return np.arange(time) < lengths


def refuses(
    name: str, calls: Callable[[Generator], list[tuple[int, int]]], *, accepted: str, cost: float, hint: str
) -> Check:
    """A gate: the function raises ValueError on each of these calls.

    Args:
        name: what is refused, as a sentence.
        calls: makes the positional arguments of each call.
        accepted: the misconception of a function that returns something.
        cost: points taken away if not.
        hint: what it looks at, for students.
    """

    def run(trial: Trial) -> None:
        for arguments in calls(trial.rng):
            said = f"{trial.exercise.symbol}({', '.join(map(str, arguments))})"
            try:
                trial.probe.call(trial.exercise.symbol, *arguments)
            except StudentError as raised:
                if raised.kind != "ValueError":
                    raise Broken(f"{said} raised {raised.kind} where ValueError was expected.") from raised
            else:
                raise Broken(f"{said} returned something where ValueError was expected.", accepted)

    return holds(name, run, cost=cost, hint=hint)


def refuses_longer(case: Callable[[Generator], LayerCase], *, cost: float) -> Check:
    """A gate: the layer raises ValueError on more than max_length steps, new or in use."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        (x,) = wanted.inputs
        longest = wanted.config["max_length"]
        B, _, D = x.shape
        longer = off_centre(trial.rng, B, longest + int(trial.rng.integers(1, 4)), D)
        said = f"{longer.shape[1]} steps with max_length={longest}"
        used = wanted.built(trial.probe, trial.exercise.symbol)
        of_used = _refusal(lambda: used(longer))
        of_new = _refusal(lambda: trial.probe.make(trial.exercise.symbol, **wanted.config)(longer))
        if of_new == of_used == "ValueError":
            return
        if of_new == "ValueError":
            raise Broken(
                f"A new layer refused {said}; one that had been called before did not raise ValueError.",
                "length-looked-at-once",
            )
        if of_used is None or of_new is None:
            raise Broken(f"It accepted {said}, where ValueError was expected.", "any-length-accepted")
        raise Broken(f"On {said} it raised {of_new} where ValueError was expected.", "length-left-to-the-backend")

    hint = "A few steps too many, for a new layer and for one that was called on a shorter sequence before."
    return holds("refuses sequences longer than max_length", run, cost=cost, hint=hint)


def _refusal(call: Callable[[], object]) -> str | None:
    try:
        call()
    except StudentError as raised:
        if raised.kind == "NotImplementedError":
            raise
        return raised.kind
    return None


def passes_mask(case: Callable[[Generator], LayerCase], *, points: float) -> Check:
    """A check that the next layer gets the mask that came in, and all the right numbers with it."""

    def run(trial: Trial) -> None:
        wanted = case(trial.rng)
        (x,) = wanted.inputs
        mask = padded(trial.rng, *x.shape[:2])
        found, arrived = wanted.built(trial.probe, trial.exercise.symbol).masked(x, mask)
        try:
            expect(trial.exercise, wanted, found)
        except Broken as broken:
            if _right_where(mask, found, wanted.expected(trial.exercise.formula or np.asarray), wanted.tolerance):
                raise Broken(f"Only where the mask is False: {broken}", "padding-left-out") from broken
            raise
        if arrived is None:
            raise Broken("x came with a mask, and the layer behind yours gets none.", "mask-dropped")
        if difference := compare(arrived, mask, name="the mask that the layer behind yours gets"):
            raise Broken(difference.message)

    hint = "x comes with a mask (B, T), as from Embedding(mask_zero=True); a layer behind yours looks what it gets."
    return holds("passes a mask on to the next layer", run, points=points, hint=hint)


def _right_where(mask: Array, found: object, expected: Array, tolerance: Tolerance) -> bool:
    if not isinstance(found, np.ndarray) or found.shape != expected.shape:
        return False
    return compare(found[mask], expected[mask], tolerance) is None
