"""07_tiny_gpt: attention that looks back only, a model made of it, and the text that it continues."""

from autograder.checking import Assignment
from autograder.exercises.tiny_gpt.build_gpt import BUILD_GPT
from autograder.exercises.tiny_gpt.causal_self_attention import CAUSAL_SELF_ATTENTION
from autograder.exercises.tiny_gpt.generate import GENERATE

ASSIGNMENT = Assignment("07_tiny_gpt", "A tiny GPT", (CAUSAL_SELF_ATTENTION, BUILD_GPT, GENERATE))
