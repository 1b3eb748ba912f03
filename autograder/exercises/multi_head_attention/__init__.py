"""04_multi_head_attention: several heads look at once, each for something of its own."""

from autograder.checking import Assignment
from autograder.exercises.multi_head_attention.copy_keras_weights import COPY_KERAS_WEIGHTS
from autograder.exercises.multi_head_attention.merge_heads import MERGE_HEADS
from autograder.exercises.multi_head_attention.multi_head_attention import MULTI_HEAD_ATTENTION
from autograder.exercises.multi_head_attention.split_heads import SPLIT_HEADS

ASSIGNMENT = Assignment(
    "04_multi_head_attention",
    "Multi-head attention",
    (SPLIT_HEADS, MERGE_HEADS, MULTI_HEAD_ATTENTION, COPY_KERAS_WEIGHTS),
)
