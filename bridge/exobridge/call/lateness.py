"""How late things were, as plain integers: noted thousands of times a second, read when asked."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

BOUNDS_S = (0.001, 0.0025, 0.005, 0.0075, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Upper bounds of the bins, in seconds; one more bin takes what is later."""


class Lateness:
    """A histogram.

    Attributes:
        total_s: All that was noted, added up, in seconds.
    """

    __slots__ = ("_bins", "total_s")

    def __init__(self) -> None:
        self._bins = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def note(self, late_s: float) -> None:
        """Something was so late."""
        self._bins[bisect_left(BOUNDS_S, late_s)] += 1
        self.total_s += late_s

    def cumulative(self) -> list[int]:
        """How many were at most as late as each bound; the last is how many there were."""
        return list(accumulate(self._bins))
