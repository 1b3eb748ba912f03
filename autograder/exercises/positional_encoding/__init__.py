"""02_positional_encoding: where a token stands, said in numbers that can be added to it."""

from autograder.checking import Assignment
from autograder.exercises.positional_encoding.learned_positional_embedding import LEARNED_POSITIONAL_EMBEDDING
from autograder.exercises.positional_encoding.positional_encoding import POSITIONAL_ENCODING
from autograder.exercises.positional_encoding.positional_encoding_layer import POSITIONAL_ENCODING_LAYER
from autograder.exercises.positional_encoding.shift_matrix import SHIFT_MATRIX

ASSIGNMENT = Assignment(
    "02_positional_encoding",
    "Positional encoding",
    (POSITIONAL_ENCODING, SHIFT_MATRIX, POSITIONAL_ENCODING_LAYER, LEARNED_POSITIONAL_EMBEDDING),
)
