"""Measurements that the documentation quotes; anyone can run them: `make bench`."""
