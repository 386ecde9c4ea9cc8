"""A batch goes on, whatever becomes of single calls."""

from __future__ import annotations

from pathlib import Path

from tests.outbound.ground import ledger


async def test_calls_of_which_nobody_tells_do_not_stop_a_batch(tmp_path: Path) -> None:
    """A request whose answer was lost takes a place of the calls at once while its call may be
    ringing or be told of, and none when a webhook would have come."""
    async with ledger(tmp_path / "calls.sqlite3") as one:
        await one.batch("b", range(3), at_once=1)
        (first,) = (await one.claim()).dials
        assert await one.begin(first) == 1
        assert await one.steps.unsure(first, one.clock(), "no answer")
        one.clock.pass_by(first.request.ring_seconds + 59)
        assert (await one.claim()).dials == []
        one.clock.pass_by(1)
        (second,) = (await one.claim()).dials
        assert second.number != first.number


async def test_a_dead_process_does_not_stop_a_batch(tmp_path: Path) -> None:
    """The same of a request that was on its way when the server died."""
    async with ledger(tmp_path / "calls.sqlite3") as one:
        await one.batch("b", range(3), at_once=1)
        (first,) = (await one.claim()).dials
        assert await one.begin(first) == 1
        one.clock.pass_by(90)
        assert await one.upkeep.lapse(one.clock()) == (0, 1)
        assert (await one.claim()).dials == []
        one.clock.pass_by(120)
        assert len((await one.claim()).dials) == 1
