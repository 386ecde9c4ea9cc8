"""What is put into the store comes out of it."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from exobridge.call import events
from exobridge.call.events import Decision, EventKind, Role, Turn, passthru
from exobridge.call.state import Outcome, State, replay
from exobridge.store import Store, StoreClosedError, StoreError, StoreUnavailableError
from tests.database import rename
from tests.store.samples import ROOT, answered, at, ended, every_kind, started, turn


async def test_events_come_back_as_they_went_in(store: Store) -> None:
    """Each kind of event is read as it was written, in the order in which it came."""
    events = every_kind()
    assert {event.kind for event in events} == set(EventKind)
    for event in events:
        assert await store.append(event)
    assert await store.events("c1") == events
    assert await store.events("c2") == []


async def test_the_call_is_what_its_events_make(store: Store) -> None:
    """The call's row follows the events, in whatever order they come, repeated ones included."""
    for seed in range(5):
        events = [*every_kind(), *every_kind()]
        random.Random(seed).shuffle(events)
        mine = [
            type(event)(f"c{seed}", event.kind, event.key, event.at, event.data) for event in events
        ]
        for event in mine[:7]:
            await store.append(event)
        await asyncio.gather(*(store.append(event) for event in mine[7:]))
        assert await store.call(f"c{seed}") == replay(mine)
        assert len(await store.events(f"c{seed}")) == len(every_kind())


async def test_the_row_shows_the_call_to_sql(store: Store, path: Path) -> None:
    """Columns hold what the call tells, for those who query the database themselves."""
    await store.append(answered())
    await store.append(started())
    await store.append(ended())
    query = "SELECT state, outcome, template, streams, ended_at FROM calls WHERE call_sid = 'c1'"
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(query).fetchone()
    assert row == ("ended", "completed", "sales", 1, "2026-11-21 10:00:09.123456")


async def test_a_known_key_changes_nothing(store: Store) -> None:
    """The first event of a key stands; another is told to be known."""
    assert await store.append(answered(reason="first"))
    assert not await store.append(answered(reason="second"))
    first, *rest = await store.events("c1")
    call = await store.call("c1")
    assert (first.data["reason"], rest) == ("first", [])
    assert call is not None
    assert call.reason == "first"


async def test_a_known_key_in_one_transaction(store: Store) -> None:
    """Of several events of one key that come at once, the first one is new."""
    told = await asyncio.gather(*(store.append(answered(reason=str(i))) for i in range(5)))
    assert told == [True, False, False, False, False]
    assert [event.data["reason"] for event in await store.events("c1")] == ["0"]


async def test_the_same_key_of_two_calls(store: Store) -> None:
    """A key is a call's own."""
    assert await store.append(answered("c1"))
    assert await store.append(answered("c2"))


async def test_an_unknown_call_is_none(store: Store) -> None:
    """What was never told of is not there."""
    assert await store.call("c1") is None
    assert await store.turns("c1") == []


async def test_turns_come_back_in_order(store: Store) -> None:
    """Turns are read by stream and number, each once, though an interrupted one may be over
    first."""
    await store.append(started())
    bare = Turn("c1", "s2", 1, Role.CALLER, "", 0, 0)
    for one in (turn(2), turn(1), bare, turn(2)):
        store.add_turn_soon(one)
    await store.flush()
    assert await store.turns("c1") == [turn(1), turn(2), bare]


async def test_what_is_put_soon_keeps_its_place(store: Store) -> None:
    """What nobody waits for is written in its turn with what somebody waits for."""
    store.append_soon(started())
    store.add_turn_soon(turn(1))
    store.append_soon(answered())
    await store.append(ended())
    kinds = [event.kind for event in await store.events("c1")]
    assert kinds == [EventKind.STREAM_STARTED, EventKind.ANSWER, EventKind.STREAM_ENDED]
    assert await store.turns("c1") == [turn(1)]


async def test_flush_waits_for_all_that_was_put(store: Store) -> None:
    """After a flush everything is there, and nothing waits."""
    for number in range(1200):
        store.append_soon(answered(f"c{number}"))
    await store.flush()
    assert store.pending == 0
    assert await store.call("c1199") is not None


async def test_calls_are_paged_from_the_newest(store: Store) -> None:
    """Pages neither repeat nor leave out a call, even among those of the same moment."""
    for number, seconds in enumerate([0, 1, 1, 1, 2, 3]):
        await store.append(answered(f"c{number}", seconds))
    seen: list[str] = []
    before = None
    for _ in range(4):
        page = await store.calls(limit=2, before=before)
        seen += [call.call_sid for call in page]
        before = seen[-1]
    assert seen == ["c5", "c4", "c3", "c2", "c1", "c0"]
    assert await store.calls(before="unknown") == []
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="limit"):
            await store.calls(limit=limit)


async def test_calls_that_nobody_tells_of_any_more_are_closed(store: Store) -> None:
    """As of when they were last heard of; one that was heard of since, or has ended, is left
    alone, and a stream that comes yet re-opens its call."""
    for event in (
        events.passthru("new", at(0), {}),
        events.answer("answered", at(0), decision=Decision.ACCEPT),
        events.stream_started("streaming", at(0), stream_sid="s"),
        events.passthru("new", at(5), {"digits": "1"}),
        events.passthru("heard of", at(0), {}),
        events.passthru("heard of", at(60), {"digits": "1"}),
        events.answer("refused", at(0), decision=Decision.REFUSE),
    ):
        await store.append(event)
    before = {name: len(await store.events(name)) for name in ("heard of", "refused")}
    assert await store.close_silent(at(30)) == 3
    ends: dict[str, object] = {}
    for name in ("new", "answered", "streaming"):
        call = await store.call(name)
        assert call is not None
        ends[name] = (call.outcome, call.ended_at)
    assert ends == {
        "new": ("unknown", at(5)),
        "answered": ("abandoned", at(0)),
        "streaming": ("lost", at(0)),
    }
    assert before == {name: len(await store.events(name)) for name in before}
    assert await store.close_silent(at(30)) == 0
    await store.append(events.stream_started("new", at(90), stream_sid="s"))
    assert [call.call_sid for call in await store.open_calls()] == ["new"]


async def test_what_is_told_after_the_call_makes_none(store: Store) -> None:
    """A call that was erased is not begun anew by its details or its recording."""
    told = [
        events.details("gone", at(0), status="completed", data={}),
        events.recording("gone", at(0), source="own", name="s", duration_ms=1, size=1),
        events.passthru("known", at(0), {}),
        events.details("known", at(1), status="completed", data={}),
    ]
    assert await asyncio.gather(*(store.append(event) for event in told)) == [
        False,
        False,
        True,
        True,
    ]
    assert await store.call("gone") is None
    assert len(await store.events("known")) == 2


async def test_open_calls(store: Store) -> None:
    """Answered and streaming calls are open; new and ended ones are not."""
    await store.append(answered("c-answered", 1))
    await store.append(started("c-streaming", seconds=0))
    await store.append(passthru("c-new", at(0), {}))
    await store.append(started("c-ended"))
    await store.append(ended("c-ended"))
    assert [call.call_sid for call in await store.open_calls()] == ["c-streaming", "c-answered"]


async def test_recover_may_be_of_some_streams_only(store: Store) -> None:
    """One process of several died: what the others hold stays open, be it a newer stream of the
    same call; and so do the calls that wait for their stream, unless theirs is the one that died
    before its start was written."""
    for event in (
        answered("c-waits"),
        answered("c-unwritten"),
        started("c-other", "s1"),
        started("c-dead", "s1"),
        started("c-both", "s1"),
        started("c-both", "s2"),
        started("c-ended", "s1"),
        ended("c-ended", "s1"),
    ):
        await store.append(event)
    lost = {(f"c-{name}", "s1") for name in ("unwritten", "dead", "both", "ended", "unknown")}
    assert await store.recover(at(100), set()) == []
    told = await store.recover(at(100), lost)
    assert sorted((event.call_sid, event.key) for event in told) == [
        ("c-both", "stream-lost:s1"),
        ("c-dead", "stream-lost:s1"),
        ("c-unwritten", "no-stream"),
    ]
    still_open = {call.call_sid: call.open_streams for call in await store.open_calls()}
    assert still_open == {"c-waits": (), "c-other": ("s1",), "c-both": ("s2",)}


async def test_recover_closes_what_a_former_process_left_open(url: str) -> None:
    """Open streams are lost and answered calls given up; calls that have ended are let be."""
    store = await Store.open(url)
    for event in (
        answered("c-waits"),
        started("c-two", "s1"),
        started("c-two", "s2"),
        started("c-ended"),
        ended("c-ended"),
    ):
        await store.append(event)
    await store.aclose()

    store = await Store.open(url)
    try:
        told = await store.recover(at(100))
        assert sorted((event.call_sid, event.key) for event in told) == [
            ("c-two", "stream-lost:s1"),
            ("c-two", "stream-lost:s2"),
            ("c-waits", "no-stream"),
        ]
        outcomes = {call.call_sid: call.outcome for call in await store.calls()}
        assert outcomes == {
            "c-two": Outcome.LOST,
            "c-waits": Outcome.ABANDONED,
            "c-ended": Outcome.COMPLETED,
        }
        assert await store.open_calls() == []
        assert await store.recover(at(200)) == []

        await store.append(started("c-two", "s3", seconds=101))
        call = await store.call("c-two")
        assert call is not None
        assert call.state is State.STREAMING
    finally:
        await store.aclose()


async def test_times_keep_their_microseconds(store: Store) -> None:
    """A time comes back to the microsecond, in UTC."""
    event = answered(seconds=0.000001)
    await store.append(event)
    (found,) = await store.events("c1")
    assert found.at == event.at
    assert found.at.utcoffset() == timedelta(0)


async def test_ping_tells_whether_the_store_works(store: Store, path: Path) -> None:
    """A store that works answers; one whose tables are gone, or that is closed, does not."""
    await store.ping()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE turns; DROP TABLE call_events; DROP TABLE calls;")
    with pytest.raises(StoreUnavailableError):
        await store.ping()
    await store.aclose()
    with pytest.raises(StoreClosedError):
        await store.ping()


async def test_a_failed_query_tells_no_values(store: Store, path: Path) -> None:
    """A broken query gives a store's error that says what SQLite says, and no values."""
    await rename(path, "calls", "gone")
    with pytest.raises(StoreError, match="no such table: calls") as caught:
        await store.call("+919900000001")
    assert "9900000001" not in str(caught.value.__cause__)


WRITES_UNTIL_KILLED = """
import asyncio, sys
from exobridge.store import Store
from tests.store.samples import answered, turn
from tests.database import rename

async def main():
    store = await Store.open(sys.argv[1])
    for number in range(1_000_000):
        await store.append(answered(f"c{number}"))
        store.add_turn_soon(turn(call_sid=f"c{number}"))
        await store.flush()
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_acknowledged_survives_kill_9(url: str) -> None:
    """Everything a process had acknowledged before it was killed is there afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITES_UNTIL_KILLED, url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    acknowledged = -1
    while acknowledged < 30:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        assert line, "the process ended by itself"
        acknowledged = int(line)
    process.kill()
    rest, _ = await process.communicate()
    numbers = [int(line) for line in rest.split(b"\n")[:-1]]
    acknowledged = max([acknowledged, *numbers])

    store = await Store.open(url)
    try:
        for number in range(acknowledged + 1):
            call = await store.call(f"c{number}")
            assert call is not None
            assert call.state is State.ANSWERED
            assert len(await store.events(f"c{number}")) == 1
            assert len(await store.turns(f"c{number}")) == 1
    finally:
        await store.aclose()
