"""padding_mask: True for the tokens that every query may attend to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograder.checking import Array, Exercise, FunctionCase, Generator, Misconception, agrees, conventions


def padding_mask(tokens: Array, pad_id: int = 0) -> Array:
    """Returns (B, 1, L), True where a token of (B, L) is not padding: all queries may see it."""
    return (tokens != pad_id)[:, None, :]


def _padded(rng: Generator, pad_id: int, other: Sequence[int], dtype: type = np.int32) -> Array:
    """Returns rows of differing length, padded at the end; row 0 has padding inside, row 1 none."""
    B, L = int(rng.integers(4, 7)), int(rng.integers(7, 11))
    tokens = rng.choice(np.asarray(other), (B, L))
    lengths = rng.integers(2, L - 1, (B, 1))
    lengths[:2] = L
    tokens[np.arange(L) >= lengths] = pad_id
    tokens[0, rng.integers(0, L - 2)] = pad_id
    return tokens.astype(dtype)


def _padded_with_0(rng: Generator) -> list[FunctionCase]:
    words = range(1, 60)
    return [FunctionCase((_padded(rng, 0, words, dtype),)) for dtype in (np.int32, np.int64)]


def _padded_with_another(rng: Generator) -> list[FunctionCase]:
    # ids on both sides of the padding's, 0 among them
    return [
        FunctionCase((_padded(rng, 5, [0, 1, 2, 3, 4, 6, 7, 8]),), {"pad_id": 5}),
        FunctionCase((_padded(rng, 9, range(9)), 9)),
        FunctionCase((_padded(rng, -1, range(9)),), {"pad_id": -1}),
    ]


def _only_padding(rng: Generator) -> FunctionCase:
    tokens = _padded(rng, 0, range(1, 60))
    tokens[-1] = 0
    return FunctionCase((tokens,))


def _one_batch(rng: Generator) -> FunctionCase:
    return FunctionCase((_padded(rng, 3, [0, 1, 2, 4, 5]),), {"pad_id": 3})


def _padding_at_the_end(tokens: Array, pad_id: int = 0) -> Array:
    lengths = (tokens != pad_id).sum(axis=1)
    return (np.arange(tokens.shape[1]) < lengths[:, None])[:, None, :]


_PADDING = "ops.not_equal(tokens, pad_id)[:, None, :]"

PADDING_MASK = Exercise(
    symbol="padding_mask",
    formula=padding_mask,
    checks=(
        agrees(
            "is True where a token is not padding, with padding 0",
            _padded_with_0,
            points=1,
            hint="Rows of differing length, one of them with a 0 in the middle; int32 and int64.",
        ),
        agrees(
            "follows pad_id",
            _padded_with_another,
            points=1,
            hint="Paddings other than 0, among ids that are smaller and larger.",
        ),
        agrees("takes a row of padding only", _only_padding, cost=0.5, hint="One row is empty."),
        conventions.leaves_arguments_alone(_one_batch, cost=0.5),
        conventions.takes_tensors(_one_batch, cost=0.5),
    ),
    misconceptions=(
        Misconception(
            "true-for-padding",
            "Your mask is True for the padding; True means 'may attend'. See section 2.3.",
            wrong=lambda tokens, pad_id=0: (tokens == pad_id)[:, None, :],
            edit=(("not_equal", "equal"),),
        ),
        Misconception(
            "no-axis-for-the-queries",
            "Your mask has shape (B, L): against weights (B, T, L) its first axis would meet the queries. Section 3 "
            "says where one more axis goes.",
            wrong=lambda tokens, pad_id=0: tokens != pad_id,
            edit=((_PADDING, "ops.not_equal(tokens, pad_id)"),),
        ),
        Misconception(
            "padding-on-the-queries",
            "Your mask has shape (B, L, 1): it blocks queries that are padding, and everyone still attends to padded "
            "keys. Section 3 says which axis counts keys.",
            wrong=lambda tokens, pad_id=0: (tokens != pad_id)[:, :, None],
            edit=(("[:, None, :]", "[:, :, None]"),),
        ),
        Misconception(
            "an-axis-for-heads",
            "Your mask has shape (B, 1, 1, L), with an axis for heads, as some tutorials have it; here it has rank 3. "
            "See section 3.",
            wrong=lambda tokens, pad_id=0: (tokens != pad_id)[:, None, None, :],
            edit=(("[:, None, :]", "[:, None, None, :]"),),
        ),
        Misconception(
            "pairs-of-tokens",
            "Your mask has shape (B, L, L), True where query and key are both real; the padding mask is about keys "
            "alone and is broadcast over the queries. See section 3.",
            wrong=lambda tokens, pad_id=0: (tokens != pad_id)[:, None, :] & (tokens != pad_id)[:, :, None],
            edit=(
                (
                    _PADDING,
                    "ops.logical_and(ops.not_equal(tokens, pad_id)[:, None, :], ops.not_equal(tokens, pad_id)[:, :, "
                    "None])",
                ),
            ),
        ),
        Misconception(
            "pad-id-ignored",
            "You compare with 0 whatever `pad_id` is (to ask whether a token is truthy is the same): with pad_id=5 "
            "your mask blocks the tokens 0. See the signature in section 3.",
            wrong=lambda tokens, pad_id=0: (tokens != 0)[:, None, :],
            edit=(("ops.not_equal(tokens, pad_id)", "ops.not_equal(tokens, 0)"),),
        ),
        Misconception(
            "larger-than-the-padding",
            "You ask whether a token is larger than `pad_id`: that fits for 0, and with another padding it blocks all "
            "words of smaller id. See section 3.",
            wrong=lambda tokens, pad_id=0: (tokens > pad_id)[:, None, :],
            edit=(("ops.not_equal", "ops.greater"),),
        ),
        Misconception(
            "padding-only-at-the-end",
            "You count the real tokens of a row and allow that many from its start: padding inside a row moves your "
            "mask. Section 3 looks at each position by itself.",
            wrong=_padding_at_the_end,
            edit=(
                (
                    "return ops.not_equal(tokens, pad_id)[:, None, :]",
                    "real = ops.sum(ops.cast(ops.not_equal(tokens, pad_id), 'int32'), axis=1)\n"
                    "    return (ops.arange(tokens.shape[1]) < real[:, None])[:, None, :]",
                ),
            ),
        ),
        Misconception(
            "numbers-for-booleans",
            "Your mask holds the numbers 0 and 1; a mask here is boolean, so that no one can take it for something to "
            "add. See section 2.3.",
            wrong=lambda tokens, pad_id=0: (tokens != pad_id)[:, None, :].astype(np.float64),
            edit=((_PADDING, f'ops.cast({_PADDING}, "float32")'),),
        ),
        conventions.changes_its_arguments(
            "what section 0 asks",
            (
                "return ops.not_equal(tokens, pad_id)[:, None, :]",
                "if isinstance(tokens, np.ndarray):\n"
                "        tokens -= pad_id\n        pad_id = 0\n"
                "    return ops.not_equal(tokens, pad_id)[:, None, :]",
            ),
        ),
    ),
)
