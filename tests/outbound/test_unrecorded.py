"""A process that dies between the ledger and the record."""

from __future__ import annotations

from pathlib import Path

import pytest

from exobridge.call.events import CallEvent
from exobridge.exotel.api import CallOrder, PlacedAnswer
from exobridge.outbound.caller import Caller
from exobridge.outbound.dialler import Dialler, DiallerWaits
from exobridge.outbound.orders import Orders
from exobridge.outbound.service import Outbound
from exobridge.store import Store
from exobridge.store.dial_pace import Limits
from tests.outbound.ground import LIMITS, OURS, ground, ledger


class Recorder:
    """Keeps facts in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def append(self, event: CallEvent) -> None:
        """Keep one."""
        await self._store.append(event)

    def append_soon(self, event: CallEvent) -> None:
        """Keep one, in its turn."""
        self._store.append_soon(event)


async def test_a_call_that_the_record_was_not_told_of_is_told_later(tmp_path: Path) -> None:
    """The ledger knows the CallSid and nobody tells its end: the record learns whose call it is,
    as of then when it was asked for, so that Exotel is asked what became of it."""
    async with ledger(tmp_path / "calls.sqlite3") as book:
        dial = await book.want(1)
        (claimed,) = (await book.claim()).dials
        asked_at = book.clock()
        await book.place(claimed, "c1")
        assert await book.store.call("c1") is None
        book.clock.pass_by(20)

        async def connect(order: CallOrder) -> PlacedAnswer:
            raise AssertionError("nobody is called")

        async def limits() -> Limits:
            return LIMITS

        outbound = Outbound(book.store, ground, Recorder(book.store), book.clock)
        caller = Caller(
            book.store, outbound, Orders(None, None, lambda name: "token"), connect, book.clock
        )
        dialler = Dialler(
            book.store,
            outbound,
            caller,
            limits=limits,
            may_call=lambda: True,
            clock=book.clock,
            waits=DiallerWaits(count=0.0),
        )
        for _ in range(2):
            await dialler.look()
        call = await book.store.call("c1")
        assert call is not None
        assert (call.placed.dial, call.created_at) == (dial.id, asked_at)
        assert len(await book.store.events("c1")) == 1
        assert await book.store.dial_upkeep.unrecorded() == []


async def test_a_stream_of_a_call_that_the_record_was_not_told_of_is_known(tmp_path: Path) -> None:
    """By the CallSid in the ledger, before anybody looks after it."""
    async with ledger(tmp_path / "calls.sqlite3") as book:
        dial = await book.want(1)
        (claimed,) = (await book.claim()).dials
        await book.place(claimed, "c1")
        found = await book.outbound.adopt_stream("c1", dial.number, OURS, book.clock())
        assert found is not None
        assert found.dial_id == dial.id
        call = await book.store.call("c1")
        assert call is not None
        assert call.placed.dial == dial.id


@pytest.mark.parametrize(("seconds", "is_ours"), [(130, True), (131, False)])
async def test_who_calls_back_is_not_who_was_called(
    tmp_path: Path, seconds: int, is_ours: bool
) -> None:
    """Where it is not known whether there was a call, a stream of that number is its own only while
    it may be ringing, or be on its way to the bot."""
    async with ledger(tmp_path / "calls.sqlite3") as book:
        dial = await book.want(1)
        (claimed,) = (await book.claim()).dials
        assert await book.begin(claimed) == 1
        await book.steps.unsure(claimed, book.clock(), "no answer")
        book.clock.pass_by(seconds)
        found = await book.outbound.adopt_stream("c1", dial.number, OURS, book.clock())
        assert (found is not None) == is_ours
