"""03_self_attention: every token looks at all the others and takes from them what it needs."""

from autograder.checking import Assignment
from autograder.exercises.self_attention.causal_mask import CAUSAL_MASK
from autograder.exercises.self_attention.padding_mask import PADDING_MASK
from autograder.exercises.self_attention.scaled_dot_product_attention import ATTENTION
from autograder.exercises.self_attention.self_attention import SELF_ATTENTION
from autograder.exercises.self_attention.softmax import SOFTMAX

ASSIGNMENT = Assignment(
    "03_self_attention", "Self-attention", (SOFTMAX, ATTENTION, PADDING_MASK, CAUSAL_MASK, SELF_ATTENTION)
)
