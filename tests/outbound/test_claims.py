"""Who may be called now: one transaction decides for all processes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from exobridge.outbound.batches import Batches
from exobridge.store.batches import BatchState
from exobridge.store.dial_claims import due_of, under_way
from exobridge.store.dial_pace import Limits
from exobridge.store.dial_types import DialOutcome, DialRequest, DialState
from exobridge.store.tables import dials
from tests.outbound.ground import LIMITS, Clock, Ledger, ground, ledger, number, template


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger of its own."""
    async with ledger(tmp_path / "calls.sqlite3") as opened:
        yield opened


async def test_whoever_is_due_is_claimed_in_turn(book: Ledger) -> None:
    """The longest due first, and nobody before his time."""
    first = await book.want(1)
    book.clock.pass_by(1)
    second = await book.want(2)
    later = await book.want(3, not_before=book.clock() + (book.clock() - first.created_at) * 60)
    claims = await book.claim()
    assert [dial.id for dial in claims.dials] == [first.id, second.id]
    assert claims.is_all
    assert (await book.again(later)).state is DialState.WAITING


async def test_two_processes_never_claim_the_same(tmp_path: Path) -> None:
    """Of two that look at the same instant each dial goes to one."""
    clock = Clock()
    path = tmp_path / "calls.sqlite3"
    async with ledger(path, clock) as one, ledger(path, clock) as other:
        wanted = {(await one.want(n)).id for n in range(10)}
        found = await asyncio.gather(*(each.claim() for each in (one, other) * 3))
        taken = [dial.id for claims in found for dial in claims.dials]
        assert Counter(taken) == Counter(wanted)


async def test_a_number_is_called_once_at_a_time(book: Ledger) -> None:
    """A second wish for somebody waits until the first is done."""
    first, second = await book.want(1), await book.want(1)
    assert first.id != second.id
    (claimed,) = (await book.claim()).dials
    await book.place(claimed, "c1")
    assert (await book.claim()).dials == []
    book.clock.pass_by(20_000)
    assert await book.upkeep.give_up(book.clock()) == 1
    assert [dial.id for dial in (await book.claim()).dials] == [second.id]


async def test_a_minute_holds_so_many_calls_and_no_burst(book: Ledger) -> None:
    """Over two minutes no window of 60 s holds more than allowed, and a second's burst is small."""
    for n in range(60):
        await book.want(n)
    asked: list[float] = []
    for second in range(0, 120, 2):
        for dial in (await book.claim(replace(LIMITS, per_minute=20))).dials:
            assert await book.begin(dial) is not None
            await book.steps.refused(dial, book.clock(), "no")
            asked.append(second)
        book.clock.pass_by(2)
    assert len(asked) >= 24
    assert all(sum(at <= other < at + 60 for other in asked) <= 20 for at in asked)
    assert max(Counter(asked).values()) == 1


async def test_the_last_word_before_the_request_keeps_to_the_minute(book: Ledger) -> None:
    """Though claimed, a call that would be one too many is not asked for."""
    await book.want(1)
    await book.want(2)
    first, second = (await book.claim()).dials
    until = book.clock.now.replace(hour=23)
    assert await book.steps.begin(first, book.clock(), until, per_minute=1) == 1
    assert await book.steps.begin(second, book.clock(), until, per_minute=1) is None
    assert (await book.again(second)).state is DialState.WAITING


async def test_places_are_left_for_who_calls_us(book: Ledger) -> None:
    """Of what is under way and who talks there are never more than the server has places."""
    for n in range(9):
        await book.want(n)
    assert (await book.claim(Limits(200, places=5, calls=5))).dials == []
    claimed = (await book.claim(Limits(200, places=5, calls=2))).dials
    assert len(claimed) == 3
    assert (await book.claim(Limits(200, places=5, calls=2))).dials == []


async def test_a_batch_has_its_own_limits(book: Ledger) -> None:
    """So many at once, and so many in a minute, whatever others may."""
    await book.batch("b1", range(100, 120), at_once=4, per_minute=200)
    await book.batch("b2", range(200, 220), at_once=20, per_minute=40)
    claimed = Counter(dial.batch_id for dial in (await book.claim()).dials)
    assert claimed == {"b1": 4, "b2": 2}
    assert (await book.claim()).dials == []


async def test_nobody_starves(book: Ledger) -> None:
    """With one place at a time, single dials and two batches take turns."""
    await book.batch("b1", range(100, 140), at_once=40, per_minute=200)
    await book.batch("b2", range(200, 240), at_once=40, per_minute=200)
    for n in range(40):
        await book.want(n)
    whose: list[str | None] = []
    for _ in range(12):
        (dial,) = (await book.claim(replace(LIMITS, at_most=1))).dials
        await book.begin(dial)
        await book.steps.refused(dial, book.clock(), "no")
        whose.append(dial.batch_id)
        book.clock.pass_by(1)
    assert set(whose[:3]) == {None, "b1", "b2"}
    assert whose == whose[:3] * 4


async def test_a_paused_batch_waits_and_goes_on(book: Ledger) -> None:
    """Paused between claim and request it is not asked for; resumed it is."""
    await book.batch("b1", range(100, 102))
    dial, _ = (await book.claim()).dials
    await book.store.batches.turn("b1", BatchState.PAUSED, of=[BatchState.RUNNING])
    assert await book.begin(dial) is None
    assert (await book.claim()).dials == []
    assert not (await book.upkeep.todo(book.clock())).due
    await book.store.batches.turn("b1", BatchState.RUNNING, of=[BatchState.PAUSED])
    assert dial.id in [each.id for each in (await book.claim()).dials]


async def test_a_batch_that_was_paused_for_days_goes_on(book: Ledger) -> None:
    """The time in which it was not to be called does not count."""
    await book.batch("b1", range(100, 102))
    batches = Batches(book.store, book.outbound.judge, book.clock, book.outbound.wake)
    await batches.pause("b1")
    book.clock.pass_by(3 * 86_400)
    await batches.resume("b1")
    assert len((await book.claim()).dials) == 2


async def test_a_long_list_that_was_paused_has_the_time_it_takes(book: Ledger) -> None:
    """As when it was started: its last row waits longer for its turn than one by itself."""
    await book.batch("b1", range(100, 102), per_minute=1)
    batches = Batches(book.store, book.outbound.judge, book.clock, book.outbound.wake)
    await batches.pause("b1")
    book.clock.pass_by(3 * 86_400)
    await batches.resume("b1")
    book.clock.pass_by(86_400 + 180)
    assert len((await book.claim()).dials) == 1


async def test_a_claim_whose_holder_died_is_another_s(book: Ledger) -> None:
    """Nothing was asked, so the next one may."""
    await book.want(1)
    (dial,) = (await book.claim()).dials
    book.clock.pass_by(31)
    assert (await book.upkeep.todo(book.clock())).lapsed
    assert await book.upkeep.lapse(book.clock()) == (1, 0)
    (again,) = (await book.claim()).dials
    assert again.id == dial.id
    assert await book.begin(dial) is None, "its first holder lives yet, and asks nobody"
    assert await book.begin(again) == 1


async def test_out_of_hours_a_dial_is_put_off(tmp_path: Path) -> None:
    """In the evening a promotional call is put off to the next morning, by the claim itself."""
    clock = Clock()
    on = ground({"default": template(purpose="promotional")})
    async with ledger(tmp_path / "calls.sqlite3", clock, on) as book:
        dial = await book.want(1)
        clock.now = clock.now.replace(hour=15, minute=29)  # 20:59 in India
        claims = await book.claim()
        assert (claims.dials, claims.ended, claims.is_all) == ([], [], True)
        at_nine = clock.now.replace(day=21, hour=3, minute=30)
        assert (await book.again(dial)).due_at == at_nine
        clock.now = at_nine
        assert [each.id for each in (await book.claim()).dials] == [dial.id]


async def test_a_list_is_put_off_together(tmp_path: Path) -> None:
    """Row by row at the end of a day it would hold the database from calls under way."""
    clock = Clock()
    on = ground({"default": template(purpose="promotional")})
    async with ledger(tmp_path / "calls.sqlite3", clock, on) as book:
        await book.batch("b1", range(150))
        clock.now = clock.now.replace(hour=15, minute=29)  # 20:59 in India
        asked: list[DialRequest] = []

        def opening(request: DialRequest, now: datetime) -> datetime | None:
            asked.append(request)
            return book.outbound.opening(request, now)

        until = clock() + timedelta(seconds=30)
        claims = await book.steps.claim(clock(), until, LIMITS, opening, book.outbound.lacks)
        assert (claims.dials, claims.is_all, len(asked)) == ([], False, 1)
        assert (await book.claim()).is_all
        at_nine = clock.now.replace(day=21, hour=3, minute=30)
        assert {dial.due_at for dial in await book.rows.listed(200)} == {at_nine}


async def test_what_waits_too_long_is_given_up(tmp_path: Path) -> None:
    """A dial is not made a day late; one whose hours come too late ends at once."""
    clock = Clock()
    templates = {"default": template(), "sunday": template(hours={"sun": ["10:00-11:00"]})}
    async with ledger(tmp_path / "calls.sqlite3", clock, ground(templates)) as book:
        late = await book.want(1)
        sunday = await book.want(2, template="sunday", caller_id="+918047112233")
        assert sunday.due_at.day == 22
        clock.now = sunday.due_at.replace(hour=7)
        assert (await book.claim()).ended == [DialOutcome.EXPIRED, DialOutcome.OUT_OF_HOURS]
        assert (await book.again(late)).outcome is DialOutcome.EXPIRED
        assert (await book.again(sunday)).outcome is DialOutcome.OUT_OF_HOURS


async def test_a_template_that_is_gone_is_named(tmp_path: Path) -> None:
    """While it may come back, and in the end: that is no matter of hours."""
    clock = Clock()
    templates = {"default": template(), "sales": template()}
    async with ledger(tmp_path / "calls.sqlite3", clock, ground(templates)) as book:
        dial = await book.want(1, template="sales", caller_id="+918047112233")
        other = await book.want(2, template="sales", caller_id="+918047112233")
    async with ledger(tmp_path / "calls.sqlite3", clock, ground()) as book:
        assert (await book.claim()).ended == []
        waiting = await book.again(dial)
        assert waiting.state is DialState.WAITING
        assert "no template sales" in waiting.error
        assert "SIGHUP" in waiting.error
        assert (await book.again(other)).error == waiting.error
        clock.pass_by(86_399)
        assert (await book.claim()).ended == [DialOutcome.FAILED] * 2
        done = await book.again(dial)
        assert (done.outcome, done.error) == (DialOutcome.FAILED, waiting.error)


async def test_what_waits_expires_without_a_claim(book: Ledger) -> None:
    """Held back or full, a dial still ends in its time, unless its batch is paused."""
    dial = await book.want(1)
    await book.batch("b1", range(100, 102))
    await book.store.batches.turn("b1", BatchState.PAUSED, of=[BatchState.RUNNING])
    book.clock.pass_by(86_401)
    assert await book.upkeep.expire(book.clock()) == 1
    assert (await book.again(dial)).outcome is DialOutcome.EXPIRED


async def test_where_nothing_expires_nothing_is_written(book: Ledger, tmp_path: Path) -> None:
    """However long the list that is paused: calls under way can write meanwhile."""
    await book.batch("b1", range(100, 102))
    await book.store.batches.turn("b1", BatchState.PAUSED, of=[BatchState.RUNNING])
    book.clock.pass_by(86_401)
    with closing(sqlite3.connect(tmp_path / "calls.sqlite3")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await book.upkeep.expire(book.clock()) == 0


async def test_a_list_is_borne_with_piece_by_piece(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, and calls under way can write between the pieces."""
    monkeypatch.setattr("exobridge.store.dial_upkeep.PATIENT_TOGETHER", 2)
    await book.batch("b1", range(5))
    until = book.clock() + timedelta(days=9)
    await book.upkeep.bear_with("b1", until)
    assert {dial.give_up_at for dial in await book.rows.listed()} == {until}


async def test_ten_thousand_that_wait_cost_no_scan(book: Ledger, tmp_path: Path) -> None:
    """Each query of a claim goes by an index."""
    first = (
        select(dials.c.id)
        .where(due_of("b1", book.clock()))
        .order_by(dials.c.due_at, dials.c.row)
        .limit(1)
    )
    called = select(dials.c.id).where(dials.c.number == number(1), under_way())
    with closing(sqlite3.connect(tmp_path / "calls.sqlite3")) as database:
        for query, index in (
            (first, "ix_dials_batch_id_state_due_at_row"),
            (called, "uq_dials_number_under_way"),
        ):
            words = query.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            plan = database.execute(f"EXPLAIN QUERY PLAN {words}").fetchall()
            told = " ".join(str(row[3]) for row in plan)
            assert index in told
            assert "SCAN" not in told
            assert "TEMP B-TREE" not in told
