"""positional_encoding: a pair of numbers for every frequency, turning like the hand of a clock as the position grows.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.5.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking import (
    Array,
    Broken,
    Exercise,
    Formula,
    Generator,
    Misconception,
    Property,
    Trial,
    agrees,
    distinct_sizes,
    holds,
)
from autograder.exercises.positional_encoding.inputs import ENCODING, EncodingCase, even, refuses


def angles(positions: Array, depth: int, base: float = 10000.0) -> Array:
    """Returns p / 10000^(2i/depth): a row for each position p, a column for each pair i."""
    i = np.arange(depth // 2)
    return positions[..., None] / base ** (2 * i / depth)


def interleaved(sines: Array, cosines: Array) -> Array:
    """Returns (..., depth) with the sines in the even columns and the cosines in the odd ones."""
    return np.stack([sines, cosines], axis=-1).reshape(*sines.shape[:-1], -1)


def positional_encoding(length: int, depth: int) -> Array:
    """Returns PE (length, depth): PE[p, 2i] and PE[p, 2i+1] are sine and cosine of the same angle."""
    angle = angles(np.arange(length), depth)
    return interleaved(np.sin(angle), np.cos(angle))


def _one_pair(rng: Generator) -> list[EncodingCase]:
    return [EncodingCase((length, 2)) for length in distinct_sizes(rng, 2, 5, 12)]


def _several_pairs(rng: Generator) -> list[EncodingCase]:
    # odd lengths: never as long as wide
    depths = 2 * np.array(distinct_sizes(rng, 3, 2, 8))
    lengths = 2 * np.array(distinct_sizes(rng, 3, 2, 8)) + 1
    return [EncodingCase((int(length), int(depth))) for length, depth in zip(lengths, depths, strict=True)]


def _wide(rng: Generator) -> list[EncodingCase]:
    return [EncodingCase((int(rng.integers(20, 40)), even(rng, 64, 130))), EncodingCase((7, even(rng, 300, 520)))]


def _long(rng: Generator) -> EncodingCase:
    return EncodingCase((int(rng.integers(1900, 2049)), even(rng, 12, 30)))


def _single(rng: Generator) -> EncodingCase:
    return EncodingCase((1, even(rng, 4, 12)))


def _is_float32(trial: Trial) -> None:
    (case, *_) = _several_pairs(trial.rng)
    found = case.found(trial.probe, trial.exercise.symbol)
    if not isinstance(found, np.ndarray):
        raise Broken("The result is not one array.")
    if found.dtype != np.float32:
        name = ("float64-table",) if found.dtype == np.float64 else ()
        raise Broken(f"The result has dtype {found.dtype}, expected float32.", *name)


def _odd_depths(rng: Generator) -> list[tuple[int, int]]:
    return [(int(rng.integers(4, 10)), 2 * int(rng.integers(1, 6)) + 1), (6, 1)]


def _no_lengths(rng: Generator) -> list[tuple[int, int]]:
    return [(0, even(rng, 4, 12)), (-int(rng.integers(2, 6)), even(rng, 4, 12))]


def _with(
    angle: Callable[[Array, int], Array] = angles,
    arrange: Callable[[Array, Array], Array] = interleaved,
    sine: Callable[[Array], Array] = np.sin,
    cosine: Callable[[Array], Array] = np.cos,
) -> Formula:
    """Returns the encoding with other parts; the defaults are the formula."""

    def formula(length: int, depth: int) -> Array:
        turned = angle(np.arange(length), depth)
        return arrange(sine(turned), cosine(turned))

    return formula


def _exponent(of_pair: Callable[[Array, int], Array]) -> Formula:
    return _with(angle=lambda p, depth: p[:, None] / 10000.0 ** of_pair(np.arange(depth // 2), depth))


def _by_column(exponent: Callable[[Array, int], Array]) -> Formula:
    """Returns the encoding with an exponent for each column instead of each pair."""

    def formula(length: int, depth: int) -> Array:
        column = np.arange(depth)
        angle = np.arange(length)[:, None] / 10000.0 ** exponent(column, depth)
        return np.where(column % 2 == 0, np.sin(angle), np.cos(angle))

    return formula


_ANGLE = "angle = position / 10000 ** (2 * pair / depth)"
_SINE, _COSINE = "table[:, 0::2] = np.sin(angle)", "table[:, 1::2] = np.cos(angle)"

POSITIONAL_ENCODING = Exercise(
    symbol="positional_encoding",
    formula=positional_encoding,
    checks=(
        agrees(
            "turns a single pair by one radian a position",
            _one_pair,
            points=1,
            tolerance=ENCODING,
            hint="depth = 2, several lengths: there is one angle, and it is the position itself.",
        ),
        agrees(
            "gives every pair its own angle, sine and cosine side by side",
            _several_pairs,
            points=2.5,
            tolerance=ENCODING,
            hint="Depths from 4 on, lengths that differ from them.",
        ),
        agrees(
            "does so for wide vectors",
            _wide,
            points=1,
            tolerance=ENCODING,
            hint="Depths from 64 to 518.",
        ),
        agrees(
            "is right far along the sequence",
            _long,
            points=1.5,
            tolerance=ENCODING,
            hint="About 2,000 positions, the last below 2,048, to an absolute error of 5e-4.",
        ),
        agrees("takes a single position", _single, cost=0.25, tolerance=ENCODING, hint="length = 1."),
        holds("returns float32", _is_float32, cost=0.5, hint="The dtype of the table."),
        refuses(
            "refuses an odd depth",
            _odd_depths,
            accepted="odd-depth-accepted",
            cost=0.5,
            hint="ValueError for depths such as 1 and 5.",
        ),
        refuses(
            "refuses a length below 1",
            _no_lengths,
            accepted="no-length-accepted",
            cost=0.5,
            hint="ValueError for 0 and for negative lengths.",
        ),
    ),
    misconceptions=(
        Misconception(
            "halves-instead-of-pairs",
            "All your sines stand in the first half of the columns and all your cosines in the second, as in the code "
            "that came with the paper. With depth 2 one can't see it. Section 1.1 says which columns are a pair.",
            wrong=_with(arrange=lambda s, c: np.concatenate([s, c], axis=-1)),
            edit=(
                (_SINE, "table[:, : depth // 2] = np.sin(angle)"),
                (_COSINE, "table[:, depth // 2 :] = np.cos(angle)"),
            ),
        ),
        Misconception(
            "column-taken-for-the-pair",
            "You put the number of the column where the formula has the number of the pair: your exponents run up to "
            "almost 2, and the two numbers of a pair have different angles (their squares don't add up to 1). Section "
            "1.1 counts columns and pairs.",
            wrong=_by_column(lambda column, depth: 2 * column / depth),
            edit=(
                ("pair = np.arange(depth // 2)", "pair = np.arange(depth)"),
                (_SINE, "table[:, 0::2] = np.sin(angle[:, 0::2])"),
                (_COSINE, "table[:, 1::2] = np.cos(angle[:, 1::2])"),
            ),
        ),
        Misconception(
            "cosines-turn-slower",
            "Your sines are right; your cosines turn a little slower than the sine beside them, because their "
            "exponent comes from their own column. The two numbers of a pair share one angle: see section 1.1.",
            wrong=_by_column(lambda column, depth: column / depth),
            edit=((_COSINE, "table[:, 1::2] = np.cos(position / 10000 ** ((2 * pair + 1) / depth))"),),
        ),
        Misconception(
            "exponent-without-the-2",
            "Your frequencies fall half as fast as they should: the last pair of a wide vector turns a hundred times "
            "too fast. Look at the numerator of the exponent in section 1.1.",
            wrong=_exponent(lambda i, depth: i / depth),
            edit=((_ANGLE, _ANGLE.replace("2 * ", "")),),
        ),
        Misconception(
            "exponent-doubled",
            "Your frequencies fall twice as fast as they should: the last pair hardly turns at all. In section 1.1 "
            "the 2 in the exponent belongs to 2i, the column; does it stand in your code twice?",
            wrong=_exponent(lambda i, depth: 4 * i / depth),
            edit=((_ANGLE, _ANGLE.replace("2 * ", "4 * ")),),
        ),
        Misconception(
            "exponent-up-to-one",
            "Your last pair turns with frequency 1/10000 exactly: you spread the exponents from 0 to 1, both "
            "included, as some libraries do. In section 1.1 the last exponent stays below 1.",
            wrong=_exponent(lambda i, depth: i / max(depth // 2 - 1, 1)),
            edit=((_ANGLE, _ANGLE.replace("2 * pair / depth", "pair / max(depth // 2 - 1, 1)")),),
        ),
        Misconception(
            "one-frequency-for-all",
            "All your pairs turn equally fast: every other column of your table is the same. Is there an integer "
            "division in your exponent, or none at all? See section 1.1.",
            wrong=_exponent(lambda i, depth: 0 * i),
            edit=((_ANGLE, _ANGLE.replace("/ depth", "// depth")),),
        ),
        Misconception(
            "another-base",
            "Your first pair is right and all others turn too fast: the number under the exponent is not the 10000 "
            "of section 1.1.",
            wrong=_with(angle=lambda p, depth: angles(p, depth, 1000.0)),
            edit=((_ANGLE, _ANGLE.replace("10000", "1000")),),
        ),
        Misconception(
            "frequencies-upside-down",
            "You multiply by the power where the formula divides: each pair turns faster than the one before it. "
            "See section 1.1.",
            wrong=_with(angle=lambda p, depth: p[:, None] * 10000.0 ** (2 * np.arange(depth // 2) / depth)),
            edit=((_ANGLE, _ANGLE.replace("position / 10000", "position * 10000.0")),),
        ),
        Misconception(
            "sine-and-cosine-exchanged",
            "Your position 0 reads 1, 0, 1, 0, …: the cosines stand in the even columns. Compare row 0 of the table "
            "worked by hand in section 1.2.",
            wrong=_with(sine=np.cos, cosine=np.sin),
            edit=((_SINE, _SINE.replace("sin", "cos")), (_COSINE, _COSINE.replace("cos", "sin"))),
        ),
        Misconception(
            "positions-from-one",
            "Your first row belongs to position 1: everything stands one row too high. Position 0 has the angle 0 for "
            "every pair: compare row 0 in section 1.2.",
            wrong=_with(angle=lambda p, depth: angles(p + 1, depth)),
            edit=(("position = np.arange(length)", "position = np.arange(1, length + 1)"),),
        ),
        Misconception(
            "positions-as-fractions",
            "You divide the position by the length: the same position then reads otherwise in a longer sequence. In "
            "section 1.1 a position is a whole number.",
            wrong=_with(angle=lambda p, depth: angles(p / len(p), depth)),
            edit=(("position = np.arange(length)[:, None]", "position = np.arange(length)[:, None] / length"),),
        ),
        Misconception(
            "cosine-of-the-sine",
            "Your cosines are taken of numbers that are sines already: the angles were overwritten on the way. "
            "Both equations of section 1.1 have the same angle.",
            wrong=_with(cosine=lambda angle: np.cos(np.sin(angle))),
            edit=((_COSINE, "table[:, 1::2] = np.cos(table[:, 0::2])"),),
        ),
        Misconception(
            "sines-only",
            "Both numbers of your pairs are the sine: two positions on either side of a quarter turn then look alike. "
            "See the second equation of section 1.1.",
            wrong=_with(cosine=np.sin),
            edit=((_COSINE, _COSINE.replace("cos", "sin")),),
        ),
        Misconception(
            "angles-in-turns",
            "Your angles are too large by a factor of two pi: you count turns where the formula counts radians. See "
            "the beginning of section 1.",
            wrong=_with(angle=lambda p, depth: 2 * np.pi * angles(p, depth)),
            edit=((_ANGLE, _ANGLE.replace("position /", "2 * np.pi * position /")),),
        ),
        Misconception(
            "axes-exchanged",
            "Your table has the shape (depth, length): positions run along its columns. A row is a position, see "
            "section 1.1.",
            wrong=lambda length, depth: positional_encoding(length, depth).T,
            edit=(("return table", "return table.T"),),
        ),
        Misconception(
            "an-axis-for-the-batch",
            "Your table has one axis too many; it is (length, depth), and broadcasting does the rest. See section 1.3.",
            wrong=lambda length, depth: positional_encoding(length, depth)[None],
            edit=(("return table", "return table[None]"),),
        ),
        Misconception(
            "float64-table",
            "Your table is float64, NumPy's habit; added to float32 embeddings it is refused or doubles their size. "
            "Section 1.3 says which dtype to return.",
            edit=(('np.zeros((length, depth), "float32")', "np.zeros((length, depth))"),),
        ),
        Misconception(
            "odd-depth-accepted",
            "You return a table for an odd depth, with a sine that has no cosine beside it. Section 1.3 says what to "
            "do instead.",
            edit=(
                ("if depth % 2:", "if False:"),
                ("pair = np.arange(depth // 2)", "pair = np.arange((depth + 1) // 2)"),
                (_COSINE, "table[:, 1::2] = np.cos(angle)[:, : depth // 2]"),
            ),
        ),
        Misconception(
            "no-length-accepted",
            "You return something for a length of 0 or less: an empty table, found out only much later. Section 1.3 "
            "says what to do instead.",
            edit=(("if length < 1:", "if length < 0:"),),
        ),
    ),
    properties=(
        Property(
            "position 0 reads 0, 1, 0, 1, …",
            lambda found, length, depth: np.allclose(found[0], np.tile([0.0, 1.0], depth // 2), atol=1e-3),
        ),
        Property(
            "the squares of a pair add up to 1",
            lambda found, length, depth: np.allclose(found[:, 0::2] ** 2 + found[:, 1::2] ** 2, 1, atol=1e-2),
        ),
    ),
    forbidden=("SinePositionEncoding", "SinusoidalPositionalEmbedding", "get_timing_signal_1d", "PositionEmbedding"),
)
