"""Lets these tests run before the data package is installed."""

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("sequence_data") is None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "data"))
