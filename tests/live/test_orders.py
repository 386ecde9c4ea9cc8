"""Orders to calls under way, by HTTP to a real server, as the caller hears them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from exobridge.call.events import EndedBy
from exobridge.call.orders import HangUp, Result, SayLine
from exobridge.live import orders as module
from exobridge.live.orders import Orders, Refusal
from exobridge.store import Store
from tests.live.ground import BOT, SALES, greeted, key, line, operated
from tests.peer import stream
from tests.server import ECHO, Server, until

LINE = "This is what the operator says."


async def test_the_caller_hears_what_the_operator_says(tmp_path: Path) -> None:
    """It is kept as a turn of the bot, and the log names the key and no word."""
    async with operated(tmp_path) as (server, client), stream(server.stream_url) as peer:
        await greeted(peer)
        answer = await client.post(f"/api/v1/calls/{peer.call_sid}/say", json={"text": LINE})
        assert (answer.status_code, answer.json()) == (200, {"done": "speaking"})
        await line(peer)
        await peer.send(peer.writer.stop("callended"))
        await server.until_over(peer.call_sid)
        turns = await server.bridge.store.turns(peer.call_sid)
        assert [turn.text for turn in turns] == ["Hello there.", LINE]
        (entry,) = server.log("call steered", call_sid=peer.call_sid)
        assert (entry["order"], entry["result"]) == ("say", "speaking")
        assert server.log("api", key="operator", call_sid=peer.call_sid)
        assert LINE not in server.text.getvalue()


async def test_a_transfer_reaches_the_applet_that_asks_whom_to_dial(tmp_path: Path) -> None:
    """The caller hears the template's line, and the stream is left."""
    async with operated(tmp_path) as (server, client), stream(server.stream_url) as peer:
        await greeted(peer)
        path = f"/api/v1/calls/{peer.call_sid}/transfer"
        wrong = await client.post(path, json={"target": "support"})
        assert (wrong.status_code, wrong.json()["type"]) == (
            422,
            "urn:exobridge:problem:unknown-target",
        )
        answer = await client.post(path, json={"target": "sales", "summary": "a refund"})
        assert answer.json() == {"done": "leaving"}
        await line(peer)
        assert await peer.close_code() == 1000
        dial = await client.get("/exotel/dial-up", params={"CallSid": peer.call_sid})
        assert SALES in dial.text
        late = await client.post(path, json={})
        assert (late.status_code, late.json()["type"]) == (409, "urn:exobridge:problem:handed-over")
        call = await server.kept(peer.call_sid)
        assert call.end_reason == "transfer"
        turns = await server.bridge.store.turns(peer.call_sid)
        assert turns[-1].text == "Please hold."


async def test_a_hang_up_ends_the_call(tmp_path: Path) -> None:
    """After the operator's last words; what comes later finds no call."""
    async with operated(tmp_path) as (server, client), stream(server.stream_url) as peer:
        await greeted(peer)
        path = f"/api/v1/calls/{peer.call_sid}"
        answer = await client.post(f"{path}/hangup", json={"say": "Goodbye from us."})
        assert answer.json() == {"done": "leaving"}
        closing = await client.post(f"{path}/say", json={"text": LINE})
        assert closing.json()["type"] == "urn:exobridge:problem:closing"
        await line(peer)
        assert await peer.close_code() == 1000
        call = await server.until_over(peer.call_sid)
        assert (call.ended_by, call.end_reason) == (EndedBy.BOT, "operator")
        late = await client.post(f"{path}/hangup")
        assert (late.status_code, late.json()["type"]) == (409, "urn:exobridge:problem:call-over")


async def test_orders_that_cannot_be_meant_are_refused(tmp_path: Path) -> None:
    """By who asks, by what it says, and by which call it is for."""
    async with operated(tmp_path) as (_, client):
        path = "/api/v1/calls/nobody/say"
        answers = [
            await client.post(path, json={"text": LINE}),
            await client.post(path, json={"text": LINE}, headers=key("viewer")),
            await client.post(path, json={"text": "  "}),
            await client.post(path, json={"text": "a" * 1001}),
            await client.post(path, json={"text": LINE, "loud": True}),
        ]
        assert [answer.status_code for answer in answers] == [404, 403, 422, 422, 422]


async def test_a_session_that_speaks_for_itself_takes_no_line(tmp_path: Path) -> None:
    """It can be ended."""
    templates = {"default": ECHO}
    async with operated(tmp_path, templates) as (server, client), stream(server.stream_url) as peer:
        await peer.start()
        await peer.silence(40)
        await peer.next("media")
        path = f"/api/v1/calls/{peer.call_sid}"
        for what, words in (("say", {"text": LINE}), ("hangup", {"say": "Bye."})):
            said = await client.post(f"{path}/{what}", json=words)
            assert said.json()["type"] == "urn:exobridge:problem:no-voice"
        assert (await client.post(f"{path}/hangup")).json() == {"done": "leaving"}
        assert await peer.close_code() == 1000


# ------------------------------------------------------------------ another process holds the call


def elsewhere(server: Server, store: Store) -> Orders:
    """The orders of a process that holds no calls."""
    return Orders({}, store, alone=False, clock=server.bridge.services.wall_clock)


def at_home(server: Server) -> Orders:
    """Those of the process that holds them, where it is not alone."""
    bridge = server.bridge
    clock = bridge.services.wall_clock
    return Orders(bridge.desk.sessions, bridge.store, alone=False, clock=clock)


async def test_an_order_finds_the_process_that_holds_the_call(tmp_path: Path) -> None:
    """It is done once, however many look for it, and nothing of it stays in the database."""
    async with operated(tmp_path) as (server, _), stream(server.stream_url) as peer:
        await greeted(peer)
        await server.bridge.store.flush()
        store = await Store.open(server.bridge.settings.database_url.get_secret_value())
        try:
            home = at_home(server)
            async with home.watching(), home.watching(), home.watching():
                given = [elsewhere(server, store).give(peer.call_sid, SayLine(LINE)) for _ in "123"]
                results = await asyncio.gather(*given)
            assert sorted(results) == [Result.SPEAKING, Result.WAITING, Result.WAITING]
            assert len(server.log("call steered")) == 3
            for _ in results:
                await line(peer)
            now = server.bridge.services.wall_clock()
            assert await store.orders.take({peer.call_sid}, "me", now) == []
        finally:
            await store.aclose()
        turns = await server.bridge.store.turns(peer.call_sid)
        assert [turn.text for turn in turns].count(LINE) >= 2


async def test_an_order_that_nobody_takes_in_time_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing happens late."""
    monkeypatch.setattr(module, "LOOKS", 3)
    async with operated(tmp_path) as (server, _), stream(server.stream_url) as peer:
        await greeted(peer)
        await server.bridge.store.flush()
        other = elsewhere(server, server.bridge.store)
        assert await other.give(peer.call_sid, HangUp()) is Refusal.NO_ANSWER
        async with at_home(server).watching():
            await asyncio.sleep(2 * module.LOOK_SECONDS)
        assert not server.log("call steered")
        assert await other.give("nobody", HangUp()) is Refusal.UNKNOWN_CALL


async def test_an_order_that_was_taken_and_not_answered_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that took it may have done it, and died."""
    monkeypatch.setattr(module, "LOOKS", 3)
    async with operated(tmp_path) as (server, _), stream(server.stream_url) as peer:
        await greeted(peer)
        store = server.bridge.store
        await store.flush()
        giving = asyncio.create_task(elsewhere(server, store).give(peer.call_sid, HangUp()))
        taken: list[object] = []
        while not taken:
            await asyncio.sleep(0.01)
            now = server.bridge.services.wall_clock()
            taken = [*await store.orders.take({peer.call_sid}, "me", now)]
        assert await giving is Refusal.UNCERTAIN


async def test_what_a_process_left_that_died_is_removed(tmp_path: Path) -> None:
    """An order holds words for a caller; one that was given just now stays."""
    async with operated(tmp_path) as (server, _):
        rows, now = server.bridge.store.orders, server.bridge.services.wall_clock()
        left = [
            await rows.give("c", "say", {"text": LINE}, now, now - age)
            for age in (module.LEFT * 2, module.LEFT / 2)
        ]
        await rows.answer(left[0], "speaking")
        await rows.answer(left[1], "speaking")

        async def is_gone() -> bool:
            return await rows.result(left[0]) is None

        async with at_home(server).watching():
            await until(is_gone)
        assert await rows.result(left[1]) == "speaking"


def test_the_templates_of_these_tests_have_a_target() -> None:
    """Else a transfer to nobody would pass."""
    assert SALES in BOT
