"""What ends a run of benchmarks."""

from __future__ import annotations


class BenchmarkError(Exception):
    """A run that could not be made, or measured nothing. The message names the cause, or the
    cure."""
