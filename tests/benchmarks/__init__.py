"""Benchmarks, run by hand with ``make bench``. Read ratios to the floor of the same run."""
