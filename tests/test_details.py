"""Calls without a callback: Exotel is asked how they went, over a real socket.

The database and the account's API are real, so that time is too; what ages is the job: its call
ended a while ago.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind
from exobridge.call.placed import PlacedCall
from exobridge.call.state import Call, Outcome, replay
from exobridge.call.transfer_state import TransferStatus
from exobridge.details import KIND, DetailsPoll, DetailsWaits, details_beside
from exobridge.exotel.api import ExotelApi
from exobridge.exotel.api.retry import READ
from exobridge.jobs import JobRunner, RunnerOptions
from exobridge.recorder import StoreRecorder
from exobridge.settings import Settings
from exobridge.store import Store
from exobridge.store.jobs import Job, JobState
from tests.database import migrated
from tests.exotel_account import FakeAccount, FakeCall, Fault, Recording, exotel_account
from tests.server import serving, until

ONCE = replace(READ, tries=1)
RUNNER = RunnerOptions(jitter=0.0, poll=0.02, drain=0.05)
SHORT = DetailsWaits(first=0.0, going_on=0.01, unsettled=0.01, unavailable=0.01)
"""Waits that a test can wait for. A call that ended long ago is not asked about again soon."""

NOW = datetime.now(UTC)


def _answer(decision: Decision) -> CallEvent:
    return events.answer("c", NOW, decision=decision)


SILENT = {"ConversationDuration": 0, "Legs": [{"Leg": {"Id": 1, "OnCallDuration": 42}}]}


class Noted:
    """Recordings that were told of."""

    def __init__(self) -> None:
        self.urls: list[tuple[str, str]] = []

    async def note(self, call_sid: str, url: str = "") -> None:
        """Remember one."""
        self.urls.append((call_sid, url))


@dataclass(frozen=True, slots=True)
class World:
    """What a test has to do with."""

    account: FakeAccount
    store: Store
    noted: Noted

    async def call(self, *, seconds_ago: float = 0.0, transfer: bool = False) -> None:
        """A call's stream has ended."""
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        told = [events.stream_started("c", at, stream_sid="s")]
        if transfer:
            told += [
                events.transfer_requested("c", at, stream_sid="s", utterance="u", target="sales")
            ]
        for event in (*told, events.stream_ended("c", at, stream_sid="s", ended_by=EndedBy.BOT)):
            await self.store.append(event)

    async def job(self) -> Job:
        """The only job there is."""
        (job,) = await self.store.jobs.listed()
        return job

    async def stands(self, state: JobState) -> Job:
        """Wait until the job stands so."""

        async def does() -> bool:
            return (await self.job()).state is state

        await until(does)
        return await self.job()

    async def kept(self) -> Call:
        """The call."""
        call = await self.store.call("c")
        assert call is not None
        return call

    async def details(self) -> list[CallEvent]:
        """What was told of it."""
        return [e for e in await self.store.events("c") if e.kind is EventKind.DETAILS]


@asynccontextmanager
async def polled(folder: Path, waits: DetailsWaits = SHORT) -> AsyncGenerator[World]:
    """An account, and a store whose calls are asked about."""
    url = f"sqlite+aiosqlite:///{folder / 'calls.sqlite3'}"
    migrated(folder / "calls.sqlite3")
    async with exotel_account() as account:
        api = ExotelApi.of(Settings.read(account.variables), read=ONCE)
        assert api is not None
        store, noted = await Store.open(url), Noted()
        store.leave_beside(details_beside(waits))
        runner = JobRunner(store.jobs, RUNNER)
        poll = DetailsPoll(api=api, recorder=StoreRecorder(store), recordings=noted, waits=waits)
        poll.register(runner)
        runner.start()
        try:
            yield World(account, store, noted)
        finally:
            await runner.aclose()
            await store.aclose()
            await api.aclose()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """With waits that a test can wait for."""
    async with polled(tmp_path) as world:
        yield world


async def test_a_call_is_asked_about_when_its_stream_has_ended(world: World) -> None:
    """What Exotel tells is kept, once; nothing is asked any more."""
    world.account.calls["c"] = FakeCall()
    await world.call()
    await world.stands(JobState.DONE)
    (event,) = await world.details()
    assert event.data == {
        "status": "completed",
        "settled": True,
        "caller": "+919811122233",
        "called": "+918047112233",
        "direction": "incoming",
        "started_at": "2026-11-21T12:31:58+05:30",
        "ended_at": "2026-11-21T12:32:40+05:30",
        "seconds": 42,
        "conversation_seconds": 31,
        "price": 0.4,
        "legs": [{"id": "1", "seconds": 42}, {"id": "2", "seconds": 31}],
        "leg1_status": "completed",
        "leg2_status": "completed",
    }
    call = await world.kept()
    assert call.exotel is not None
    assert (call.outcome, call.exotel.seconds, call.exotel.price) == (Outcome.COMPLETED, 42, 0.4)
    assert world.noted.urls == []
    assert world.account.count("/v1/Accounts/acme1/Calls/c.json") == 1


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (_answer(Decision.REFUSE), Outcome.REFUSED),
        (events.passthru("c", NOW, {"CallType": "call-attempt"}), Outcome.COMPLETED),
        (
            events.passthru("c", NOW, {}, told={"call_status": "completed"}),
            Outcome.COMPLETED,
        ),
        (events.status("c", NOW, status="busy", event_type="", data={}), Outcome.COMPLETED),
        (events.no_stream("c", NOW), Outcome.COMPLETED),
    ],
)
async def test_a_call_without_a_stream_is_asked_about(
    world: World, first: CallEvent, outcome: Outcome
) -> None:
    """It was sent to a human, only its Passthru applets come here, or it was never taken: who was
    on it, how it ended, and its recording are learned all the same. The API is believed first."""
    world.account.calls["c"] = FakeCall(recording=Recording())
    await world.store.append(first)
    await world.stands(JobState.DONE)
    call = await world.kept()
    assert call.exotel is not None
    assert (call.outcome, call.exotel.source, call.exotel.seconds) == (outcome, "details", 42)
    assert (call.caller, call.called, call.direction) == (
        "+919811122233",
        "+918047112233",
        "incoming",
    )
    assert world.noted.urls == [("c", world.account.recording_url("c"))]


async def test_a_call_whose_stream_may_come_is_not_asked_about(world: World) -> None:
    """Its stream's end will ask, or that none came."""
    await world.store.append(_answer(Decision.ACCEPT))
    await world.store.append(events.passthru("c", NOW, {"digits": "1"}))
    assert await world.store.jobs.listed() == []
    world.account.calls["c"] = FakeCall()
    await world.store.append(events.no_stream("c", datetime.now(UTC)))
    await world.stands(JobState.DONE)
    assert (await world.kept()).outcome is Outcome.ABANDONED


@pytest.mark.parametrize(
    ("details", "outcome", "status"),
    [
        (FakeCall().details, Outcome.TRANSFERRED, TransferStatus.ANSWERED),
        (SILENT, Outcome.UNANSWERED, TransferStatus.FAILED),
        (None, Outcome.TRANSFERRED, TransferStatus.UNKNOWN),
    ],
)
async def test_it_tells_what_became_of_a_transfer(
    world: World, details: dict[str, Any] | None, outcome: Outcome, status: TransferStatus
) -> None:
    """Also where no callback and no Passthru ever came; unknown, where Exotel has no details."""
    world.account.calls["c"] = FakeCall(details=details)
    await world.call(transfer=True)
    await world.stands(JobState.DONE)
    call = await world.kept()
    assert call.transfer is not None
    assert (call.outcome, call.transfer.status) == (outcome, status)


async def test_a_call_that_goes_on_is_asked_about_again(world: World) -> None:
    """A human talks on, after the bot; that counts as no failure, and is not kept."""
    world.account.calls["c"] = FakeCall(unsettled=9)
    await world.call()
    job = await world.stands(JobState.DONE)
    assert (job.attempts, len(await world.details())) == (1, 1)
    assert world.account.count("/v1/Accounts/acme1/Calls/c.json") == 10


async def test_sums_that_come_later_are_kept_too(world: World) -> None:
    """That the call is over is known at once; its end, duration and price once they settle."""
    unsettled = {"EndTime": "", "Duration": "", "Price": None}
    world.account.calls["c"] = FakeCall(fields=unsettled)
    await world.call()

    async def is_kept() -> bool:
        return len(await world.details()) == 1

    await until(is_kept)
    world.account.calls["c"] = FakeCall()
    await world.stands(JobState.DONE)
    first, second = await world.details()
    assert (first.data["settled"], second.data["settled"]) == (False, True)
    exotel = (await world.kept()).exotel
    assert exotel is not None
    assert (exotel.seconds, exotel.price) == (42, 0.4)


async def test_a_recording_that_it_tells_of_is_noted(world: World) -> None:
    """By its lasting URL: a presigned one will not work any more when it is fetched."""
    world.account.calls["c"] = FakeCall(recording=Recording(), presigned=True)
    await world.call()
    await world.stands(JobState.DONE)
    assert world.noted.urls == [("c", world.account.recording_url("c"))]


@pytest.mark.parametrize(
    "fault",
    [
        Fault(401, code=34001),
        Fault(402),
        Fault(403),
        Fault(429, headers={"Retry-After": "0"}),
        Fault(500),
        Fault(503),
        Fault(body=b"<html>", status=200),
        Fault(how="reset"),
        Fault(how="cut"),
    ],
)
async def test_an_account_that_cannot_tell_now_is_asked_again(world: World, fault: Fault) -> None:
    """A key that is wrong may be put right, a balance filled up; that counts as no failure."""
    world.account.calls["c"] = FakeCall()
    world.account.fail(fault, fault)
    await world.call()
    job = await world.stands(JobState.DONE)
    assert (job.attempts, len(await world.details())) == (1, 1)


async def test_a_call_that_exotel_does_not_know_is_given_up(world: World) -> None:
    """But not at once: it may be new to the API."""
    await world.call()

    async def is_asked_often() -> bool:
        return world.account.count("/v1/Accounts/acme1/Calls/c.json") > 2

    await until(is_asked_often)
    assert (await world.job()).state is not JobState.FAILED
    world.account.calls["c"] = FakeCall()
    await world.stands(JobState.DONE)


@pytest.mark.parametrize(
    ("ago", "call", "why"),
    [
        (901.0, None, "Exotel does not know the call"),
        (86_401.0, FakeCall(unsettled=10_000), "the call goes on"),
        (86_401.0, FakeCall(fields={"EndTime": ""}), "its sums have not settled"),
    ],
)
async def test_it_is_not_asked_for_ever(
    world: World, ago: float, call: FakeCall | None, why: str
) -> None:
    """A day after the stream's end the job is given up, with the reason."""
    if call:
        world.account.calls["c"] = call
    await world.call(seconds_ago=ago)
    assert (await world.stands(JobState.FAILED)).error == why


async def test_an_api_that_never_answers_is_given_up_after_a_day(world: World) -> None:
    """With what it last said, and no secret in it."""
    world.account.fail(*[Fault(401)] * 3)
    await world.call(seconds_ago=86_401)
    error = (await world.stands(JobState.FAILED)).error
    assert "EXOTEL_API_KEY" in error
    assert world.account.token not in error


async def test_the_first_question_waits_for_the_sums(tmp_path: Path) -> None:
    """Two and a half minutes; after that the longer it lasts the rarer, twenty times in a day."""
    waits = DetailsWaits()
    async with polled(tmp_path, waits) as world:
        await world.call()
        job = await world.job()
        end = (await world.kept()).ended_at
        assert end is not None
        assert (job.state, job.due_at - end) == (JobState.WAITING, timedelta(seconds=150))
    age, asked = waits.first, 0
    while age < waits.at_most:
        age, asked = age + max(waits.unsettled, age / 4), asked + 1
    assert 15 <= asked <= 30


async def test_the_job_is_written_with_the_end(tmp_path: Path) -> None:
    """One for each call, however many streams it had and however often their ends are told; of a
    stream that was lost likewise, and not of one that is open."""
    async with polled(tmp_path, DetailsWaits()) as world:
        await world.call()
        await world.call()
        at = datetime.now(UTC)
        store = world.store
        await store.append(events.stream_ended("c", at, stream_sid="t", ended_by=EndedBy.CALLER))
        assert len(await store.jobs.listed()) == 1
        for call_sid in ("d", "e"):
            await store.append(events.stream_started(call_sid, at, stream_sid=call_sid))
        await store.append(events.stream_lost("d", at, stream_sid="d"))
        assert {job.call_sid for job in await store.jobs.listed()} == {"c", "d"}
        assert {job.kind for job in await store.jobs.listed()} == {KIND}


async def test_the_server_asks_after_each_call(tmp_path: Path) -> None:
    """With the account's credentials, and of a call that a killed process left open, too."""
    async with exotel_account() as account:
        account.calls["c"] = account.calls["lost"] = FakeCall()
        credentials: dict[str, Any] = dict(account.variables)
        async with serving(tmp_path, **credentials) as server:
            ended = events.stream_ended(
                "c", datetime.now(UTC), stream_sid="s", ended_by=EndedBy.BOT
            )
            await server.bridge.store.append(ended)
            begun = events.stream_started("lost", datetime.now(UTC), stream_sid="t")
            await server.bridge.store.append(begun)
        async with serving(tmp_path, **credentials) as server:
            store = server.bridge.store
            jobs = {job.key: job for job in await store.jobs.listed() if job.kind == KIND}
            assert jobs.keys() == {"c", "lost"}
            for key in jobs:
                await store.jobs.amend(KIND, key, {}, due_at=datetime.now(UTC))

            async def are_done() -> bool:
                done = await store.jobs.listed(JobState.DONE)
                return {job.key for job in done if job.kind == KIND} == {"c", "lost"}

            await until(are_done)
            for call_sid, outcome in (("c", Outcome.COMPLETED), ("lost", Outcome.LOST)):
                call = await server.kept(call_sid)
                assert call.exotel is not None
                assert (call.outcome, call.exotel.seconds) == (outcome, 42)


async def test_without_credentials_nothing_is_queued(tmp_path: Path) -> None:
    """There would be nobody to ask."""
    async with serving(tmp_path) as server:
        ended = events.stream_ended("c", datetime.now(UTC), stream_sid="s", ended_by=EndedBy.BOT)
        await server.bridge.store.append(ended)
        assert await server.bridge.store.jobs.listed() == []


async def test_a_placed_call_of_which_nothing_is_heard_is_asked_about(world: World) -> None:
    """Nobody took it, and the callback was lost: its end is known all the same."""
    world.account.begin("c", caller="09811122233", exophone="08047112233", outgoing=True)
    world.account.settle_seconds = 0
    world.account.end("c", status="no-answer")
    await world.store.append(events.placed("c", NOW, PlacedCall("d1", ring_seconds=0)))
    await world.stands(JobState.DONE)
    assert (await world.kept()).outcome is Outcome.NO_ANSWER


def test_a_placed_call_is_not_asked_about_while_it_rings() -> None:
    """The wait begins when it can ring no longer."""
    event = events.placed("c", NOW, PlacedCall("d1", ring_seconds=45))
    call = replay([event])
    assert call is not None
    job = details_beside()(event, call)
    assert job is not None
    assert job.due_at == NOW + timedelta(seconds=45 + DetailsWaits().first)
