"""copy_keras_weights: the same numbers in two layouts, Keras' with an axis for the heads and ours without.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.2.2. Keras keeps the matrices W_Qi of all
heads in one kernel (D, H, d), and W_O, cut into a block of rows for each head, in one (H, d, D).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checking import (
    FLOAT32,
    Array,
    Broken,
    Exercise,
    Generator,
    Instance,
    Misconception,
    Probe,
    StudentError,
    Tolerance,
    Trial,
    agrees,
    compare,
    holds,
)
from autograder.exercises.multi_head_attention.inputs import WEIGHTS, matrices, sizes

Kernels = dict[str, Array]
"""By the name of Keras' sublayer: query, key, value (D, H, d) and output (H, d, D)."""
Weights = dict[str, Array]
"""w_q, w_k, w_v and w_o, each (D, D)."""


def copied(before: Weights, *, query: Array, key: Array, value: Array, output: Array) -> Weights:
    """Returns the weights of one's own layer, from the kernels of Keras'.

    Head h of either layer holds the same numbers: its columns of w_q, w_k and w_v are [:, h, :] of a kernel, its
    rows of w_o are [h, :, :]. What the layer held before does not count.
    """
    D = query.shape[0]
    return {
        "w_q": query.reshape(D, D),
        "w_k": key.reshape(D, D),
        "w_v": value.reshape(D, D),
        "w_o": output.reshape(D, D),
    }


@dataclass(frozen=True)
class CopyCase:
    """A layer of one's own beside one of Keras', before the copy.

    Attributes:
        heads: H.
        before: what the own layer holds.
        kernels: what Keras' layer holds.
    """

    heads: int
    before: Weights
    kernels: Kernels

    def layers(self, probe: Probe) -> tuple[Instance, Instance]:
        """Returns the student's layer and Keras' layer, built, holding these weights.

        Where the student's own MultiHeadAttention can't take them, the notebook's stand-in does: what is wrong there
        has cost its marks there.
        """
        D = len(self.before["w_q"])
        x = np.zeros((2, 3, D), np.float32)
        theirs = probe.keras("MultiHeadAttention", num_heads=self.heads, key_dim=D // self.heads, use_bias=False)
        theirs(x, x, x)
        theirs.assign({f"{name}_dense.kernel": kernel for name, kernel in self.kernels.items()})
        for symbol in ("MultiHeadAttention", "FourMatrices"):
            try:
                own = probe.make(symbol, num_heads=self.heads, embed_dim=D)
                own(x, x, x)
                own.assign(self.before)
            except StudentError:
                continue
            return own, theirs
        raise Broken("Neither MultiHeadAttention nor FourMatrices of section 4 can be built: run the cells above.")

    def found(self, probe: Probe, symbol: str) -> Weights:
        """See `Case`."""
        own, theirs = self.layers(probe)
        probe.do(symbol, own, theirs)
        try:
            found = own.read(*WEIGHTS)
        except StudentError as error:
            raise Broken(f"After the call: {error.detail}", "attributes-replaced") from error
        if compare(found, self.before) is None and (changed := self.changed(theirs)):
            raise Broken(f"After the call, layer is as it was, and keras_layer has {changed}.", "copied-the-other-way")
        return found

    def changed(self, theirs: Instance) -> str:
        """Returns in words which kernel of Keras' layer is not as it was, or nothing."""
        found = theirs.read(*(f"{name}_dense.kernel" for name in self.kernels))
        for name, kernel in self.kernels.items():
            if compare(found.get(f"{name}_dense.kernel"), kernel) is not None:
                return f"another {name} kernel"
        return ""

    def expected(self, formula: Callable[..., Weights]) -> Weights:
        """See `Case`."""
        args, kwargs = self.arguments
        return formula(*args, **kwargs)

    @property
    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """See `Case`."""
        return (self.before,), {name: kernel.astype(np.float64) for name, kernel in self.kernels.items()}

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return FLOAT32


def _case(rng: Generator, H: int, d: int) -> CopyCase:
    D = H * d

    def kernel(*shape: int) -> Array:
        return rng.normal(0.3, 0.8, shape).astype(np.float32)

    kernels = {name: kernel(D, H, d) for name in ("query", "key", "value")}
    return CopyCase(H, matrices(rng, D), {**kernels, "output": kernel(H, d, D)})


def _layers(rng: Generator) -> CopyCase:
    _, _, _, H, d = sizes(rng)
    return _case(rng, H, d)


def _two_pairs(rng: Generator) -> list[CopyCase]:
    _, _, _, H, d = sizes(rng)
    return [_case(rng, H, d), _case(rng, d, H)]


def _as_many_heads_as_columns(rng: Generator) -> CopyCase:
    # where H = D/H an exchange of heads and columns fits every shape
    n = int(rng.integers(3, 6))
    return _case(rng, n, n)


def _one_head_and_one_column(rng: Generator) -> list[CopyCase]:
    _, _, _, H, d = sizes(rng)
    return [_case(rng, 1, H * d), _case(rng, H * d, 1)]


def _leaves_keras_alone(trial: Trial) -> None:
    case = _layers(trial.rng)
    own, theirs = case.layers(trial.probe)
    trial.probe.do(trial.exercise.symbol, own, theirs)
    if changed := case.changed(theirs):
        raise Broken(f"After the call, keras_layer has {changed}.", "copied-the-other-way")


def _with(change: Callable[[Weights, Kernels], Weights]) -> Callable[..., Weights]:
    """Returns the formula with some of its weights made in another way."""

    def wrong(before: Weights, **kernels: Array) -> Weights:
        return {**copied(before, **kernels), **change(before, kernels)}

    return wrong


def _three(change: Callable[[Array], Array]) -> Callable[..., Weights]:
    """Returns the formula with w_q, w_k and w_v made of a kernel (D, H, d) in another way."""

    def wrong(before: Weights, **kernels: Array) -> Weights:
        changed = {f"w_{name[0]}": change(kernels[name]) for name in ("query", "key", "value")}
        return {**copied(before, **kernels), **changed}

    return wrong


def _flat(kernel: Array, *axes: int) -> Array:
    """Returns a kernel (D, H, d) with its axes in another order, as (D, D)."""
    return kernel.transpose(axes).reshape(len(kernel), len(kernel))


def _right(kernels: Kernels) -> Weights:
    return copied({}, **kernels)


_QUERY = "layer.w_q.assign(ops.reshape(query, (D, D)))"
_KEY = "layer.w_k.assign(ops.reshape(key, (D, D)))"
_VALUE = "layer.w_v.assign(ops.reshape(value, (D, D)))"
_OUTPUT = "layer.w_o.assign(ops.reshape(output, (D, D)))"
_UNPACK = "query, key, value, output = keras_layer.get_weights()"
_THREE = ((_QUERY, "w_q", "query"), (_KEY, "w_k", "key"), (_VALUE, "w_v", "value"))


def _each(text: str) -> tuple[tuple[str, str], ...]:
    """Returns the edits that make w_q, w_k and w_v of a kernel in another way."""
    return tuple((old, f"layer.{name}.assign({text.format(kernel)})") for old, name, kernel in _THREE)


COPY_KERAS_WEIGHTS = Exercise(
    symbol="copy_keras_weights",
    formula=copied,
    checks=(
        agrees(
            "sets the four weights to what Keras' layer holds",
            _two_pairs,
            points=2.5,
            hint="Two pairs of layers, H and D/H differ; w_q, w_k, w_v and w_o are read afterwards.",
        ),
        agrees(
            "keeps heads and columns apart when H and D/H are equal",
            _as_many_heads_as_columns,
            points=1,
            hint="On equal sizes an exchange of heads and columns fits every shape.",
        ),
        agrees(
            "takes a single head, and heads of a single column",
            _one_head_and_one_column,
            points=0.5,
            hint="H = 1 and H = D.",
        ),
        holds(
            "leaves Keras' layer as it was",
            _leaves_keras_alone,
            cost=0.5,
            hint="The kernels of keras_layer, before the call and after it.",
        ),
    ),
    misconceptions=(
        Misconception(
            "key-and-value-exchanged",
            "Your w_k holds the values' kernel and your w_v the keys': the order of get_weights() is not that in "
            "which Keras' layer is called. The table in section 4.1 has the kernels by name.",
            wrong=_with(lambda _, k: {"w_k": _right(k)["w_v"], "w_v": _right(k)["w_k"]}),
            edit=((_UNPACK, "query, value, key, output = keras_layer.get_weights()"),),
        ),
        Misconception(
            "query-and-key-exchanged",
            "Your w_q holds the keys' kernel and your w_k the queries'. The table in section 4.1 has the kernels by "
            "name.",
            wrong=_with(lambda _, k: {"w_q": _right(k)["w_k"], "w_k": _right(k)["w_q"]}),
            edit=((_UNPACK, "key, query, value, output = keras_layer.get_weights()"),),
        ),
        Misconception(
            "columns-interleaved",
            "The columns of your w_q, w_k and w_v alternate between the heads; in your layer a head's columns are "
            "neighbours. Work the example of section 4.2 with your code.",
            wrong=_three(lambda kernel: _flat(kernel, 0, 2, 1)),
            edit=_each("ops.reshape(ops.transpose({0}, (0, 2, 1)), (D, D))"),
        ),
        Misconception(
            "heads-before-rows",
            "You bring the heads to the front before you flatten: what were columns of one matrix become rows. Work "
            "the example of section 4.2 with your code.",
            wrong=_three(lambda kernel: _flat(kernel, 1, 0, 2)),
            edit=_each("ops.reshape(ops.transpose({0}, (1, 0, 2)), (D, D))"),
        ),
        Misconception(
            "transposed",
            "Your w_q, w_k and w_v are transposed: all are square, so no shape complains. In section 4.2 a row of "
            "w_q belongs to one column of the input.",
            wrong=_three(lambda kernel: _flat(kernel, 0, 1, 2).T),
            edit=_each("ops.transpose(ops.reshape({0}, (D, D)))"),
        ),
        Misconception(
            "w-o-transposed",
            "Your w_o is transposed: it is square, so no shape complains. Its kernel has the heads in front where the "
            "other three have them in the middle; section 4.2 has its rows.",
            wrong=_with(lambda _, k: {"w_o": _right(k)["w_o"].T}),
            edit=((_OUTPUT, "layer.w_o.assign(ops.transpose(ops.reshape(output, (D, D))))"),),
        ),
        Misconception(
            "rows-of-w-o-interleaved",
            "The rows of your w_o alternate between the heads; what merge_heads puts side by side comes head by head. "
            "Work the example of section 4.2 with your code.",
            wrong=_with(lambda _, k: {"w_o": k["output"].swapaxes(0, 1).reshape((-1, k["output"].shape[2]))}),
            edit=((_OUTPUT, "layer.w_o.assign(ops.reshape(ops.swapaxes(output, 0, 1), (D, D)))"),),
        ),
        Misconception(
            "w-o-not-copied",
            "Your w_o still holds what it held before the call: there are four kernels to copy. See section 4.1.",
            wrong=_with(lambda before, _: {"w_o": before["w_o"]}),
            edit=((_OUTPUT, "pass"),),
        ),
        Misconception(
            "nothing-copied",
            "After the call your layer holds what it held before: you change copies of its weights, or a layer of "
            "your own making, but not the layer that was passed in. See section 4.1.",
            wrong=_with(lambda before, _: before),
            edit=(
                (
                    _UNPACK,
                    "layer = type(layer).from_config(layer.get_config())\n"
                    f"    layer.build(*[(None, None, layer.embed_dim)] * 3)\n    {_UNPACK}",
                ),
            ),
        ),
        Misconception(
            "one-kernel-for-all",
            "Your w_q, w_k and w_v hold the same numbers, the queries' kernel. The table in section 4.1 has the "
            "kernels by name.",
            wrong=_with(lambda _, k: dict.fromkeys(("w_k", "w_v"), _right(k)["w_q"])),
            edit=((_UNPACK, "query, _, _, output = keras_layer.get_weights()\n    key = value = query"),),
        ),
        Misconception(
            "scale-built-in",
            "Your w_q is divided by √(D/H): both layers divide their scores by themselves, and the numbers are copied "
            "as they are. See section 4.1.",
            wrong=_with(lambda _, k: {"w_q": _right(k)["w_q"] / np.sqrt(k["query"].shape[2])}),
            edit=((_QUERY, "layer.w_q.assign(ops.reshape(query, (D, D)) / query.shape[2] ** 0.5)"),),
        ),
        Misconception(
            "last-head-first",
            "Your heads stand in reverse order: head 0 of your layer is the last of Keras'. Section 4.1 says which "
            "head is which.",
            wrong=_with(
                lambda before, k: copied(
                    before,
                    **{n: kernel[::-1] if n == "output" else kernel[:, ::-1] for n, kernel in k.items()},
                )
            ),
            edit=(
                (
                    _UNPACK,
                    f"{_UNPACK}\n    query, key, value = query[:, ::-1], key[:, ::-1], value[:, ::-1]\n"
                    "    output = output[::-1]",
                ),
            ),
        ),
        Misconception(
            "copied-the-other-way",
            "You copy from your layer to Keras': after the call it is Keras' layer that has changed. Section 4.1 says "
            "from where to where.",
            edit=(
                (_QUERY, "keras_layer.query_dense.kernel.assign(ops.reshape(layer.w_q, query.shape))"),
                (_KEY, "keras_layer.key_dense.kernel.assign(ops.reshape(layer.w_k, key.shape))"),
                (_VALUE, "keras_layer.value_dense.kernel.assign(ops.reshape(layer.w_v, value.shape))"),
                (_OUTPUT, "keras_layer.output_dense.kernel.assign(ops.reshape(layer.w_o, output.shape))"),
            ),
        ),
        Misconception(
            "attributes-replaced",
            "You put an array in the place of a weight (layer.w_q = …): the layer's variable is lost to training and "
            "saving. Section 4.1 says what a weight is and how it gets other numbers.",
            edit=(
                (_QUERY, "layer.w_q = query.reshape((D, D))"),
                (_KEY, "layer.w_k = key.reshape((D, D))"),
                (_VALUE, "layer.w_v = value.reshape((D, D))"),
                (_OUTPUT, "layer.w_o = output.reshape((D, D))"),
            ),
        ),
    ),
)
