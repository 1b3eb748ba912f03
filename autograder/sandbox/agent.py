"""The agent: answers the grader's questions beside the student's code. It holds no secret.

A question names an operation and what it applies to; the answer is `{"value": ...}` or `{"error": ...}`. The agent
only does what is asked (call this on these arrays, set these weights); what is right it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.sandbox import guards
from autograder.sandbox.wire import Limits, pack, unpack

Question = Mapping[str, Any]


class Refused(Exception):
    """The question cannot be answered; the message goes to the student."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class Agent:
    """Answers questions about the symbols in a namespace.

    Args:
        namespace: where the student's code has run.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._instances: dict[int, Any] = {}
        self._keras_own: set[int] = set()
        self._count = 0

    def reply(self, question: bytes) -> bytes:
        """Returns the packed answer to a packed question; a result that cannot be sent is an error of its own."""
        answer, most = self.answer(unpack(question)), Limits().total_bytes
        try:
            data = pack(answer)
        except TypeError as error:
            return pack({"error": {"kind": "TypeError", "detail": str(error)}})
        if len(data) > most:
            return pack({"error": {"kind": "MemoryError", "detail": f"a result of more than {most} bytes"}})
        return data

    def answer(self, question: Question) -> dict[str, Any]:
        """Returns the answer to a question; never raises for what the student's code does."""
        refused: list[str] = []
        try:
            operation: Callable[[Question], Any] = getattr(self, f"_op_{question['op']}")
            # a layer of Keras' own is made and called by this file, which is no student's
            asking = (__file__,) if self._is_keras_own(question) else ()
            with guards.refusing(question.get("forbidden", ()), asking) as refused:
                value = operation(question)
            if not refused:
                return {"value": value}
        except Refused as reason:
            if not refused:
                return {"error": {"kind": reason.kind, "detail": str(reason)}}
        except BaseException as error:
            if not refused:
                return {"error": {"kind": type(error).__name__, "detail": str(error)[:2000]}}
        return {"error": {"kind": "Forbidden", "detail": refused[0]}}

    def _symbol(self, name: str) -> Any:
        if name not in self._namespace:
            raise Refused("Missing", f"There is no {name} in the notebook: was its cell deleted or renamed?")
        return self._namespace[name]

    def _instance(self, question: Question) -> Any:
        return self._instances[question["instance"]]

    def _is_keras_own(self, question: Question) -> bool:
        return question["op"] == "keras" or question.get("instance") in self._keras_own

    def _argument(self, value: Any, convert: Callable[[Any], Any]) -> Any:
        """Returns an argument as the student's code gets it: `{"instance": number}` stands for what was kept."""
        if isinstance(value, Mapping) and list(value) == ["instance"]:
            return self._instance(value)
        return convert(value)

    def _keep(self, instance: Any) -> int:
        self._count += 1
        self._instances[self._count] = instance
        return self._count

    def _op_forget(self, question: Question) -> None:
        """Drops all instances, between exercises."""
        import keras

        self._instances.clear()
        self._keras_own.clear()
        keras.backend.clear_session()

    def _op_seed(self, question: Question) -> None:
        import keras

        keras.utils.set_random_seed(question["seed"])

    def _op_call(self, question: Question) -> Any:
        return _plain(self._called(question))

    def _op_do(self, question: Question) -> None:
        self._called(question)

    def _called(self, question: Question) -> Any:
        convert = _tensor if question["tensors"] else _own
        args = [self._argument(value, convert) for value in question["args"]]
        kwargs = {name: self._argument(value, convert) for name, value in question["kwargs"].items()}
        return self._symbol(question["symbol"])(*args, **kwargs)

    def _op_modifies(self, question: Question) -> bool:
        args = [self._argument(value, _own) for value in question["args"]]
        kwargs = {name: _own(value) for name, value in question["kwargs"].items()}
        self._symbol(question["symbol"])(*args, **kwargs)
        after = [*args, *kwargs.values()]
        before = [*question["args"], *question["kwargs"].values()]
        return any(
            isinstance(was, np.ndarray) and not np.array_equal(was, now, equal_nan=was.dtype.kind == "f")
            for was, now in zip(before, after, strict=True)
        )

    def _op_make(self, question: Question) -> int:
        made = self._symbol(question["symbol"])(*question["args"], **question["kwargs"])
        if made is None:
            raise Refused("TypeError", f"{question['symbol']} returned None: is there a return statement?")
        return self._keep(made)

    def _op_keras(self, question: Question) -> int:
        """Makes a layer of Keras' own, by the name that the grader gives."""
        import keras

        number = self._keep(getattr(keras.layers, question["class_name"])(**question["config"]))
        self._keras_own.add(number)
        return number

    def _op_keras_model(self, question: Question) -> int:
        import keras

        model = keras.Sequential.from_config({"name": "model", "layers": question["layers"]})
        model.set_weights(question["weights"])
        return self._keep(model)

    def _op_run(self, question: Question) -> Any:
        inputs = [_tensor(value) for value in question["inputs"]]
        kwargs = {name: _tensor(value) for name, value in question["kwargs"].items()}
        return _plain(self._instance(question)(*inputs, **kwargs))

    def _op_assign(self, question: Question) -> None:
        layer = self._instance(question)
        for path, value in question["weights"].items():
            variable = _variable(layer, path)
            if tuple(variable.shape) != value.shape:
                raise Refused(
                    "ValueError",
                    f"The weight {path} has shape {tuple(variable.shape)}, expected {value.shape}.",
                )
            variable.assign(value)

    def _op_read(self, question: Question) -> dict[str, Any]:
        layer = self._instance(question)
        return {path: _plain(_variable(layer, path)) for path in question["names"]}

    def _op_inventory(self, question: Question) -> list[dict[str, Any]]:
        weights = self._instance(question).weights
        return [{"path": w.path, "shape": list(w.shape), "trainable": bool(w.trainable)} for w in weights]

    def _op_name(self, question: Question) -> str:
        return str(self._instance(question).name)

    def _op_clone(self, question: Question) -> int:
        layer = self._instance(question)
        return self._keep(type(layer).from_config(layer.get_config()))

    def _op_traced(self, question: Question) -> Any:
        model = _functional(self._instance(question), question["inputs"], question["free"])
        inputs = question["inputs"]
        return _plain(model(inputs if len(inputs) > 1 else inputs[0], training=False))

    def _op_masked(self, question: Question) -> dict[str, Any]:
        import keras

        given, arrived = _tensor(question["mask"]), []

        class Before(keras.layers.Layer):
            """Sends the mask along with x, as `Embedding(mask_zero=True)` does."""

            def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
                return given

            def call(self, x: Any) -> Any:
                return x

        class After(keras.layers.Layer):
            """Takes whatever mask comes with x."""

            def call(self, x: Any, mask: Any = None) -> Any:
                arrived.append(mask)
                return x

        output = self._instance(question)(Before(autocast=False)(_tensor(question["x"])))
        after = After(autocast=False)
        after.supports_masking = True
        after(output)
        return {"output": _plain(output), "mask": _plain(arrived[-1])}

    def _op_gradients(self, question: Question) -> dict[str, Any]:
        import keras

        layer, x, upstream = self._instance(question), question["x"], question["upstream"]
        model = _functional(layer, x if isinstance(x, list) else [x], (0, 1))
        # one step of plain gradient descent with rate 1 moves each weight by minus its gradient, on any backend
        model.compile(
            optimizer=keras.optimizers.SGD(1.0),
            loss=lambda y_true, y_pred: keras.ops.sum(y_true * y_pred),
            # in graph mode TensorFlow's graph optimiser makes some of these gradients wrong, now and then: up to one
            # run in five for attention, none with the optimiser off or without a graph
            run_eagerly=True,
        )
        # copies: an array may share its memory with the variable, which the compiled step writes into
        before = {path: np.array(_plain(_variable(layer, path))) for path in question["names"]}
        model.train_on_batch(x, upstream)
        return {path: was - _plain(_variable(layer, path)) for path, was in before.items()}

    def _op_build(self, question: Question) -> None:
        model = self._instance(question)
        if not getattr(model, "built", True):
            model(_tensor(question["x"]))

    def _op_describe(self, question: Question) -> dict[str, Any]:
        model = self._instance(question)
        return {
            "parameters": int(model.count_params()),
            "compiled": bool(getattr(model, "compiled", False)),
            "input_shape": _shape(getattr(model, "input_shape", None)),
            "output_shape": _shape(getattr(model, "output_shape", None)),
            "layers": _layers(model),
        }

    def _op_train_epoch(self, question: Question) -> dict[str, float]:
        import keras

        model, epoch = self._instance(question), question["epoch"]
        if not getattr(model, "compiled", False):
            raise Refused("ValueError", "The model is not compiled: call model.compile before returning it.")
        keras.utils.set_random_seed(question["seed"])
        history = model.fit(
            question["x"],
            question["y"],
            batch_size=question["batch_size"],
            initial_epoch=epoch,
            epochs=epoch + 1,
            validation_data=(question["x_held"], question["y_held"]),
            verbose=0,
        )
        return {name: float(history.history[name][-1]) for name in ("loss", "val_loss")}

    def _op_weights(self, question: Question) -> np.ndarray:
        weights = self._instance(question).get_weights()
        return np.concatenate([np.ravel(weight) for weight in weights]) if weights else np.zeros(0)

    def _op_set_weights(self, question: Question) -> None:
        model = self._instance(question)
        shapes = [weight.shape for weight in model.get_weights()]
        parts = np.split(question["weights"], np.cumsum([math.prod(shape) for shape in shapes])[:-1])
        model.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])

    def _op_predict(self, question: Question) -> Any:
        model = self._instance(question)
        return _plain(model.predict(question["x"], batch_size=question["batch_size"], verbose=0))


def _own(value: Any) -> Any:
    """Returns a copy for the student's code to do with as it likes."""
    return value.copy() if isinstance(value, np.ndarray) else value


def _tensor(value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    import keras

    return keras.ops.convert_to_tensor(value)


def _plain(value: Any) -> Any:
    """Returns tensors, variables and arrays as NumPy arrays, in the structure they came in."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return _plain_sequence(value)
    array = _array(value)
    if array.dtype.kind not in "biuf":
        # bfloat16 and its kin have no code of their own in NumPy's file format
        array = array.astype(np.float16)
    return array


def _plain_sequence(values: list[Any] | tuple[Any, ...]) -> Any:
    """Returns nested lists of numbers as an array, other sequences item by item."""
    if isinstance(values, list) and values and all(isinstance(v, (bool, int, float, list, np.number)) for v in values):
        array = np.asarray(values)
        if array.dtype.kind in "biuf":
            return array
    return [_plain(item) for item in values]


def _array(value: Any) -> np.ndarray:
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    import keras

    try:
        return np.asarray(keras.ops.convert_to_numpy(value))
    except Exception:
        raise Refused("TypeError", f"The result is a {type(value).__name__} where an array was expected.") from None


def _variable(layer: Any, path: str) -> Any:
    import keras

    found = layer
    for name in path.split("."):
        found = getattr(found, name, None)
        if found is None:
            raise Refused(
                "AttributeError",
                f"The built layer has no weight {path} (attribute {name} is missing or None).",
            )
    if not isinstance(found, keras.Variable):
        raise Refused("TypeError", f"{path} is a {type(found).__name__}, expected a Keras variable.")
    return found


def _functional(layer: Any, inputs: list[np.ndarray], free: Sequence[int]) -> Any:
    """Returns a model of one layer, whose inputs have axes of unknown size, in a mask the last one, too: a length."""
    import keras

    unknown = [{*free, x.ndim - 1} if x.dtype == bool else {*free} for x in inputs]
    shapes = [
        tuple(None if axis in axes else size for axis, size in enumerate(x.shape))
        for axes, x in zip(unknown, inputs, strict=True)
    ]
    symbolic = [keras.Input(batch_shape=shape, dtype=str(x.dtype)) for shape, x in zip(shapes, inputs, strict=True)]
    return keras.Model(symbolic if len(symbolic) > 1 else symbolic[0], layer(*symbolic))


def _shape(shape: Any) -> list[int | None] | None:
    if not isinstance(shape, tuple):
        return None
    return [None if size is None else int(size) for size in shape]


def _layers(model: Any) -> list[dict[str, Any]]:
    """Returns class and filter width of every layer, nested ones included."""
    listed: list[dict[str, Any]] = []
    flatten = getattr(model, "_flatten_layers", None)
    for layer in flatten(include_self=False) if flatten else getattr(model, "layers", ()):
        width = getattr(layer, "kernel_size", None)
        if isinstance(width, int):  # a layer of the student's own may keep it as one number
            width = (width,)
        listed.append(
            {
                "class": type(layer).__name__,
                "bases": [base.__name__ for base in type(layer).__mro__[1:-1]],
                "kernel_size": [int(k) for k in width] if isinstance(width, tuple) else [],
            }
        )
    return listed
