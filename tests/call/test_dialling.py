"""What several reports of one call tell together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from exobridge.call.dialling import Report, together

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)


def report(
    source: str,
    minutes: int,
    status: str = "completed",
    *,
    seconds: int | None = None,
    talked: int | None = None,
    price: float | None = None,
) -> Report:
    """What one source told so long after the call began."""
    at = START + timedelta(minutes=minutes)
    return Report(at, source, status, seconds=seconds, talked_seconds=talked, price=price)


def test_without_reports_nothing_is_told() -> None:
    """Not even that the call is over."""
    assert together([]) is None


def test_the_better_source_counts_whoever_speaks_last() -> None:
    """The details before the callback, and that before a Passthru; each tells what no better one
    did."""
    told = [
        report("details", 1, seconds=10),
        report("status", 2, seconds=20, talked=21),
        report("passthru", 3, seconds=30, talked=31, price=0.4),
    ]
    for reports in permutations(told):
        found = together(reports)
        assert found is not None
        assert (found.source, found.at) == ("details", START + timedelta(minutes=1))
        assert (found.seconds, found.talked_seconds, found.price) == (10, 21, 0.4)


def test_of_one_source_the_later_word_counts() -> None:
    """A correction."""
    found = together([report("status", 3, seconds=30), report("status", 2, seconds=20)])
    assert found is not None
    assert found.seconds == 30


def test_who_says_that_the_call_is_over_counts_most() -> None:
    """The details may have been asked for while it went on."""
    found = together([report("details", 2, "in-progress", seconds=1), report("status", 1)])
    assert found is not None
    assert (found.status, found.source, found.seconds) == ("completed", "status", 1)
