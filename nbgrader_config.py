"""nbgrader's stages wired to the autograder: `nbgrader autograde` and the formgrader's button grade as it does."""

from pathlib import Path

from autograder.pipeline.stages import configure

configure(get_config(), Path(__file__).resolve().parent)
