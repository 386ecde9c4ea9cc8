"""The live stream of events, by HTTP from a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exobridge.call import events
from exobridge.call.events import EndedBy, Role, Turn
from exobridge.live import feed as module
from exobridge.live.feed import Feed, FeedFullError, Wanted
from exobridge.store.feed import Cursor, FeedItem
from exobridge.web.control.events import EventStream
from tests.live.ground import following, greeted, key, line, operated
from tests.peer import stream
from tests.server import LINE, Server, until
from tests.virtual_call import EPOCH


async def call(server: Server) -> str:
    """A call with one question; its CallSid."""
    async with stream(server.stream_url) as peer:
        await greeted(peer)
        await peer.speak(LINE.pcm)
        await line(peer)
        await peer.send(peer.writer.stop("callended"))
        await server.until_over(peer.call_sid)
    return peer.call_sid


STORY = ["stream-ended", "stream-format", "stream-started", "turn", "turn", "turn"]
"""What there is of such a call."""


def facts(told: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What was told, by call and by key or number within it."""
    return [(each["call_sid"], str(each.get("key") or each["turn"]["number"])) for each in told]


async def test_what_happens_is_told_as_it_happens(tmp_path: Path) -> None:
    """Each fact and each turn once, in order, with all that is kept of it."""
    async with operated(tmp_path) as (server, client):
        async with following(client, headers=key("viewer")) as live:
            calling = asyncio.create_task(call(server))
            told = [await live.next() for _ in STORY]
            call_sid = await calling
        assert sorted(each["kind"] for each in told) == STORY
        assert told[0]["kind"] == "stream-started"
        assert {(each["call_sid"], each["template"]) for each in told} == {(call_sid, "default")}
        words = [each["turn"]["text"] for each in told if each["type"] == "turn"]
        assert words == ["Hello there.", "one", "You said: one"]
        (ended,) = [each for each in told if each["kind"] == "stream-ended"]
        assert ended["data"]["ended_by"] == "caller"
        assert ended["key"].startswith("stream-ended:")


async def test_who_comes_again_misses_nothing_and_is_told_nothing_twice(tmp_path: Path) -> None:
    """He tells the last id that he saw, in the header or in the query."""
    async with operated(tmp_path) as (server, client):
        seen: list[dict[str, Any]] = []
        async with following(client, params={"since": "e0.t0"}) as live:
            calling = asyncio.gather(*(call(server) for _ in "123"))
            seen += [await live.next() for _ in range(5)]
            last = live.last_id
        for _ in range(2):
            async with following(client, headers={"last-event-id": last}) as live:
                seen += [await live.next() for _ in range(4)]
                last = live.last_id
        await calling
        async with following(client, params={"since": last}) as live:
            seen += [await live.next() for _ in range(5)]
        async with following(client, params={"since": "e0.t0"}) as live:
            whole = [await live.next() for _ in range(18)]
        assert sorted(facts(seen)) == sorted(facts(whole))
        assert len(set(facts(seen))) == 18


async def test_one_call_is_told_from_its_beginning(tmp_path: Path) -> None:
    """And nothing of another."""
    async with operated(tmp_path) as (server, client):
        first, second = await asyncio.gather(call(server), call(server))
        async with following(client, f"/api/v1/calls/{second}/events/stream") as live:
            told = [await live.next() for _ in STORY]
        assert sorted(each["kind"] for each in told) == STORY
        assert told[0]["kind"] == "stream-started"
        assert {each["call_sid"] for each in told} == {second}
        async with following(
            client, params=[("since", "e0.t0"), ("kind", "turn"), ("call", first)]
        ) as live:
            assert [(await live.next())["kind"] for _ in "123"] == ["turn"] * 3
        async with following(
            client, params=[("since", "e0.t0"), ("kind", "stream-ended"), ("template", "default")]
        ) as live:
            assert {(await live.next())["call_sid"] for _ in "12"} == {first, second}


async def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    """By what is wrong with it."""
    async with operated(tmp_path) as (server, client):
        path = "/api/v1/events"
        bad = [{"since": "7"}, {"kind": "party"}, {"loud": "yes"}]
        statuses = [(await client.get(path, params=each)).status_code for each in bad]
        wrong = await client.get(path, headers={"last-event-id": "e1"})
        nobody = await client.get("/api/v1/calls/nobody/events/stream")
        bare = await client.get(path, headers={"authorization": ""})
        assert statuses == [400, 400, 400]
        assert [each.status_code for each in (wrong, nobody, bare)] == [400, 404, 401]
        server.bridge.desk.drain()
        full = await client.get(path)
        assert (full.status_code, full.json()["type"][-16:]) == (503, "too-many-streams")


async def test_the_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    """So that it can; who follows comes again to the next one."""
    async with operated(tmp_path) as (server, client), following(client) as live:
        telling = asyncio.create_task(anext(live.lines, "over"))
        assert (await telling).startswith("retry:")
        server.bridge.desk.drain()
        assert [text async for text in live.lines if text] in ([], [":", "id: e0.t0"])


async def test_who_was_told_nothing_yet_has_a_place_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """He is told where he stands, so that he can come again there."""
    async with operated(tmp_path) as (server, client):
        store = server.bridge.store
        await store.append(events.no_stream("before", EPOCH))
        async with following(client) as live:
            while not live.last_id:
                name, _, value = (await anext(live.lines)).partition(": ")
                live.last_id = value if name == "id" else ""
        await store.append(events.no_stream("meanwhile", EPOCH))
        async with following(client, headers={"last-event-id": live.last_id}) as again:
            assert (await again.next())["call_sid"] == "meanwhile"
        monkeypatch.setattr(module, "PAGE", 1)
        feed = Feed(store, is_over=lambda: False)
        picky = feed.reader(Wanted(kinds=frozenset({"turn"})), Cursor())
        async with aclosing(picky.items()) as items:
            told = [await anext(items) for _ in range(3)]
        assert told == [Cursor(1, 0), Cursor(2, 0), Cursor(2, 0)]


async def test_what_another_process_writes_is_told_too(tmp_path: Path) -> None:
    """It is looked for; and a silence is filled with comments."""
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "SILENCE_SECONDS", 0.05)
    try:
        async with operated(tmp_path) as (server, client), following(client) as live:
            store = server.bridge.store
            telling = asyncio.create_task(live.next())
            await asyncio.sleep(0.2)
            await store.append(events.no_stream("elsewhere", EPOCH))  # past the watchers
            told = await telling
            assert (told["call_sid"], told["kind"]) == ("elsewhere", "no-stream")
            assert live.comments > 1  # the first is his place
            words = "one\u2028two\x85three"  # whose signs end a line for some readers
            store.add_turn_soon(Turn("elsewhere", "s1", 1, Role.BOT, words, 0, 10))
            assert (await live.next())["turn"]["text"] == words
    finally:
        patch.undo()


async def test_a_silence_is_not_broken_by_what_is_for_others(tmp_path: Path) -> None:
    """Who follows one call is told nothing while only others go on."""
    async with operated(tmp_path) as (server, _):
        feed = Feed(server.bridge.store, is_over=lambda: False)

        async def happens(call_sid: str) -> None:
            event, before = events.no_stream(call_sid, EPOCH), feed.place
            await server.bridge.store.append(event)
            feed.event(event)
            await until(lambda: feed.place != before)

        async with aclosing(feed.reader(Wanted("mine")).items()) as items:
            assert isinstance(await anext(items), Cursor)
            asking = asyncio.ensure_future(anext(items))
            await happens("other")
            await happens("mine")
            told = await asking
            assert isinstance(told, FeedItem)
            assert told.what.call_sid == "mine"


async def test_who_was_never_answered_takes_no_place(tmp_path: Path) -> None:
    """An answer that nobody waited for is dropped, and its reader with it."""
    async with operated(tmp_path) as (server, _):
        for _ in range(module.MAX_READERS + 1):
            EventStream(server.bridge.feed.reader(Wanted()))


async def test_no_more_follow_than_there_is_room_for(tmp_path: Path) -> None:
    """A place is given back at a reader's end, and one who does not read is dropped."""
    async with operated(tmp_path) as (server, _):
        feed = Feed(server.bridge.store, is_over=lambda: False)
        readers = [feed.reader(Wanted()) for _ in range(module.MAX_READERS)]
        with pytest.raises(FeedFullError):
            feed.reader(Wanted())
        await readers.pop().aclose()
        slow = feed.reader(Wanted(), Cursor())
        async with aclosing(slow.items()) as items:
            assert isinstance(await anext(items), Cursor)
            asking = asyncio.ensure_future(anext(items, None))
            await asyncio.sleep(0.05)
            event = events.no_stream("c", EPOCH)
            item = FeedItem(Cursor(1, 0), "default", EPOCH, event)
            slow.tell([item] * (module.MAX_BEHIND + 1))
            assert await asking is None
            await feed.reader(Wanted()).aclose()  # though the slow one has not noticed yet
        assert server.log("reader dropped", behind=module.MAX_BEHIND + 1)
        for reader in readers:
            await reader.aclose()


async def test_a_page_is_told_in_the_order_of_time(tmp_path: Path) -> None:
    """However it is cut into pages, nothing is left out, and a turn stands where it was over."""
    async with operated(tmp_path) as (server, _):
        store = server.bridge.store
        for number in range(6):
            sid, at = f"c{number % 2}", EPOCH + timedelta(seconds=10 * number)
            stream_sid = f"s{number}"
            store.append_soon(events.stream_started(sid, at, stream_sid=stream_sid, template="t"))
            store.add_turn_soon(Turn(sid, stream_sid, 1, Role.BOT, "Hi.", 1000, 4000))
            ended = events.stream_ended(
                sid, at + timedelta(seconds=5), stream_sid=stream_sid, ended_by=EndedBy.CALLER
            )
            store.append_soon(ended)
        await store.flush()
        whole = await store.feed.read(Cursor(), 100)
        kinds = [module.kind_of(item) for item in whole]
        assert kinds == ["stream-started", "turn", "stream-ended"] * 6
        for limit in (1, 2, 3, 5):
            place, found = Cursor(), list[FeedItem]()
            while page := await store.feed.read(place, limit):
                place, found = page[-1].cursor, found + page
            assert [each.what for each in found] == [each.what for each in whole], limit
            assert place == await store.feed.end()
        only = await store.feed.read(Cursor(), 100, call_sid="c1", until=Cursor(6, 3))
        assert [(item.what.call_sid, module.kind_of(item)) for item in only] == [
            ("c1", kind) for kind in ("stream-started", "turn", "stream-ended")
        ]


@pytest.mark.parametrize("text", ["", "e1", "e1.t", "e-1.t2", "e1.t2 ", "e１.t2", "e1.t2\n"])
def test_what_is_no_place_is_none(text: str) -> None:
    """Whatever comes from outside."""
    assert Cursor.read(text) is None
    assert Cursor.read("e12.t7") == Cursor(12, 7)
