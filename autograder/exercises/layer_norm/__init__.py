"""05_layer_norm: normalise every token's vector on its own."""

from autograder.checking import Assignment
from autograder.exercises.layer_norm.layer_norm import LAYER_NORM
from autograder.exercises.layer_norm.layer_norm_gradients import LAYER_NORM_GRADIENTS
from autograder.exercises.layer_norm.layer_norm_layer import LAYER_NORM_LAYER

ASSIGNMENT = Assignment(
    "05_layer_norm", "LayerNorm", (LAYER_NORM, LAYER_NORM_GRADIENTS, LAYER_NORM_LAYER), written={"why_layer_norm": 3}
)
