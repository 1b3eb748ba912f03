"""Where student code runs: the warm interpreter, its kernels, and the agent that answers questions there."""
