"""06_transformer: the encoder block, a classifier made of it, and how to tell what a classifier is worth."""

from autograder.checking import Assignment
from autograder.exercises.transformer.build_transformer import BUILD_TRANSFORMER
from autograder.exercises.transformer.encoder_block import ENCODER_BLOCK
from autograder.exercises.transformer.evaluate_classifier import EVALUATE_CLASSIFIER

ASSIGNMENT = Assignment(
    "06_transformer",
    "The Transformer",
    (ENCODER_BLOCK, BUILD_TRANSFORMER, EVALUATE_CLASSIFIER),
    written={"compare_models": 4},
)
