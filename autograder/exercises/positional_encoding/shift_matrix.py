"""shift_matrix: to move along a sequence is to turn every pair by an angle of its own.

Vaswani et al. 2017, "Attention Is All You Need", arXiv:1706.03762, section 3.5:
PE[p + k] is a linear function of PE[p].
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.checking import (
    Array,
    Exercise,
    Formula,
    Generator,
    Misconception,
    Property,
    agrees,
    distinct_sizes,
)
from autograder.exercises.positional_encoding.inputs import ENCODING, EncodingCase, even, refuses
from autograder.exercises.positional_encoding.positional_encoding import angles, interleaved, positional_encoding

Block = tuple[Array, Array, Array, Array]
"""The four entries of each pair's block, row by row."""


def rotation(angle: Array) -> Block:
    """Returns the block that turns (sin a, cos a) into (sin(a + angle), cos(a + angle))."""
    return np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)


def block_diagonal(block: Block) -> Array:
    """Returns the matrix with a 2 x 2 block for each pair on its diagonal."""
    pairs = len(block[0])
    sine = 2 * np.arange(pairs)
    cosine = sine + 1
    matrix = np.zeros((2 * pairs, 2 * pairs))
    for (row, column), entry in zip(
        [(sine, sine), (sine, cosine), (cosine, sine), (cosine, cosine)], block, strict=True
    ):
        matrix[row, column] = entry
    return matrix


def shift_matrix(offset: int, depth: int) -> Array:
    """Returns M (depth, depth) with PE[p + offset] = M PE[p] for every p."""
    return block_diagonal(rotation(angles(np.asarray(offset), depth)))


def _forward(rng: Generator, depth: int | None = None) -> list[EncodingCase]:
    # offsets from 2 on, and no depth that makes another exponent the same
    offsets = distinct_sizes(rng, 3, 2, 10)
    depths = 2 * np.array(distinct_sizes(rng, 3, 2, 8))
    return [EncodingCase((k, depth or int(wide))) for k, wide in zip(offsets, depths, strict=True)]


def _one_pair(rng: Generator) -> list[EncodingCase]:
    return _forward(rng, depth=2)


def _back(rng: Generator) -> list[EncodingCase]:
    return [EncodingCase((-case.args[0], case.args[1])) for case in _forward(rng)]


def _far(rng: Generator) -> list[EncodingCase]:
    return [EncodingCase((sign * int(rng.integers(500, 2048)), even(rng, 16, 80))) for sign in (1, -1)]


def _nowhere(rng: Generator) -> EncodingCase:
    return EncodingCase((0, even(rng, 4, 12)))


def _odd_depths(rng: Generator) -> list[tuple[int, int]]:
    return [(int(rng.integers(2, 9)), 2 * int(rng.integers(1, 6)) + 1), (3, 1)]


def _with(block: Callable[[Array], Block] = rotation, angle: Callable[[Array, int], Array] = angles) -> Formula:
    """Returns the matrix with other blocks or angles; the defaults are the formula."""
    return lambda offset, depth: block_diagonal(block(angle(np.asarray(offset), depth)))


def _exponent(of_pair: Callable[[Array, int], Array]) -> Formula:
    return _with(angle=lambda k, depth: k / 10000.0 ** of_pair(np.arange(depth // 2), depth))


def _for_halves(offset: int, depth: int) -> Array:
    cosine, sine, minus, _ = (np.diag(entry) for entry in rotation(angles(np.asarray(offset), depth)))
    return np.block([[cosine, sine], [minus, cosine]])


def _carries(found: Array, offset: int, depth: int) -> bool:
    encoding = positional_encoding(40 + abs(offset), depth)
    before, after = (encoding[:40], encoding[offset:][:40]) if offset >= 0 else (encoding[-offset:], encoding[:40])
    return np.allclose(before @ found.T, after, atol=1e-2)


_ANGLE = "angle = offset / 10000 ** (2 * pair / depth)"
_SS, _SC = "matrix[sine, sine] = np.cos(angle)", "matrix[sine, cosine] = np.sin(angle)"
_CS, _CC = "matrix[cosine, sine] = -np.sin(angle)", "matrix[cosine, cosine] = np.cos(angle)"

SHIFT_MATRIX = Exercise(
    symbol="shift_matrix",
    formula=shift_matrix,
    checks=(
        agrees(
            "turns a single pair",
            _one_pair,
            points=1,
            tolerance=ENCODING,
            hint="depth = 2, positive offsets: one block.",
        ),
        agrees(
            "turns every pair by its own angle",
            _forward,
            points=1.5,
            tolerance=ENCODING,
            hint="Depths from 4 on, positive offsets.",
        ),
        agrees(
            "turns back for a negative offset",
            _back,
            points=1,
            tolerance=ENCODING,
            hint="The same with negative offsets.",
        ),
        agrees(
            "shifts by far",
            _far,
            points=0.5,
            tolerance=ENCODING,
            hint="Offsets between 500 and 2,047, forward and back, and wider vectors.",
        ),
        agrees("changes nothing for an offset of 0", _nowhere, cost=0.25, tolerance=ENCODING, hint="offset = 0."),
        refuses(
            "refuses an odd depth",
            _odd_depths,
            accepted="odd-depth-accepted",
            cost=0.5,
            hint="ValueError for depths such as 1 and 5.",
        ),
    ),
    misconceptions=(
        # before the next one, which gives the same for negative offsets
        Misconception(
            "direction-lost",
            "Your matrix is the same for an offset and its negative: forward and back can't be the same turn. "
            "Section 2.2 allows both.",
            wrong=lambda offset, depth: shift_matrix(abs(offset), depth),
            edit=((_ANGLE, _ANGLE.replace("offset", "abs(offset)")),),
        ),
        Misconception(
            "turns-the-wrong-way",
            "Your matrix turns the other way: it leads from PE[p + offset] to PE[p]. A pair here is (sine, cosine), "
            "in this order, and M stands on the left of a column: compare the first row of the matrix in section 2.1.",
            wrong=lambda offset, depth: shift_matrix(-offset, depth),
            edit=((_SC, _SC.replace("= np", "= -np")), (_CS, _CS.replace("-np", "np"))),
        ),
        Misconception(
            "no-minus",
            "The two numbers beside the diagonal of your blocks are equal: the length of a pair changes under your "
            "matrix, and a rotation leaves it alone. Read the second line of the theorem in section 2.1 again.",
            wrong=_with(block=lambda a: (np.cos(a), np.sin(a), np.sin(a), np.cos(a))),
            edit=((_CS, _CS.replace("-np", "np")),),
        ),
        Misconception(
            "sines-on-the-diagonal",
            "Sines stand on your diagonal and cosines beside it: an offset of 0 then does not leave a vector as it "
            "is. Compare the first row of section 2.1.",
            wrong=_with(block=lambda a: (np.sin(a), np.cos(a), np.cos(a), -np.sin(a))),
            edit=(
                (_SS, _SS.replace("cos(", "sin(")),
                (_SC, _SC.replace("sin(", "cos(")),
                (_CS, _CS.replace("-np.sin(", "np.cos(")),
                (_CC, _CC.replace("np.cos(", "-np.sin(")),
            ),
        ),
        Misconception(
            "blocks-for-halves",
            "Your matrix fits an encoding with all sines in front and all cosines behind: column i meets column i + "
            "depth/2. In section 1.1 the two numbers of a pair are neighbours, and so are their rows and columns.",
            wrong=_for_halves,
            edit=(("sine, cosine = 2 * pair, 2 * pair + 1", "sine, cosine = pair, pair + depth // 2"),),
        ),
        Misconception(
            "exponent-without-the-2",
            "Your first block is right and the others turn too fast: compare the exponent of your angles with that of "
            "section 1.1.",
            wrong=_exponent(lambda i, depth: i / depth),
            edit=((_ANGLE, _ANGLE.replace("2 * pair", "pair")),),
        ),
        Misconception(
            "exponent-doubled",
            "Your first block is right and the others turn too slowly: does the 2 of 2i stand in your exponent "
            "twice? See section 1.1.",
            wrong=_exponent(lambda i, depth: 4 * i / depth),
            edit=((_ANGLE, _ANGLE.replace("2 * pair", "4 * pair")),),
        ),
        Misconception(
            "exponent-up-to-one",
            "Your last block turns with frequency 1/10000 exactly; in section 1.1 the last exponent stays below 1.",
            wrong=_exponent(lambda i, depth: i / max(depth // 2 - 1, 1)),
            edit=((_ANGLE, _ANGLE.replace("2 * pair / depth", "pair / max(depth // 2 - 1, 1)")),),
        ),
        Misconception(
            "another-base",
            "Your first block is right and all others turn too fast: the number under the exponent is not the 10000 "
            "of section 1.1.",
            wrong=_with(angle=lambda k, depth: angles(k, depth, 1000.0)),
            edit=((_ANGLE, _ANGLE.replace("10000", "1000")),),
        ),
        Misconception(
            "one-angle-for-all",
            "All your blocks are the same. Each pair has a frequency of its own, and so an angle of its own for the "
            "same offset: see section 2.2.",
            wrong=_exponent(lambda i, depth: 0 * i),
            edit=((_ANGLE, _ANGLE.replace("/ depth", "// depth")),),
        ),
        Misconception(
            "frequencies-upside-down",
            "You multiply by the power where the angle is divided by it: each block turns faster than the one before "
            "it. See section 1.1.",
            wrong=_with(angle=lambda k, depth: k * 10000.0 ** (2 * np.arange(depth // 2) / depth)),
            edit=((_ANGLE, _ANGLE.replace("offset / 10000", "offset * 10000.0")),),
        ),
        Misconception(
            "always-one-step",
            "Your matrix does not depend on the offset: it always moves by one position. See section 2.1.",
            wrong=lambda offset, depth: shift_matrix(1, depth),
            edit=((_ANGLE, _ANGLE.replace("offset", "1")),),
        ),
        Misconception(
            "does-not-move",
            "Your matrix has ones on its diagonal and zeros elsewhere: it leaves every position where it is. Are the "
            "angles zero? Section 2.1 says what the angle of a move is.",
            wrong=lambda offset, depth: np.eye(depth),
            edit=((_ANGLE, _ANGLE.replace("offset", "0 * offset")),),
        ),
        Misconception(
            "off-diagonal-forgotten",
            "Your matrix scales sines and cosines, each for itself. A turn mixes the two: the theorem in section 2.1 "
            "has two terms in each line.",
            wrong=_with(block=lambda a: (np.cos(a), 0 * a, 0 * a, np.cos(a))),
            edit=((_SC, _SC.replace("np.sin(angle)", "0")), (_CS, _CS.replace("-np.sin(angle)", "0"))),
        ),
        Misconception(
            "encoding-on-the-diagonal",
            "You put the encoding of the offset on the diagonal, so that your matrix multiplies number by number. "
            "A turn mixes the two numbers of a pair: see section 2.1.",
            wrong=lambda offset, depth: np.diag(
                interleaved(*(f(angles(np.asarray(offset), depth)) for f in (np.sin, np.cos)))
            ),
            edit=(
                (_SS, "matrix[sine, sine] = np.sin(angle)"),
                (_SC, "matrix[sine, cosine] = 0"),
                (_CS, "matrix[cosine, sine] = 0"),
            ),
        ),
        Misconception(
            "odd-depth-accepted",
            "You return a matrix for an odd depth, whose last column belongs to no pair. Section 2.2 says what to do "
            "instead.",
            edit=(("if depth % 2:", "if False:"),),
        ),
    ),
    properties=(Property("M · PE[p] is PE[p + offset]", _carries),),
    forbidden=("RotaryEmbedding",),
)
