"""A dial's way through the ledger, and what is left when a process dies on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event

from exobridge.outbound.models import Dial, DialOutcome, DialState, custom_field
from exobridge.store.batches import BatchState
from exobridge.store.dial_steps import After, Next
from tests.outbound.ground import Ledger, ground, ledger, template

RETRIES = {"default": template(attempts=3, retry_minutes=[10, 20])}


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger of its own, whose template calls three times."""
    async with ledger(tmp_path / "calls.sqlite3", on=ground(RETRIES)) as opened:
        yield opened


def ends(outcome: DialOutcome, book: Ledger, again: float | None = None) -> After:
    """What comes after an attempt."""
    now = book.clock()
    at = None if again is None else now + timedelta(seconds=again)
    found = Next(outcome, now, "", at, now + timedelta(days=1))

    def after(dial: Dial) -> Next:
        del dial
        return found

    return after


async def test_a_call_goes_its_way(book: Ledger) -> None:
    """Claimed, asked for, placed, over: each step is kept, with its attempt."""
    dial = await book.want(1, variables={"name": "Asha"})
    (claimed,) = (await book.claim()).dials
    attempt = await book.begin(claimed)
    assert attempt == 1
    assert (await book.again(dial)).state is DialState.PLACING
    found = await book.steps.placed(dial.id, 1, "c1", book.clock())
    assert found is not None
    assert (found.state, found.call_sid, found.lease) == (DialState.PLACED, "c1", "")
    assert await book.steps.settle(found, ends(DialOutcome.ANSWERED, book), book.clock())
    assert await book.steps.settle(found, ends(DialOutcome.BUSY, book), book.clock()) is None
    done = await book.again(dial)
    assert (done.state, done.outcome) == (DialState.DONE, DialOutcome.ANSWERED)
    (only,) = await book.rows.attempts(dial.id)
    assert (only.call_sid, only.outcome) == ("c1", DialOutcome.ANSWERED)
    assert not (await book.upkeep.todo(book.clock())).is_open


async def test_who_died_while_asking_leaves_it_unsure(book: Ledger) -> None:
    """Nobody asks again: a webhook tells of the call, or it ends as unknown."""
    first, second = await book.want(1), await book.want(2)
    for dial in (await book.claim()).dials:
        await book.begin(dial)
    book.clock.pass_by(91)
    assert await book.upkeep.lapse(book.clock()) == (0, 2)
    assert (await book.claim()).dials == []
    adopted = await book.outbound.adopt("c1", custom_field(first.id, 1), book.clock())
    assert adopted is not None
    assert (await book.again(first)).state is DialState.PLACED
    book.clock.pass_by(14_400 + 30 + 601)
    assert (await book.upkeep.todo(book.clock())).given_up
    assert await book.upkeep.give_up(book.clock()) == 2
    assert (await book.again(second)).outcome is DialOutcome.UNKNOWN
    assert (await book.claim()).dials == []


async def test_a_webhook_may_come_before_the_answer(book: Ledger) -> None:
    """The dial knows its call by either, and what the answer says later changes nothing."""
    dial = await book.want(1)
    (claimed,) = (await book.claim()).dials
    await book.begin(claimed)
    field = custom_field(dial.id, 1)
    for _ in range(2):
        found = await book.outbound.adopt("c1", field, book.clock())
        assert found is not None
        assert found.number == dial.number
    assert not await book.steps.unsure(claimed, book.clock(), "no answer")
    assert not await book.steps.not_placed(claimed, book.clock(), book.clock(), "429")
    assert not await book.steps.refused(claimed, book.clock(), "400")
    known = await book.steps.placed(dial.id, 1, "c1", book.clock())
    assert known is not None
    assert known.state is DialState.PLACED
    assert await book.steps.placed(dial.id, 1, "another", book.clock()) is None
    assert (await book.again(dial)).call_sid == "c1"


async def test_a_custom_field_that_is_none_of_ours_is_nobodys(book: Ledger) -> None:
    """Neither a stranger's, nor an attempt's that was never made."""
    dial = await book.want(1)
    for text in ("", "order-1", "xb:nobody:1", custom_field(dial.id, 1), "xb:1:99999999"):
        assert await book.outbound.adopt("c1", text, book.clock()) is None


async def test_a_late_word_of_the_first_attempt_does_not_settle_the_second(book: Ledger) -> None:
    """It is an attempt's, not the dial's."""
    dial = await book.want(1)
    await book.place((await book.claim()).dials[0], "c1")
    busy = ends(DialOutcome.BUSY, book, again=600)
    known = await book.again(dial)
    await book.steps.settle(known, busy, book.clock())
    book.clock.pass_by(600)
    (claimed,) = (await book.claim()).dials
    assert await book.begin(claimed) == 2
    late = await book.outbound.adopt("c1", custom_field(dial.id, 1), book.clock())
    assert late is not None
    assert late.attempt == 1
    assert (await book.again(dial)).state is DialState.PLACING
    assert await book.steps.settle(known, busy, book.clock()) is None
    await book.steps.placed(dial.id, 2, "c2", book.clock())
    assert await book.steps.settle(known, busy, book.clock()) is None
    assert (await book.again(dial)).call_sid == "c2"


async def test_what_was_surely_not_placed_does_not_count(book: Ledger) -> None:
    """It waits again, with its patience, and its next attempt has a number of its own."""
    dial = await book.want(1)
    (claimed,) = (await book.claim()).dials
    await book.begin(claimed)
    at = book.clock() + timedelta(seconds=10)
    assert await book.steps.not_placed(claimed, book.clock(), at, "429")
    waiting = await book.again(dial)
    assert (waiting.state, waiting.attempts, waiting.due_at) == (DialState.WAITING, 0, at)
    assert waiting.give_up_at == dial.give_up_at
    book.clock.pass_by(10)
    assert await book.begin((await book.claim()).dials[0]) == 2


async def test_cancelled_it_is_not_called_any_more(book: Ledger) -> None:
    """Waiting or claimed it is done; with a call under way that call goes on, and is the last."""
    waiting, claimed, asked = [await book.want(n) for n in (1, 2, 3)]
    await book.outbound.cancel(waiting.id)
    held = {dial.id: dial for dial in (await book.claim()).dials}
    await book.place(held[asked.id], "c3")
    await book.outbound.cancel(claimed.id)
    assert await book.begin(held[claimed.id]) is None
    for each in (waiting, claimed):
        assert (await book.again(each)).outcome is DialOutcome.CANCELLED
    under_way = await book.outbound.cancel(asked.id)
    assert under_way.state is DialState.PLACED
    assert under_way.request.policy.attempts == 0
    assert under_way.request.variables == asked.request.variables


async def test_cancelled_while_exotel_is_asked_it_is_not_asked_again(book: Ledger) -> None:
    """Also if Exotel has placed no call and would take another request."""
    dial = await book.want(1)
    (claimed,) = (await book.claim()).dials
    await book.begin(claimed)
    await book.outbound.cancel(dial.id)
    assert await book.steps.not_placed(claimed, book.clock(), book.clock(), "429")
    known = await book.again(dial)
    assert (known.state, known.outcome) == (DialState.DONE, DialOutcome.CANCELLED)
    assert known.done_at == book.clock()
    assert (await book.claim()).dials == []
    (attempt,) = await book.rows.attempts(dial.id)
    assert attempt.outcome is DialOutcome.NOT_PLACED


async def test_of_a_cancelled_batch_nobody_is_called_again(book: Ledger) -> None:
    """What the last call came to stands in its results."""
    await book.batch("b1", range(100, 101))
    (claimed,) = (await book.claim()).dials
    await book.place(claimed, "c1")
    await book.store.batches.turn("b1", BatchState.CANCELLED, of=[BatchState.RUNNING])
    known = await book.again(claimed)
    await book.steps.settle(known, ends(DialOutcome.BUSY, book, again=600), book.clock())
    done = await book.again(claimed)
    assert (done.state, done.outcome) == (DialState.DONE, DialOutcome.BUSY)


async def test_one_persons_dials_are_forgotten(book: Ledger) -> None:
    """All but one whose call may be under way."""
    first, under_way = await book.want(1), await book.want(2)
    held = {dial.id: dial for dial in (await book.claim()).dials}
    await book.place(held[under_way.id], "c1")
    await book.steps.give_back(held[first.id], book.clock())
    assert await book.rows.forget(first.number) == 1
    assert await book.rows.forget(under_way.number) == 0
    assert await book.rows.find(first.id) is None


async def test_that_somebody_is_called_survives_a_power_cut(book: Ledger) -> None:
    """It is on the disk before Exotel is asked (SQLite: ``synchronous`` is ``FULL``, 2): else a
    machine that comes back would not know of the call, and have another one made."""
    await book.want(1)
    (claimed,) = (await book.claim()).dials
    found: list[int] = []

    def look(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO dial_attempts"):
            found.append(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    event.listen(Engine, "before_cursor_execute", look)
    try:
        assert await book.begin(claimed) == 1
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    assert found == [2]
