"""How a check reaches a student's symbol: questions in, arrays out, wherever the code runs.

A probe is written over one function, `ask`, that carries a question to an agent beside the student's code
and returns the answer. In a notebook that agent lives in the same process; when a class is graded it lives
in another one. Exercises can't tell the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking.compare import Value

Question = Mapping[str, Any]
Answer = Mapping[str, Any]
Ask = Callable[[Question], Answer]


class StudentError(Exception):
    """The student's code raised, or its symbol is not there.

    Attributes:
        kind: the exception's class name, e.g. "ValueError"; "Missing" when there is no such symbol.
        detail: the exception's message.
    """

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class NoAnswer(Exception):
    """No usable answer came back: the code hangs, its process died, or it was cut off.

    Attributes:
        status: the status that the exercise gets.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Probe:
    """Asks a student's symbols questions."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def ask(self, op: str, **question: Any) -> Any:
        """Asks one question and returns the answer's value.

        Raises:
            StudentError: the student's code raised.
            NoAnswer: nothing usable came back.
        """
        answer = self._ask({"op": op, **question})
        error = answer.get("error")
        if isinstance(error, Mapping):
            raise StudentError(str(error.get("kind", "Error"))[:100], str(error.get("detail", ""))[:2000])
        if "value" not in answer:
            raise NoAnswer("crashed", "the answer to a check was not in the agreed form")
        return answer["value"]

    def call(self, symbol: str, *args: Value, tensors: bool = False, **kwargs: Value) -> Value:
        """Calls a function of the student's.

        Args:
            symbol: name of the function.
            *args: positional arguments; for an `Instance` the function gets the layer or model itself.
            tensors: pass arrays as tensors of the Keras backend rather than as NumPy arrays.
            **kwargs: keyword arguments.
        """
        return self.ask("call", symbol=symbol, tensors=tensors, **_sent(args, kwargs))

    def do(self, symbol: str, *args: Value, **kwargs: Value) -> None:
        """Calls a function for what it does; whatever it returns stays where it is."""
        self.ask("do", symbol=symbol, tensors=False, **_sent(args, kwargs))

    def modifies(self, symbol: str, *args: Value, **kwargs: Value) -> bool:
        """Calls a function and tells whether it changed one of its arguments."""
        return bool(_agreed(self.ask("modifies", symbol=symbol, **_sent(args, kwargs)), bool))

    def make(self, symbol: str, *args: Value, **kwargs: Value) -> Instance:
        """Calls a layer's class or a builder and returns a handle on what came back."""
        number = self.ask("make", symbol=symbol, args=list(args), kwargs=kwargs)
        return Instance(self, symbol, _agreed(number, int))

    def seed(self, seed: int) -> None:
        """Seeds what draws weights and dropout, so that the same model is trained whenever it is graded."""
        self.ask("seed", seed=seed)

    def keras(self, class_name: str, **config: Value) -> Instance:
        """Makes a layer of Keras' own (`keras.layers.<class_name>`), to stand beside the student's."""
        return Instance(self, class_name, _agreed(self.ask("keras", class_name=class_name, config=config), int))

    def keras_model(self, layers: Sequence[Mapping[str, Any]], weights: Sequence[np.ndarray]) -> Instance:
        """Makes a model of the grader's own beside the student's code, for a symbol that takes one.

        Args:
            layers: `{"class_name", "config"}` of each layer of a `keras.Sequential`, the input layer first.
            weights: of all layers, in order.
        """
        number = self.ask("keras_model", layers=list(layers), weights=list(weights))
        return Instance(self, "keras_model", _agreed(number, int))


def _sent(args: Sequence[Value], kwargs: Mapping[str, Value]) -> dict[str, Any]:
    """Returns arguments as they travel: an instance as `{"instance": number}`."""

    def sent(value: Value) -> Value:
        return {"instance": value.number} if isinstance(value, Instance) else value

    return {"args": [sent(value) for value in args], "kwargs": {name: sent(value) for name, value in kwargs.items()}}


def _agreed(value: Any, kind: type) -> Any:
    """Returns a value of the kind that the question asks for.

    Raises:
        StudentError: it is another one: the agent was tampered with.
    """
    if not isinstance(value, kind):
        raise StudentError("Malformed", f"a {type(value).__name__} came back where {kind.__name__} was expected")
    return value


@dataclass(frozen=True)
class Instance:
    """A layer or model, the student's or one of Keras' own, held where the student's code runs."""

    probe: Probe
    symbol: str
    number: int

    def _ask(self, op: str, **question: Any) -> Any:
        return self.probe.ask(op, instance=self.number, **question)

    def __call__(self, *inputs: Value, **kwargs: Value) -> Value:
        """Calls the layer (and so builds it) on arrays."""
        return self._ask("run", inputs=list(inputs), kwargs=kwargs)

    def assign(self, weights: Mapping[str, np.ndarray]) -> None:
        """Sets weights by attribute path, e.g. `{"w_q": ..., "conv1.kernel": ...}`; the layer must be built."""
        self._ask("assign", weights=dict(weights))

    def read(self, *names: str) -> dict[str, np.ndarray]:
        """Returns weights by attribute path."""
        return _agreed(self._ask("read", names=list(names)), dict)

    def inventory(self) -> list[dict[str, Any]]:
        """Returns `{"path", "shape", "trainable"}` of every weight of the built layer."""
        listed = _agreed(self._ask("inventory"), list)
        for weight in listed:
            shape = _agreed(_agreed(weight, dict).get("shape"), list)
            _agreed(weight.get("path"), str)
            _agreed(weight.get("trainable"), bool)
            for size in shape:
                _agreed(size, int)
        return listed

    def name(self) -> str:
        """Returns the name of a layer or model."""
        return _agreed(self._ask("name"), str)

    def clone(self) -> Instance:
        """Returns the layer rebuilt from its own `get_config`."""
        return Instance(self.probe, self.symbol, _agreed(self._ask("clone"), int))

    def traced(self, *inputs: np.ndarray, free: Sequence[int] = (0, 1)) -> Value:
        """Runs the layer inside a functional model whose inputs' `free` axes are of unknown size."""
        return self._ask("traced", inputs=list(inputs), free=list(free))

    def masked(self, x: np.ndarray, mask: np.ndarray) -> tuple[Value, Value]:
        """Runs the layer on an x that carries a Keras mask.

        Returns:
            The output, and the mask that the next layer gets: None if there is none.
        """
        answer = _agreed(self._ask("masked", x=x, mask=mask), dict)
        return answer.get("output"), answer.get("mask")

    def gradients(
        self, x: np.ndarray | Sequence[np.ndarray], upstream: np.ndarray, *names: str
    ) -> dict[str, np.ndarray]:
        """Returns the gradients of `sum(upstream * layer(x))` with respect to the named weights; x may be several."""
        x = x if isinstance(x, np.ndarray) else list(x)
        return _agreed(self._ask("gradients", x=x, upstream=upstream, names=list(names)), dict)

    def build(self, rows: np.ndarray) -> None:
        """Calls a model on rows if it waits for them to make its weights, as a subclass does."""
        self._ask("build", x=rows)

    def describe(self) -> dict[str, Any]:
        """Returns parameters, input and output shapes and the (nested) layers of a model."""
        return _agreed(self._ask("describe"), dict)

    def train_epoch(
        self, x: np.ndarray, y: np.ndarray, x_held: np.ndarray, y_held: np.ndarray, **settings: int
    ) -> dict[str, float]:
        """Trains a compiled model for one epoch; `settings` are epoch (from 0), batch_size and seed.

        Returns:
            "loss", and "val_loss" on the held-out rows.
        """
        losses = _agreed(self._ask("train_epoch", x=x, y=y, x_held=x_held, y_held=y_held, **settings), dict)
        return {name: float(_agreed(losses.get(name), float)) for name in ("loss", "val_loss")}

    def weights(self) -> np.ndarray:
        """Returns all numbers in a model's weights end to end, (P,)."""
        return _agreed(self._ask("weights"), np.ndarray)

    def set_weights(self, weights: np.ndarray) -> None:
        """Sets all weights of a model, from what `weights` gave."""
        self._ask("set_weights", weights=weights)

    def predict(self, x: np.ndarray, batch_size: int = 256) -> np.ndarray:
        """Returns the model's predictions for the rows of x."""
        return _agreed(self._ask("predict", x=x, batch_size=batch_size), np.ndarray)
