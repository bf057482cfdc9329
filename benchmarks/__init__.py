"""Benchmarks, run from the repository: `python -m benchmarks.quality` and so on."""
