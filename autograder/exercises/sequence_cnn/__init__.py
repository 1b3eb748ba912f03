"""01_sequence_cnn: convolution over sequences, and the blocks that are built from it."""

from autograder.checking import Assignment
from autograder.exercises.sequence_cnn.build_sequence_cnn import BUILD_SEQUENCE_CNN
from autograder.exercises.sequence_cnn.conv1d import CONV1D
from autograder.exercises.sequence_cnn.receptive_field import RECEPTIVE_FIELD
from autograder.exercises.sequence_cnn.residual_block import RESIDUAL_BLOCK
from autograder.exercises.sequence_cnn.separable_conv1d import SEPARABLE_CONV1D
from autograder.exercises.sequence_cnn.squeeze_excite import SQUEEZE_EXCITE
from autograder.exercises.sequence_cnn.squeeze_expand import SQUEEZE_EXPAND

ASSIGNMENT = Assignment(
    "01_sequence_cnn",
    "Convolution over sequences",
    (CONV1D, RECEPTIVE_FIELD, SEPARABLE_CONV1D, SQUEEZE_EXPAND, SQUEEZE_EXCITE, RESIDUAL_BLOCK, BUILD_SEQUENCE_CNN),
)
