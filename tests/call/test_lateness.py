"""A histogram of plain integers."""

from __future__ import annotations

import pytest

from exobridge.call.lateness import BOUNDS_S, Lateness


def test_what_is_noted_is_in_the_first_bin_that_holds_it() -> None:
    """A bound belongs to its bin; what is later than all is in the last, and all adds up."""
    lateness = Lateness()
    for late_s in (0.0, BOUNDS_S[0], BOUNDS_S[0] + 1e-9, BOUNDS_S[-1] * 2):
        lateness.note(late_s)
    counts = lateness.cumulative()
    assert len(counts) == len(BOUNDS_S) + 1
    assert counts[:2] == [2, 3]
    assert counts[-2:] == [3, 4]
    assert lateness.total_s == pytest.approx(2 * BOUNDS_S[0] + 2 * BOUNDS_S[-1])
