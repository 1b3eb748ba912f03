"""What the button Validate needs: time for cells that train, and silence where only TensorFlow would speak.

Validate counts whatever a visible check writes to stderr as a failure.
"""

import os

get_config().Execute.timeout = 600

# kernels inherit these from the Jupyter server, which reads this file
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
