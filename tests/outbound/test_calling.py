"""Calls that a server places, from the wish to the end, with the account's stand-in as Exotel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exobridge.call.events import Role
from exobridge.call.outcome import Outcome
from exobridge.server.drain import Drain
from exobridge.simulator.account import serve
from exobridge.simulator.customers import Doing
from exobridge.simulator.light_stream import light_stream
from exobridge.simulator.wire import Identity
from tests.outbound.calling import ASHA, EXOPHONE, SECRET, called, calling, done
from tests.server import Server, until

PATIENT = Doing(talk_seconds=3.0)
"""Somebody who answers, and hears the greeting even where the machine is loaded."""


async def said_first(server: Server, call_sid: str) -> str:
    """The bot's first words in a call that is over."""
    await server.until_over(call_sid)
    said = await server.bridge.store.turns(call_sid)
    return next(turn.text for turn in said if turn.role is Role.BOT)


@pytest.mark.parametrize("mode", ["flow", "stream"])
async def test_a_call_is_placed_and_greets_by_name(tmp_path: Path, mode: str) -> None:
    """Through a flow or straight to the bot, whoever answers is greeted with the variables of the
    wish."""
    async with calling(tmp_path, lambda number, nth: PATIENT) as (server, people, api):
        dial = await called(api, mode=mode, variables={"name": "Asha", "not_declared": "yes"})
        told = await done(api, dial)
        assert (told["outcome"], told["attempts"]) == ("answered", 1)
        assert [each["call_sid"] for each in told["calls"]] == [told["call_sid"]]
        call = await server.until_over(told["call_sid"])
        assert (call.caller, call.called, call.direction) == (ASHA, EXOPHONE, "outgoing")
        assert (call.outcome, call.placed.dial) == (Outcome.COMPLETED, dial["id"])
        assert await said_first(server, call.call_sid) == "Hello Asha."
        assert people.asked[ASHA] == 1


async def test_a_call_that_is_heard_of_before_its_answer(tmp_path: Path) -> None:
    """The request for it blocks, and the call is answered meanwhile: its webhook tells whose it
    is, and it is greeted as one that is known."""
    async with calling(tmp_path, lambda number, nth: PATIENT) as (server, people, api):
        people.account.connect_seconds = 2.0
        dial = await called(api, variables={"name": "Asha"})
        await until(lambda: bool(people.calls) and people.calls[0].ended is not None)
        (attempt,) = (await api.get(f"/api/v1/dials/{dial['id']}")).json()["calls"]
        assert attempt["call_sid"] == people.calls[0].call_sid
        assert await said_first(server, attempt["call_sid"]) == "Hello Asha."
        assert (await done(api, dial))["outcome"] == "answered"


async def test_a_static_stream_that_comes_before_its_answer(tmp_path: Path) -> None:
    """A flow with a static URL tells nothing of the dial: it is known by whom is being called."""
    async with calling(tmp_path, lambda number, nth: PATIENT) as (server, people, api):
        people.account.connect_seconds = 2.0
        people.stream_url = f"{server.stream_url}/{SECRET}"
        dial = await called(api, variables={"name": "Asha"})
        await until(lambda: bool(people.calls) and people.calls[0].ended is not None)
        (attempt,) = (await api.get(f"/api/v1/dials/{dial['id']}")).json()["calls"]
        assert attempt["call_sid"] == people.calls[0].call_sid
        assert await said_first(server, attempt["call_sid"]) == "Hello Asha."
        assert (await done(api, dial))["outcome"] == "answered"


async def test_a_server_that_stops_answers_whose_telephone_rings(tmp_path: Path) -> None:
    """It has no other call, and waits for this one, which is answered, greeted and held."""
    does = Doing(ring_seconds=1.5)
    async with calling(tmp_path, lambda number, nth: does) as (server, people, api):
        await called(api, variables={"name": "Asha"})
        await until(lambda: bool(people.calls))
        assert server.bridge.desk.calls_left == 0
        await Drain(server.bridge, 20).run()
        assert await said_first(server, people.calls[0].call_sid) == "Hello Asha."
        assert (await server.kept(people.calls[0].call_sid)).outcome is Outcome.COMPLETED


@pytest.mark.parametrize("api_does", ["hangs", "resets", "breaks"])
async def test_a_call_whose_placing_was_not_told_is_placed_once(
    tmp_path: Path, api_does: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the request is lost, at once or after a wait, and the call tells of itself."""
    monkeypatch.setattr(serve, "HANG_SECONDS", 1.5)
    does = Doing("busy", api=api_does, placed=True)
    async with calling(tmp_path, lambda number, nth: does, attempts=1) as (server, people, api):
        told = await done(api, await called(api))
        assert told["outcome"] == "busy"
        assert told["call_sid"] == people.calls[0].call_sid
        assert (people.asked[ASHA], len(people.calls)) == (1, 1)
        call = await server.kept(told["call_sid"])
        assert (call.placed.dial, call.caller) == (told["id"], ASHA)


async def test_what_exotel_refuses_is_told(tmp_path: Path) -> None:
    """In its own words, without the number."""
    does = Doing(api="refuses")
    async with calling(tmp_path, lambda number, nth: does) as (server, people, api):
        told = await done(api, await called(api))
        assert (told["outcome"], people.calls) == ("refused", [])
        assert "may not be called" in told["error"]
        assert ASHA[3:] not in server.text.getvalue()


async def test_asked_twice_under_one_key_there_is_one_call(tmp_path: Path) -> None:
    """For another person the key is no good."""
    async with calling(tmp_path, lambda number, nth: Doing("busy")) as (_, people, api):
        headers = {"idempotency-key": "order-7"}
        asked = {"number": ASHA}
        answers = [
            await api.post("/api/v1/calls", json=asked, headers=headers),
            await api.post("/api/v1/calls", json={**asked, "key": "order-7"}),
            await api.post("/api/v1/calls", json={"number": "+919811122234"}, headers=headers),
            await api.post("/api/v1/calls", json={**asked, "key": "order-8"}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [201, 200, 409, 422]
        first = answers[0].json()
        assert answers[1].json()["id"] == answers[2].json()["dial_id"] == first["id"]
        assert (await done(api, first))["outcome"] == "busy"
        assert len(people.calls) == 1


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no-number": ({"number": "12"}, "bad-number", "number"),
    "own-number": ({"number": EXOPHONE}, "own-number", "number"),
    "template": ({"number": ASHA, "template": "defalt"}, "unknown-template", "template"),
    "caller-id": ({"number": ASHA, "caller_id": ASHA}, "unknown-caller-id", "caller_id"),
    "variables": ({"number": ASHA, "variables": {"No": ""}}, "bad-variables", "variables"),
}


async def test_who_cannot_be_called_is_not(tmp_path: Path) -> None:
    """The answer names the field and what is wrong with it, and nothing is kept."""
    async with calling(tmp_path, lambda number, nth: PATIENT) as (_, people, api):
        for body, kind, where in REFUSALS.values():
            answer = await api.post("/api/v1/calls", json=body)
            told = answer.json()
            assert (answer.status_code, told["reason"]) == (422, kind)
            assert told["errors"][0]["where"] == where
        assert (await api.get("/api/v1/dials")).json() == {"items": [], "next": None}
        assert not people.asked


async def test_dials_are_listed_and_cancelled(tmp_path: Path) -> None:
    """The newest first, a page at a time; a cancelled one is called no more."""
    later = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    async with calling(tmp_path, lambda number, nth: PATIENT) as (_, people, api):
        dials = [
            await called(api, number=f"+9198111222{index}0", not_before=later) for index in range(3)
        ]
        first = (await api.get("/api/v1/dials", params={"limit": 2})).json()
        query = {"limit": 2, "after": first["next"]}
        second = (await api.get("/api/v1/dials", params=query)).json()
        listed = [each["id"] for each in first["items"] + second["items"]]
        assert listed == [dial["id"] for dial in reversed(dials)]
        assert second["next"] is None
        path = f"/api/v1/dials/{dials[0]['id']}"
        for _ in range(2):
            assert (await api.delete(path)).json()["outcome"] == "cancelled"
        waiting = (await api.get("/api/v1/dials", params={"state": "waiting"})).json()
        assert len(waiting["items"]) == 2
        assert (await api.get("/api/v1/dials/none")).status_code == 404
        assert (await api.delete("/api/v1/dials/none")).status_code == 404
        assert not people.asked


async def test_the_token_of_a_dial_opens_no_other_stream(tmp_path: Path) -> None:
    """Whoever has seen the URL of a call's stream cannot open one of another call with it."""
    does = Doing(talk_seconds=1.0)
    async with calling(tmp_path, lambda number, nth: does) as (server, people, api):
        dial = await called(api, mode="stream")
        await until(lambda: bool(people.calls) and people.calls[0].streamed)
        identity = Identity("another-call", "s2", "acme1", "1", ASHA, EXOPHONE)
        assert await light_stream(people.calls[0].url, identity, seconds=5)
        assert server.log("stream refused", reason="the token is another call's")
        assert await server.bridge.store.call("another-call") is None
        assert (await done(api, dial))["outcome"] == "answered"
