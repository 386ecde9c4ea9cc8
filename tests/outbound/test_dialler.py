"""The dialler, with an account in a box as Exotel: real requests, and answers that get lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from exobridge.call import events
from exobridge.call.events import CallEvent, EndedBy
from exobridge.exotel.api import CallOrder, ExotelApi, PlacedAnswer
from exobridge.exotel.api.retry import RequestKind, gate_of
from exobridge.outbound.asking import FEW_NOT_FOUND, MANY_UNSURE
from exobridge.outbound.caller import Caller
from exobridge.outbound.dialler import Dialler, DiallerWaits
from exobridge.outbound.models import Dial, DialOutcome, DialState, custom_field
from exobridge.outbound.orders import Orders
from exobridge.settings import Settings
from exobridge.store import StoreUnavailableError
from exobridge.store.dial_pace import Limits
from tests.exotel_account import FakeAccount, Fault, exotel_account
from tests.outbound.ground import LIMITS, Clock, Ledger, ground, ledger, over, talked, template
from tests.server import until

SOON = RequestKind(seconds=2.0, tries=1, total_seconds=2.0)
CONNECT = "Calls/connect"


class House:
    """A ledger, an account, and the dialler between them, that looks when it is told to."""

    def __init__(self, book: Ledger, account: FakeAccount, api: ExotelApi) -> None:
        self.book, self.account = book, account
        self.connect = api.connect
        self.limits = LIMITS
        self.takes_calls = True
        orders = Orders("https://bot.example.com", "a-secret-of-the-house", lambda name: "token")
        caller = Caller(book.store, book.outbound, orders, self._connect, book.clock)
        self.dialler = Dialler(
            book.store,
            book.outbound,
            caller,
            limits=self._limits,
            may_call=lambda: self.takes_calls,
            clock=book.clock,
            waits=DiallerWaits(drain=0.05, count=0.0),
        )

    async def _connect(self, order: CallOrder) -> PlacedAnswer:
        return await self.connect(order)

    async def _limits(self) -> Limits:
        return self.limits

    async def look(self) -> None:
        """Look until nothing more is to be done, and nobody is being asked."""
        while not await self.dialler.look():
            pass
        await until(lambda: not self.dialler.is_asking)

    @property
    def placed(self) -> list[str]:
        """CallSids of what the account has placed, the first first."""
        return list(self.account.calls)

    async def hears(self, *events: CallEvent) -> None:
        """What Exotel tells of a call."""
        for event in events:
            await self.book.store.append(event)

    async def state(self, dial: Dial) -> tuple[DialState, DialOutcome | None]:
        """How a dial stands."""
        known = await self.book.again(dial)
        return known.state, known.outcome


@asynccontextmanager
async def house(path: Path, **outbound: Any) -> AsyncGenerator[House]:
    """One on a file and an account of its own."""
    on = ground({"default": template(**outbound)})
    async with exotel_account() as account, ledger(path, Clock(), on) as book:
        api = ExotelApi.of(Settings.read(account.variables))
        assert api is not None
        async with api:
            built = House(book, account, api)
            try:
                yield built
            finally:
                await built.dialler.aclose()


@asynccontextmanager
async def impatient(account: FakeAccount) -> AsyncGenerator[ExotelApi]:
    """Asks it, and does not wait for long."""
    api = ExotelApi.of(Settings.read(account.variables), change=SOON)
    assert api is not None
    async with api:
        yield api


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[House]:
    """One whose template calls up to three times."""
    async with house(tmp_path / "db.sqlite3", attempts=3, retry_minutes=[10, 20]) as built:
        yield built


async def test_somebody_is_called_and_answers(home: House) -> None:
    """Exotel is asked once; the record has the call with its variables; the end settles it."""
    dial = await home.book.want(1, variables={"name": "Asha"})
    await home.look()
    (call_sid,) = home.placed
    known = await home.book.again(dial)
    assert (known.state, known.call_sid) == (DialState.PLACED, call_sid)
    call = await home.book.store.call(call_sid)
    assert call is not None
    assert dict(call.placed.variables) == {"name": "Asha"}
    assert call.custom_field == custom_field(dial.id, 1)
    await home.look()
    assert len(home.placed) == 1
    await home.hears(*talked(call_sid, home.book.clock()))
    await home.look()
    assert await home.state(dial) == (DialState.DONE, DialOutcome.ANSWERED)
    assert home.dialler.outcomes == {DialOutcome.ANSWERED: 1}


async def test_who_is_busy_is_called_again_by_policy(home: House) -> None:
    """After ten minutes, after twenty more, and then not any more."""
    dial = await home.book.want(1)
    for attempt, pause in ((1, 600), (2, 1200), (3, 0)):
        await home.look()
        assert len(home.placed) == attempt
        await home.hears(over(home.placed[-1], home.book.clock(), "busy"))
        await home.look()
        home.book.clock.pass_by(pause - 1)
        await home.look()
        assert len(home.placed) == attempt
        home.book.clock.pass_by(1)
    assert await home.state(dial) == (DialState.DONE, DialOutcome.BUSY)
    assert [each.outcome for each in await home.book.rows.attempts(dial.id)] == ["busy"] * 3


async def test_a_voicemail_is_no_answer_of_a_human(home: House) -> None:
    """Told by the reason for which the bot ended the call."""
    dial = await home.book.want(1)
    await home.look()
    await home.hears(*talked(home.placed[0], home.book.clock(), "voicemail"))
    await home.look()
    assert await home.state(dial) == (DialState.DONE, DialOutcome.VOICEMAIL)


LOST = [
    Fault(how="reset", after=True),
    Fault(how="hang", after=True),
    Fault(how="cut", status=200, after=True),
    Fault(500, after=True),
    Fault(200, body=b"<html>", after=True),
]


@pytest.mark.parametrize(("fault", "is_told"), [(LOST[0], False), *((each, True) for each in LOST)])
async def test_an_answer_that_is_lost_leads_to_no_second_call(
    home: House, fault: Fault, is_told: bool
) -> None:
    """The call that was placed all the same is found by its CustomField, or is not known."""
    dial = await home.book.want(1)
    home.account.fail(fault, where=CONNECT)
    async with impatient(home.account) as api:
        home.connect = api.connect if fault.how == "hang" else home.connect
        await home.look()
    (call_sid,) = home.placed
    assert await home.state(dial) == (DialState.UNSURE, None)
    home.book.clock.pass_by(60)
    await home.look()
    if is_told:
        field = str(home.account.calls[call_sid].fields["CustomField"])
        assert await home.book.outbound.adopt(call_sid, field, home.book.clock())
        await home.hears(*talked(call_sid, home.book.clock()))
    home.book.clock.pass_by(20_000)
    await home.look()
    outcome = DialOutcome.ANSWERED if is_told else DialOutcome.UNKNOWN
    assert await home.state(dial) == (DialState.DONE, outcome)
    assert len(home.placed) == 1


@pytest.mark.parametrize("status", [402, 429])
async def test_what_concerns_all_burns_nobody(home: House, status: int) -> None:
    """Those that are due wait, one tries again later, and all are called in the end."""
    dials = [await home.book.want(n) for n in range(3)]
    home.account.meets = lambda asked: Fault(status, message="no +919811100001")
    with capture_logs() as logs:
        await home.look()
        await home.look()
    asked = home.account.count(CONNECT)
    assert asked <= 3
    assert {await home.state(dial) for dial in dials} == {(DialState.WAITING, None)}
    told = [entry for entry in logs if entry["event"] == "calls not placed"]
    assert len(told) == 1
    assert "98111" not in str(logs)
    assert home.dialler.trouble
    home.account.meets = None
    home.dialler.hold.until = 0.0  # its time is over
    gate, now = gate_of(home.account.url, home.account.sid), asyncio.get_running_loop().time
    await until(lambda: not gate.left(now()))
    for _ in range(4):
        home.book.clock.pass_by(61)
        await home.look()
    assert {await home.state(dial) for dial in dials} == {(DialState.PLACED, None)}
    assert [(await home.book.again(dial)).attempts for dial in dials] == [1, 1, 1]
    assert not home.dialler.trouble


async def test_an_account_that_is_not_found_costs_few_their_call(home: House) -> None:
    """A flow that is gone is one call's fault, and a wrong ``EXOTEL_SID`` everybody's: after some
    404 in a row the others wait, and are called once one is placed."""
    dials = [await home.book.want(n) for n in range(FEW_NOT_FOUND + 3)]
    home.limits = replace(LIMITS, at_most=1)
    home.account.meets = lambda asked: Fault(404)
    with capture_logs() as logs:
        for _ in dials:
            await home.look()
    states = [await home.state(dial) for dial in dials]
    assert states.count((DialState.DONE, DialOutcome.REFUSED)) == FEW_NOT_FOUND
    assert states.count((DialState.WAITING, None)) == 3
    assert [entry["why"] for entry in logs if entry["event"] == "calls not placed"] == ["account"]
    home.account.meets = None
    for _ in range(3):
        home.dialler.hold.until = 0.0  # its time is over
        home.book.clock.pass_by(61)
        await home.look()
    assert len(home.placed) == 3
    assert not home.dialler.trouble


async def test_a_call_that_the_ledger_could_not_be_told_of_is_adopted(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database did not answer for as long as it was tried: a webhook tells of the call."""

    async def fails(*_: object) -> None:
        raise StoreUnavailableError("the disk is full")

    dial = await home.book.want(1)
    with monkeypatch.context() as patched:
        patched.setattr("exobridge.outbound.caller.KEEP_SECONDS", ())
        patched.setattr(home.book.steps, "placed", fails)
        await home.look()
    (call_sid,) = home.placed
    assert await home.state(dial) == (DialState.PLACING, None)
    assert await home.book.outbound.adopt(call_sid, custom_field(dial.id, 1), home.book.clock())
    assert (await home.book.again(dial)).call_sid == call_sid
    assert await home.state(dial) == (DialState.PLACED, None)


async def test_while_exotel_is_out_of_order_few_lose_their_call(home: House) -> None:
    """After some answers that tell nothing nobody else is called, and one is tried later."""
    dials = [await home.book.want(n) for n in range(8)]
    home.limits = replace(LIMITS, at_most=1)
    home.account.meets = lambda asked: Fault(503)
    with capture_logs() as logs:
        for _ in dials:
            home.book.clock.pass_by(4)
            await home.look()
    states = [(await home.book.again(dial)).state for dial in dials]
    assert states.count(DialState.UNSURE) == MANY_UNSURE
    assert states.count(DialState.WAITING) == len(dials) - MANY_UNSURE
    assert home.dialler.trouble
    assert [entry["why"] for entry in logs if entry["event"] == "calls not placed"] == ["way"]
    home.account.meets = None
    home.dialler.hold.until = 0.0  # its time is over
    home.book.clock.pass_by(4)
    await home.look()
    assert not home.dialler.trouble
    assert len(home.placed) == 1


async def test_a_call_that_exotel_refuses_is_over(home: House) -> None:
    """With its words, its number left out; the next one is not held up."""
    first, second = await home.book.want(1), await home.book.want(2)
    home.account.fail(Fault(400, message=f"{first.number} is on the DND list"), where=CONNECT)
    await home.look()
    known = await home.book.again(first)
    assert (known.outcome, known.attempts) == (DialOutcome.REFUSED, 1)
    assert "DND" in known.error
    assert first.number[-10:] not in known.error
    assert await home.state(second) == (DialState.PLACED, None)


async def test_without_a_way_to_exotel_it_is_tried_later(home: House) -> None:
    """A connection that is refused has placed nothing."""
    dial = await home.book.want(1)
    home.account.url = "http://127.0.0.1:9"
    async with impatient(home.account) as api:
        home.connect = api.connect
        await home.look()
    known = await home.book.again(dial)
    assert (known.state, known.attempts) == (DialState.WAITING, 0)
    assert home.dialler.trouble


async def test_who_answered_after_all_is_not_called_again(home: House) -> None:
    """A word that came after "no-answer" had been settled counts, also one of a call going on."""
    late, going_on = await home.book.want(1), await home.book.want(2)
    await home.look()
    first, second = home.placed
    for call_sid in home.placed:
        await home.hears(over(call_sid, home.book.clock(), "no-answer"))
    await home.look()
    assert await home.state(late) == (DialState.WAITING, None)
    whole, open_call = talked(first, home.book.clock()), talked(second, home.book.clock())
    await home.hears(*whole, *open_call[:2])
    home.book.clock.pass_by(600)
    await home.look()
    assert len(home.placed) == 2
    await home.look()
    states = {await home.state(late), await home.state(going_on)}
    assert states == {(DialState.DONE, DialOutcome.ANSWERED), (DialState.PLACED, None)}
    await home.hears(open_call[2])
    await home.look()
    for dial in (late, going_on):
        assert await home.state(dial) == (DialState.DONE, DialOutcome.ANSWERED)


def handed_on(call_sid: str, at: datetime) -> list[CallEvent]:
    """They answered, and asked the bot for a human."""
    answer, started, _ = talked(call_sid, at)
    asked = events.transfer_requested(
        call_sid, at, stream_sid="s1", utterance="u1", target="support"
    )
    left = events.stream_ended(
        call_sid, at, stream_sid="s1", ended_by=EndedBy.BOT, reason="transfer"
    )
    return [answer, started, asked, left]


@pytest.mark.parametrize("is_told", [True, False])
async def test_nobody_is_called_who_talks_to_a_human(home: House, is_told: bool) -> None:
    """For another wish they are called once Exotel says that the call is over, or it must be."""
    dial = await home.book.want(1)
    await home.look()
    (call_sid,) = home.placed
    await home.hears(*handed_on(call_sid, home.book.clock()))
    another = await home.book.want(1)
    for _ in range(3):
        await home.look()
        assert await home.state(dial) == (DialState.PLACED, None)
        assert await home.state(another) == (DialState.WAITING, None)
        home.book.clock.pass_by(600)
    if is_told:
        await home.hears(over(call_sid, home.book.clock(), "completed"))
    else:
        home.book.clock.pass_by(dial.request.longest.total_seconds() - 1805)
    await home.look()
    assert await home.state(dial) == (DialState.DONE, DialOutcome.ANSWERED)
    assert (await home.state(another))[0] is DialState.PLACED
    assert len(home.placed) == 2


async def test_who_talks_to_a_human_takes_no_place_of_the_bots(tmp_path: Path) -> None:
    """Others are called meanwhile, and as many as before."""
    async with ledger(tmp_path / "db.sqlite3") as book:
        one = replace(LIMITS, places=1)
        await book.want(1)
        (first,) = (await book.claim(one)).dials
        await book.place(first, "c1")
        await book.want(2)
        assert not (await book.claim(one)).dials
        for event in handed_on("c1", book.clock()):
            await book.store.append(event)
        assert len((await book.claim(one)).dials) == 1


async def test_a_server_that_takes_no_calls_places_none(home: House) -> None:
    """Draining or not ready; what was placed is followed on."""
    first = await home.book.want(1)
    await home.look()
    home.takes_calls = False
    second = await home.book.want(2)
    await home.hears(*talked(home.placed[0], home.book.clock()))
    await home.look()
    assert await home.state(first) == (DialState.DONE, DialOutcome.ANSWERED)
    assert await home.state(second) == (DialState.WAITING, None)


async def test_a_telephone_rings_until_its_call_is_over(home: House) -> None:
    """A server that is to stop waits for that, as nobody else would answer."""
    assert not home.dialler.is_ringing
    await home.book.want(1)
    await home.look()
    assert home.dialler.is_ringing
    await home.hears(over(home.placed[0], home.book.clock(), "busy"))
    await home.look()
    assert not home.dialler.is_ringing


async def test_a_server_that_stops_breaks_off_what_does_not_answer(home: House) -> None:
    """Of a request that was broken off it is not known what became of it."""
    home.account.connect_seconds = 30
    dial = await home.book.want(1)
    await home.dialler.look()
    await until(lambda: len(home.placed) == 1)
    await home.dialler.aclose()
    assert await home.state(dial) == (DialState.UNSURE, None)


async def test_hours_are_looked_at_right_before_the_request(tmp_path: Path) -> None:
    """What was claimed before nine in the evening is not asked for after."""
    async with house(tmp_path / "db.sqlite3", purpose="promotional") as home:
        dial = await home.book.want(1)
        await home.dialler.look()
        home.book.clock.now = home.book.clock.now.replace(hour=15, minute=30)
        await until(lambda: not home.dialler.is_asking)
        known = await home.book.again(dial)
        assert (known.state, known.due_at.hour, home.placed) == (DialState.WAITING, 3, [])


async def test_it_looks_by_itself_and_at_once_when_woken(home: House) -> None:
    """From the wish to the call nobody tells the dialler anything."""
    home.dialler.start()
    dial = await home.book.want(1)
    await until(lambda: len(home.placed) == 1)
    known = await home.book.again(dial)
    assert known.state in (DialState.PLACING, DialState.PLACED)
