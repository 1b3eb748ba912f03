"""`python -m benchmarks`: grading, side by side with stock nbgrader."""

from benchmarks.grading import main

main()
