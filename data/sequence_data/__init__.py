"""Movie reviews, real and generated, as arrays of token ids. NumPy is all it needs.

Example:
>>> from sequence_data import load_reviews
>>> reviews = load_reviews("phrases")
>>> reviews.x_train.shape
(8000, 64)
"""

from .load import CORPORA, load_reviews
from .reviews import DataError, Reviews

__all__ = ["CORPORA", "DataError", "Reviews", "load_reviews"]
