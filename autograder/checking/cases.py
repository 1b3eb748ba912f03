"""One question put twice: to the student's symbol and to the formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from autograder.checking.compare import FLOAT32, FLOAT64, Tolerance, Value
from autograder.checking.probe import Instance, Probe


class Case(Protocol):
    """Inputs on which a student's symbol and a formula are compared."""

    def found(self, probe: Probe, symbol: str) -> Value:
        """Returns what the student's symbol makes of the inputs."""
        ...

    def expected(self, formula: Callable[..., Value]) -> Value:
        """Returns what a formula makes of them, in float64."""
        ...

    @property
    def arguments(self) -> tuple[tuple[Value, ...], dict[str, Value]]:
        """The formula's positional and keyword arguments."""
        ...

    @property
    def tolerance(self) -> Tolerance:
        """How far the two may lie apart, from the precision of the inputs."""
        ...


def _widened(value: Value) -> Value:
    """Returns float32 arrays as float64, the formula's precision; everything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    return value


def _precision(values: list[Value]) -> Tolerance:
    floats = [v.dtype for v in values if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return FLOAT64 if floats and all(dtype.itemsize == 8 for dtype in floats) else FLOAT32


@dataclass(frozen=True)
class FunctionCase:
    """A call of a function.

    Attributes:
        args: positional arguments.
        kwargs: keyword arguments.
        tensors: pass arrays as tensors of the Keras backend.
    """

    args: tuple[Value, ...]
    kwargs: Mapping[str, Value] = field(default_factory=dict[str, Value])
    tensors: bool = False

    def found(self, probe: Probe, symbol: str) -> Value:
        """See `Case`."""
        return probe.call(symbol, *self.args, tensors=self.tensors, **self.kwargs)

    def expected(self, formula: Callable[..., Value]) -> Value:
        """See `Case`."""
        args, kwargs = self.arguments
        return formula(*args, **kwargs)

    @property
    def arguments(self) -> tuple[tuple[Value, ...], dict[str, Value]]:
        """See `Case`."""
        args = tuple(_widened(value) for value in self.args)
        return args, {name: _widened(value) for name, value in self.kwargs.items()}

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return _precision([*self.args, *self.kwargs.values()])


@dataclass(frozen=True)
class LayerCase:
    """A layer with given weights, called on given inputs.

    The formula of a layer takes the inputs by position and, by name, the weights (dots in their paths as
    underscores), the constructor's arguments and the call's keyword arguments.

    Attributes:
        config: the constructor's arguments by name.
        weights: by attribute path, e.g. "w_q" or "conv1.kernel".
        inputs: positional arguments of the call.
        kwargs: keyword arguments of the call, e.g. a mask.
    """

    config: Mapping[str, Any]
    weights: Mapping[str, np.ndarray]
    inputs: tuple[np.ndarray, ...]
    kwargs: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def built(self, probe: Probe, symbol: str) -> Instance:
        """Returns the student's layer, built on these inputs, holding these weights."""
        layer = probe.make(symbol, **self.config)
        layer(*self.inputs, **self.kwargs)
        layer.assign(self.weights)
        return layer

    def found(self, probe: Probe, symbol: str) -> Value:
        """See `Case`."""
        return self.built(probe, symbol)(*self.inputs, **self.kwargs)

    def expected(self, formula: Callable[..., Value]) -> Value:
        """See `Case`."""
        args, kwargs = self.arguments
        return formula(*args, **kwargs)

    @property
    def arguments(self) -> tuple[tuple[Value, ...], dict[str, Value]]:
        """See `Case`."""
        weights = {path.replace(".", "_"): _widened(w) for path, w in self.weights.items()}
        kwargs = {name: _widened(value) for name, value in self.kwargs.items()}
        return tuple(_widened(x) for x in self.inputs), {**weights, **self.config, **kwargs}

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return FLOAT32
