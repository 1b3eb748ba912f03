"""A language model whose logits the grader can compute: what `generate` is asked to continue with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.checking import Array, Generator, Instance, Probe


@dataclass(frozen=True)
class KnownModel:
    """Logits tanh(M E[tokens]) W: every token of the context counts, and so does its place.

    The same in NumPy (call it) and in Keras (`beside` the student's code).

    Attributes:
        table: E, (V, C), a vector for every token.
        mixing: M transposed, (context, context): what position t (column) takes from position s (row).
        head: W, (C, V).
        dropout: the rate of a dropout layer before the head, which does nothing unless the model is training.
    """

    table: Array
    mixing: Array
    head: Array
    dropout: float = 0.0

    @property
    def context(self) -> int:
        """Number of tokens that the model takes, no more and no fewer."""
        return len(self.mixing)

    def __call__(self, tokens: Array) -> Array:
        """Returns logits (B, context, V) for tokens (B, context)."""
        assert tokens.shape[1] == self.context, "the model takes exactly its context"
        x = self.table.astype(np.float64)[tokens]  # (B, context, C)
        mixed = np.einsum("bsc,st->btc", x, self.mixing.astype(np.float64))
        return np.tanh(mixed) @ self.head.astype(np.float64)

    def beside(self, probe: Probe) -> Instance:
        """Makes the model in Keras where the student's code runs."""
        V, C = self.table.shape
        layers = [
            ("InputLayer", {"batch_shape": [None, self.context], "dtype": "int32"}),
            ("Embedding", {"input_dim": V, "output_dim": C}),
            ("Permute", {"dims": [2, 1]}),
            ("Dense", {"units": self.context, "use_bias": False}),
            ("Permute", {"dims": [2, 1]}),
            ("Activation", {"activation": "tanh"}),
            ("Dropout", {"rate": self.dropout}),
            ("Dense", {"units": V, "use_bias": False}),
        ]
        described = [{"class_name": kind, "config": config} for kind, config in layers]
        return probe.keras_model(described, [self.table, self.mixing, self.head])


def known_model(
    rng: Generator, context: int, vocabulary_size: int, *, causal: bool = True, dropout: float = 0.0
) -> KnownModel:
    """Returns a model with random weights; unless it is causal, what fills the context counts as well."""
    C = 7
    table = rng.normal(0.0, 1.0, (vocabulary_size, C))
    mixing = rng.normal(0.0, 1.0, (context, context))
    if causal:
        mixing = np.triu(mixing)
    head = rng.normal(0.0, 1.0, (C, vocabulary_size))
    return KnownModel(*(weights.astype(np.float32) for weights in (table, mixing, head)), dropout=dropout)
