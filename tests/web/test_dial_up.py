"""``/exotel/dial-up`` over real sockets: each contract, each attempt, and what is whispered."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exobridge.call import events
from exobridge.call.events import CallEvent, Decision, EndedBy, EventKind, Role, Turn
from exobridge.call.outcome import Outcome
from exobridge.call.transfer_state import TransferStatus
from exobridge.exotel.connect import Contract
from exobridge.exotel.passthru import PassthruParams, read_passthru
from exobridge.observe.watch import Watchers
from exobridge.recorder import StoreRecorder
from exobridge.routing import Applications
from exobridge.store import Store
from exobridge.transfer.lookup import Lookup
from exobridge.transfer.pending import Nobody
from exobridge.transfer.service import Transfers
from exobridge.transfer.whispers import Whispers
from exobridge.web.whisper import GOOD_FOR, WhisperTokens
from exobridge_codecs.wav import parse_wav
from exobridge_providers.dialogue.webhook_signature import signed
from exobridge_providers.testing.fake_http import FakeHttp, Reply
from tests.server import Server, bot, http_client, serving, until
from tests.test_waits import held

SECRET = "a-secret-of-the-tests"
ASHA, RAVI, MEENA = "+919811122233", "+919811122244", "+919811122255"
CALLER, EXOPHONE = "09811100000", "08047112233"
ASK = {"CallFrom": CALLER, "CallTo": EXOPHONE, "Direction": "incoming"}
VERSION = {"Exotel-Version": "1.0"}
SUPPORT = {"support": {"numbers": [ASHA, RAVI, MEENA]}}
AUDIBLE = {"target": "support", "targets": SUPPORT, "whisper": "audio"}


def transfer(**keys: Any) -> dict[str, str]:
    """Templates with one that hands over to support."""
    return {"default": bot(transfer={"target": "support", "targets": SUPPORT, **keys})}


@asynccontextmanager
async def dialling(
    folder: Path, templates: dict[str, str] | None = None, **variables: Any
) -> AsyncGenerator[tuple[Server, httpx.AsyncClient]]:
    """A server and a client of it."""
    async with (
        serving(folder, templates or transfer(), **variables) as server,
        http_client(server.url) as http,
    ):
        yield server, http


def handed_over(
    call_sid: str = "c",
    *,
    target: str = "",
    summary: str = "",
    ago: float = 2,
    number: int = 1,
) -> list[CallEvent]:
    """The bot has talked with a caller, in the call's stream of this number, and hands them over:
    the facts, the one that says so last but one."""
    now = datetime.now(UTC) - timedelta(seconds=ago)
    begun, stream_sid = now - timedelta(seconds=1), f"s{number}"
    return [
        events.answer(
            call_sid,
            begun - timedelta(seconds=1),
            decision=Decision.ACCEPT,
            template="default",
            caller="+919811100000",
            called="+918047112233",
            direction="incoming",
        ),
        events.stream_started(call_sid, begun, stream_sid=stream_sid, template="default"),
        events.transfer_requested(
            call_sid, now, stream_sid=stream_sid, utterance="turn-3", target=target, summary=summary
        ),
        events.stream_ended(call_sid, now, stream_sid=stream_sid, ended_by=EndedBy.BOT),
    ]


async def hand_over(server: Server, call_sid: str = "c", **how: Any) -> CallEvent:
    """As :func:`handed_over`, kept; the event that says so."""
    facts = handed_over(call_sid, **how)
    for event in facts:
        await server.bridge.store.append(event)
    return facts[-2]


async def ask(http: httpx.AsyncClient, call_sid: str = "c", **told: str) -> dict[str, Any]:
    """The answer to a programmable Connect."""
    asked = {**ASK, "CallSid": call_sid, **told}
    answer = await http.get("/exotel/dial-up", params=asked, headers=VERSION)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    return body


def numbers(body: dict[str, Any]) -> list[str]:
    """Whom to dial."""
    return list(body["destination"]["numbers"])


async def questions(server: Server, call_sid: str = "c") -> list[dict[str, Any]]:
    """What the record has of them."""
    await server.bridge.store.flush()
    known = await server.bridge.store.events(call_sid)
    return [dict(event.data) for event in known if event.kind is EventKind.DIAL_ASKED]


async def becomes(server: Server, call_sid: str = "c") -> tuple[TransferStatus, Outcome | None]:
    """What the record says of the transfer, and of the call."""
    await server.bridge.store.flush()
    call = await server.bridge.store.call(call_sid)
    assert call is not None
    assert call.transfer is not None
    return call.transfer.status, call.outcome


async def test_recordings_that_are_told_of_are_noted(tmp_path: Path) -> None:
    """The call's and the stream's, by whichever applet tells of them; the answer does not wait for
    that."""
    url = "https://recordings.invalid/{}.mp3?signature=hush"
    async with dialling(tmp_path) as (server, http):
        for path in ("/exotel/dial-up", "/exotel/dial-up/passthru"):
            call_sid = path.rpartition("/")[2]
            told = {"CallSid": call_sid, "RecordingUrl": url.format(call_sid)}
            stream = {"Stream[StreamSID]": "s", "Stream[RecordingUrl]": url.format("stream")}
            await http.get(path, params={**ASK, **told, **stream})
            expected = {
                call_sid: url.format(call_sid),
                f"{call_sid}:s": url.format("stream"),
            }

            async def are_noted(
                call_sid: str = call_sid, expected: dict[str, str] = expected
            ) -> bool:
                jobs = await server.bridge.store.jobs.listed(call_sid=call_sid)
                return {job.key: job.payload["url"] for job in jobs} == expected

            await until(are_noted)


# ------------------------------------------------------------------ the contracts

WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "version": ("", {"headers": VERSION}),
    "query": ("?format=json", {}),
    "path": ("/json", {}),
    "pair-in-path": ("/format=json", {}),
    "accept": ("", {"headers": {"Accept": "application/json"}}),
    "post": ("", {"method": "POST", "data": ASK, "headers": VERSION}),
}


async def test_json_is_answered_however_it_is_asked_for(tmp_path: Path) -> None:
    """By header, query, path or ``Accept``; GET or POST."""
    async with dialling(tmp_path) as (server, http):
        for way, (path, how) in WAYS.items():
            await hand_over(server, way)
            url = f"/exotel/dial-up{path}{'&' if '?' in path else '?'}CallSid={way}"
            request: dict[str, Any] = {"method": "GET", "url": url, **how}
            answer = await http.request(**request)
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {
                "fetch_after_attempt": False,
                "destination": {"numbers": [ASHA, RAVI, MEENA]},
                "max_ringing_duration": 30,
                "max_conversation_duration": 3600,
                "dial_passthru_event_url": f"{server.url}/exotel/dial-events",
            }


async def test_text_is_answered_where_nothing_asks_for_json(tmp_path: Path) -> None:
    """Numbers and commas alone, by any spelling of the parameters, GET or POST."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told = {"CallSid": "c", "Callfrom": CALLER, "digits": '"1"'}
        for answer in (
            await http.get("/exotel/dial-up", params=told),
            await http.post("/exotel/dial-up", data=told),
            await http.get("/exotel/dial-up", params={**told, "format": "text"}, headers=VERSION),
        ):
            assert (answer.status_code, answer.text) == (200, f"{ASHA},{RAVI},{MEENA}")
            assert answer.headers["content-type"].startswith("text/plain")
        assert len(await questions(server)) == 1


@pytest.mark.parametrize(
    ("forced", "type_"), [("json", "application/json"), ("text", "text/plain")]
)
async def test_a_template_may_force_a_contract(tmp_path: Path, forced: str, type_: str) -> None:
    """Where an applet's request does not tell."""
    async with dialling(tmp_path, transfer(contract=forced)) as (server, http):
        await hand_over(server)
        for headers in ({}, VERSION):
            answer = await http.get("/exotel/dial-up?CallSid=c", headers=headers)
            assert answer.headers["content-type"].startswith(type_)


async def test_the_secret_may_stand_on_either_side_of_the_format(tmp_path: Path) -> None:
    """And in the query; ``passthru`` is no secret; without it, 403."""
    async with dialling(tmp_path, EXOBRIDGE_SECRET=SECRET) as (server, http):
        await hand_over(server)
        for path in (
            f"/{SECRET}",
            f"/{SECRET}/json",
            f"/json/{SECRET}",
            f"/format=json/{SECRET}",
            f"/passthru/{SECRET}",
        ):
            assert (await http.get(f"/exotel/dial-up{path}?CallSid=c")).status_code == 200, path
        assert (await http.get(f"/exotel/dial-up?CallSid=c&auth_token={SECRET}")).status_code == 200
        for path in ("", "/json", "/wrong", "/passthru", "/passthru/wrong", "/wrong/json"):
            assert (await http.get(f"/exotel/dial-up{path}?CallSid=c")).status_code == 403, path
        assert (await http.get("/exotel/dial-events?CallSid=c")).status_code == 403


async def test_what_names_no_call_is_told_so(tmp_path: Path) -> None:
    """A 400 of ours, whatever it asks for."""
    async with dialling(tmp_path) as (_, http):
        for path in ("dial-up", "dial-up/json", "dial-up/passthru", "dial-events"):
            answer = await http.get(f"/exotel/{path}", params={"CallSid": "null"})
            assert (answer.status_code, answer.json()["error"]) == (400, "bad-request")


async def test_the_answer_says_what_the_template_says(tmp_path: Path) -> None:
    """Every key that it may set."""
    own = transfer(
        record=True,
        recording_channels="dual",
        ring_seconds=45,
        talk_seconds=1200,
        music="https://www.example.com/a.wav",
        outgoing_number="08047112244",
        targets={"support": {"numbers": [ASHA, RAVI], "parallel": 2}},
    )
    async with dialling(
        tmp_path, own, EXOBRIDGE_PUBLIC_URL="https://bot.example.com/x/", EXOBRIDGE_SECRET=SECRET
    ) as (server, http):
        await hand_over(server)
        answer = await http.get(f"/exotel/dial-up/{SECRET}/json?CallSid=c")
        assert answer.json() == {
            "fetch_after_attempt": False,
            "destination": {"numbers": [ASHA, RAVI]},
            "outgoing_phone_number": "+918047112244",
            "record": True,
            "recording_channels": "dual",
            "max_ringing_duration": 45,
            "max_conversation_duration": 1200,
            "music_on_hold": {"type": "custom_tone", "value": "https://www.example.com/a.wav"},
            "parallel_ringing": {"activate": True, "max_parallel_attempts": 2},
            "dial_passthru_event_url": f"https://bot.example.com/x/exotel/dial-events/{SECRET}",
        }


# ------------------------------------------------------------------ nobody

NOBODY: dict[str, Any] = {"fetch_after_attempt": False, "destination": {"numbers": []}}


@pytest.mark.parametrize(("setting", "status"), [("empty", 200), ("404", 404)])
async def test_without_a_transfer_nobody_is_dialled(
    tmp_path: Path, setting: str, status: int
) -> None:
    """An empty list, an empty text or 404, and 302 for a Passthru; an unknown call is not kept."""
    async with dialling(tmp_path, transfer(no_transfer=setting)) as (server, http):
        assert await ask(http) == NOBODY
        plain = await http.get("/exotel/dial-up?CallSid=c")
        assert (plain.status_code, plain.text) == (status, "")
        branch = await http.get("/exotel/dial-up/passthru?CallSid=c")
        assert branch.status_code == 302
        assert "location" not in branch.headers
        assert server.log("webhook")[0]["outcome"] == "nobody no-transfer"
        assert await questions(server) == []


async def test_an_expired_transfer_is_none(tmp_path: Path) -> None:
    """After ``expires_seconds``, for each contract; the record says why."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        await hand_over(server, ago=11)
        await hand_over(server, "fresh", ago=8)
        assert await ask(http) == NOBODY
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
        assert (await http.get("/exotel/dial-up/passthru?CallSid=fresh")).status_code == 200
        assert await ask(http, DialCallStatus="no-answer") == NOBODY
        assert [each["reason"] for each in await questions(server)] == ["expired"]
        assert await becomes(server) == (TransferStatus.FAILED, Outcome.UNANSWERED)


@pytest.mark.parametrize(
    ("how", "reason"), [({"ago": 11}, "expired"), ({"target": "sales"}, "unknown-target")]
)
async def test_a_passthru_that_sends_the_caller_away_ends_the_transfer(
    tmp_path: Path, how: dict[str, Any], reason: str
) -> None:
    """No Connect applet asks after it: the record says that nobody was had, and why."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        await hand_over(server, **how)
        for _ in range(2):
            assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
            asked = await questions(server)
            assert [(each["reason"], each["contract"]) for each in asked] == [(reason, "passthru")]
        assert await becomes(server) == (TransferStatus.FAILED, Outcome.UNANSWERED)


async def test_a_question_that_comes_late_says_nothing_of_who_was_dialled(tmp_path: Path) -> None:
    """A human may have taken the call, and nothing but this question come of it."""
    async with dialling(tmp_path, transfer(expires_seconds=10)) as (server, http):
        request = await hand_over(server, ago=300)
        asked = events.dial_asked(
            "c",
            request.at + timedelta(seconds=1),
            transfer=request.key,
            attempt=1,
            numbers=[ASHA],
            contract="text",
        )
        await server.bridge.store.append(asked)
        assert await ask(http) == NOBODY
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 302
        assert await becomes(server) == (TransferStatus.DIALLING, Outcome.TRANSFERRED)


HUNG_UP = {"CallType": "client-hangup"}
OVER: dict[str, tuple[str, dict[str, str]]] = {
    "passthru": ("/exotel/passthru", HUNG_UP),
    "dial-up/passthru": ("/exotel/dial-up/passthru", HUNG_UP),
    "callback": ("/exotel/callback/status", {"Status": "completed"}),
}


@pytest.mark.parametrize("way", OVER)
async def test_for_a_caller_who_is_gone_nobody_is_dialled(tmp_path: Path, way: str) -> None:
    """Whoever told of it, before anybody was dialled or after."""
    path, told = OVER[way]
    async with dialling(tmp_path) as (server, http):
        for call_sid in ("early", "late"):
            await hand_over(server, call_sid)
            if call_sid == "late":
                assert numbers(await ask(http, call_sid)) == [ASHA, RAVI, MEENA]
            first = await http.post(path, data={**ASK, "CallSid": call_sid, **told})
            assert first.status_code == (302 if way == "dial-up/passthru" else 200)
            await server.bridge.store.flush()
            assert await ask(http, call_sid) == NOBODY
            query = {"CallSid": call_sid}
            branch = await http.get("/exotel/dial-up/passthru", params=query)
            assert branch.status_code == 302


async def test_who_hangs_up_while_dialled_is_not_dialled_for_again(tmp_path: Path) -> None:
    """The question itself tells it."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        assert await ask(http, **HUNG_UP) == NOBODY
        assert server.log("webhook")[-1]["outcome"] == "nobody over"


async def test_a_target_that_cannot_be_had_dials_nobody(tmp_path: Path) -> None:
    """One that is not known, and a number that the template does not allow."""
    async with dialling(tmp_path) as (server, http):
        for call_sid, target in (("a", "sales"), ("b", "+14155552671")):
            await hand_over(server, call_sid, target=target)
            assert (
                await http.get(f"/exotel/dial-up/passthru?CallSid={call_sid}")
            ).status_code == 302
            assert await ask(http, call_sid) == NOBODY
            assert [each["reason"] for each in await questions(server, call_sid)] == [
                "unknown-target"
            ]


async def test_a_passthru_before_the_connect_tells_the_way(tmp_path: Path) -> None:
    """200 while a transfer is pending, 302 when somebody was reached; what it tells is kept."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        asked = {**ASK, "CallSid": "c", "CallType": "completed"}
        assert (await http.post("/exotel/dial-up/passthru", data=asked)).status_code == 200
        await ask(http)
        asked |= {"DialCallStatus": "completed", "DialWhomNumber": ASHA}
        await http.get("/exotel/dial-up/passthru", params=asked)
        await server.bridge.store.flush()
        assert (await http.get("/exotel/dial-up/passthru", params=asked)).status_code == 302
        assert await ask(http) == NOBODY
        kept = await server.bridge.store.events("c")
        assert [event.data.get("dial_status") for event in kept if event.kind == "passthru"] == [
            None,
            "completed",
        ]


async def test_a_template_that_names_nobody_leaves_it_to_the_flow(tmp_path: Path) -> None:
    """The Passthru leads to a Connect applet with numbers of its own."""
    async with dialling(tmp_path, {"default": bot()}) as (server, http):
        await hand_over(server, target="support")
        assert (await http.get("/exotel/dial-up/passthru?CallSid=c")).status_code == 200
        assert (await http.get("/exotel/dial-up/passthru?CallSid=d")).status_code == 302
        assert await ask(http) == NOBODY


# ------------------------------------------------------------------ attempts


async def test_twenty_identical_questions_have_one_answer(tmp_path: Path) -> None:
    """One event, one count, one set of numbers; the next call gets the next agent."""
    targets = {"support": {"numbers": [ASHA, RAVI, MEENA], "order": "rotate", "attempts": 2}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        seen: list[list[str]] = []
        for call_sid in ("a", "b", "c", "d"):
            await hand_over(server, call_sid)
            answers = await asyncio.gather(*(ask(http, call_sid) for _ in range(20)))
            assert all(answer == answers[0] for answer in answers)
            assert answers[0]["fetch_after_attempt"] is True
            seen.append(numbers(answers[0]))
            assert len(await questions(server, call_sid)) == 1
        assert seen == [[ASHA], [RAVI], [MEENA], [ASHA]]


async def test_two_workers_give_one_answer(tmp_path: Path) -> None:
    """Each with its own connections to the database, ten questions at a time."""
    targets = {"support": {"numbers": [ASHA, RAVI, MEENA], "order": "rotate"}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        other = await Store.open(server.bridge.settings.database_url.get_secret_value())
        try:
            transfers = second_worker(server, other)
            for number in range(3):
                call_sid = f"c{number}"
                await hand_over(server, call_sid)
                params = read(call_sid)
                here = [ask(http, call_sid) for _ in range(10)]
                there = [transfers.dial(each, lambda _: Contract.JSON) for each in params]
                told, dialled = await asyncio.gather(asyncio.gather(*here), asyncio.gather(*there))
                sets = {*(tuple(numbers(each)) for each in told), *(d.numbers for d in dialled)}
                assert len(sets) == 1
                assert len(await questions(server, call_sid)) == 1
                assert next(iter(sets))[0] == [ASHA, RAVI, MEENA][number]
        finally:
            await other.aclose()


async def test_who_was_busy_is_followed_by_the_next(tmp_path: Path) -> None:
    """Until nobody is left; each question may come twice; what Exotel tells is kept."""
    targets = {"support": {"numbers": [ASHA, RAVI], "attempts": 2}}
    async with dialling(tmp_path, transfer(targets=targets)) as (server, http):
        await hand_over(server)
        first = await ask(http)
        assert (numbers(first), first["fetch_after_attempt"]) == ([ASHA], True)
        busy = {"DialCallStatus": "busy", "DialWhomNumber": "09811122233"}
        for _ in range(2):
            second = await ask(http, **busy)
            assert (numbers(second), second["fetch_after_attempt"]) == ([RAVI], False)
        silent = {"DialCallStatus": "no-answer", "DialWhomNumber": "09811122244"}
        for _ in range(2):
            assert await ask(http, **silent) == NOBODY
        kept = await questions(server)
        assert [(each["attempt"], each["reason"]) for each in kept] == [
            (1, ""),
            (2, ""),
            (3, "exhausted"),
        ]
        known = await server.bridge.store.events("c")
        told = [event.data["dial_status"] for event in known if event.kind is EventKind.PASSTHRU]
        assert told == ["busy", "no-answer"]
        branch = await http.get("/exotel/dial-up/passthru?CallSid=c")
        assert branch.status_code == 302


async def test_the_text_contract_is_told_who_is_left(tmp_path: Path) -> None:
    """Each number is tried once; then the flow goes on, and no fallback URL is asked."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told: list[str] = []
        for whom in ("", ASHA, RAVI, MEENA):
            asked = {
                "CallSid": "c",
                "DialCallStatus": "busy" if whom else "",
                "DialWhomNumber": whom,
            }
            answer = await http.get("/exotel/dial-up", params=asked)
            assert answer.status_code == 200
            told.append(answer.text)
        assert told == [f"{ASHA},{RAVI},{MEENA}", f"{RAVI},{MEENA}", MEENA, ""]


async def test_a_second_transfer_begins_anew(tmp_path: Path) -> None:
    """Nobody answered, the bot goes on and hands over again; Exotel still tells of the first."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server, ago=60)
        assert numbers(await ask(http)) == [ASHA, RAVI, MEENA]
        failed = {"DialCallStatus": "no-answer", "DialWhomNumber": MEENA}
        assert await ask(http, **failed) == NOBODY
        await hand_over(server, target=RAVI, number=2, ago=0)
        assert numbers(await ask(http, **failed)) == [RAVI]


async def test_a_caller_who_is_back_with_the_bot_is_not_dialled_for(tmp_path: Path) -> None:
    """A second stream of the call has begun, or the call has ended."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server, "back")
        await hand_over(server, "gone")
        now = datetime.now(UTC)
        await server.bridge.store.append(events.stream_started("back", now, stream_sid="s2"))
        await server.bridge.store.append(
            events.status("gone", now, status="completed", event_type="terminal", data={})
        )
        for call_sid, reason in (("back", "resumed"), ("gone", "over")):
            assert await ask(http, call_sid) == NOBODY
            assert [each["reason"] for each in await questions(server, call_sid)] == [reason]


# ------------------------------------------------------------------ dial events


async def test_dial_events_are_kept(tmp_path: Path) -> None:
    """Any subset, GET or POST, repeated once; what is no known event is passed over."""
    async with dialling(tmp_path) as (server, http):
        await hand_over(server)
        told = {
            **ASK,
            "CallSid": "c",
            "DialWhomNumber": "09811122233",
            "AgentEmail": "a@example.com",
        }
        ringing = {**told, "EventType": "Ringing", "Status": "busy", "CurrentTime": "x"}
        for answer in (
            await http.get("/exotel/dial-events", params=ringing),
            await http.get("/exotel/dial-events", params=ringing),
            await http.post("/exotel/dial-events", data={**told, "EventType": "Answered"}),
            await http.get("/exotel/dial-events", params={**told, "EventType": "Sneezed"}),
            await http.get("/exotel/dial-events", params=told),
        ):
            assert (answer.status_code, answer.text) == (200, "")
        await server.bridge.store.flush()
        known = await server.bridge.store.events("c")
        kept = [dict(event.data) for event in known if event.kind is EventKind.DIAL]
        assert kept == [
            {"event_type": "Ringing", "number": ASHA, "status": "busy"},
            {"event_type": "Answered", "number": ASHA, "status": ""},
        ]
        outcomes = [entry["outcome"] for entry in server.log("webhook")]
        assert outcomes == ["ringing", "ringing", "answered", "ignored", "ignored"]
        assert await ask(http) == NOBODY  # somebody has the caller


# ------------------------------------------------------------------ whispers


async def test_a_text_is_whispered(tmp_path: Path) -> None:
    """The dialogue's summary, as the template puts it; each key has its place."""
    own = transfer(whisper="text", whisper_text="Call from {caller}. {summary}", playback_to="both")
    async with dialling(tmp_path, own) as (server, http):
        await hand_over(server, summary="Wants\na refund.")
        assert (await ask(http))["start_call_playback"] == {
            "playback_to": "both",
            "type": "text",
            "value": "Call from 9 8 1 1 1 0 0 0 0 0. Wants a refund.",
        }


async def test_without_a_summary_the_callers_words_are_whispered(tmp_path: Path) -> None:
    """Without any, nothing is."""
    async with dialling(tmp_path, transfer(whisper="text")) as (server, http):
        await hand_over(server)
        await hand_over(server, "mute")
        for number, words in enumerate(("I was billed twice", "In October."), start=1):
            await server.bridge.store.add_turn(
                Turn("c", "s1", number, Role.CALLER, words, number * 1000, number * 1000 + 500)
            )
        playback = (await ask(http))["start_call_playback"]
        assert playback["value"] == "I was billed twice. In October."
        assert "start_call_playback" not in await ask(http, "mute")


async def test_audio_is_whispered_by_a_url_of_its_own(tmp_path: Path) -> None:
    """A WAV as Exotel wants it, without the secret; the same for a repeated question, another for
    another call; by another name there is none."""
    own = transfer(whisper="audio")
    async with dialling(tmp_path, own, EXOBRIDGE_SECRET=SECRET) as (server, http):
        urls: list[str] = []
        for call_sid in ("c", "c", "d"):
            await hand_over(server, call_sid, summary="Wants a refund.", ago=3)
            answer = await http.get(f"/exotel/dial-up/{SECRET}/json?CallSid={call_sid}")
            playback = answer.json()["start_call_playback"]
            assert (playback["playback_to"], playback["type"]) == ("callee", "audio_url")
            urls.append(playback["value"])
        assert urls[0] == urls[1] != urls[2]
        url = urlsplit(urls[0])
        assert urls[0].startswith(f"{server.url}/exotel/whisper/")
        assert url.path.endswith(".wav")
        assert SECRET not in urls[0]
        answer = await http.get(url.path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
        wav = parse_wav(answer.content)
        assert (wav.sample_rate, len(wav.channels)) == (8000, 1)
        assert wav.duration_ms == len("Wants a refund.") * 20
        assert (await http.head(url.path)).status_code == 200
        # Another letter within the signature: of its last one not all bits are read.
        name = url.path.split("/")[-1]
        forged = f"{name[:-10]}{'y' if name[-10] == 'x' else 'x'}{name[-9:]}"
        for wrong in ("x.wav", forged, "%ff.wav", "%20.wav"):
            assert (await http.get(f"/exotel/whisper/{wrong}")).status_code == 404, wrong


async def test_a_whisper_is_rendered_before_it_is_asked_for(tmp_path: Path) -> None:
    """As soon as the bot hands the caller over, where the template wants audio."""
    async with dialling(tmp_path, {"default": bot(transfer=AUDIBLE)}) as (server, _):
        prompts, recorder = server.bridge.services.prompts, server.bridge.services.recorder
        rendered = prompts.wanted["rendered"]
        for call_sid in ("c", "d"):
            *before, request, _ = handed_over(call_sid, summary=f"Summary of {call_sid}.")
            for event in before:
                await server.bridge.store.append(event)
            await recorder.append(request)
        template = server.bridge.templates["default"]
        for call_sid in ("c", "d"):
            said = f"Summary of {call_sid}."
            await until(lambda said=said: prompts.ready(template, said, 8000) is not None)
        assert prompts.wanted["rendered"] == rendered + 2


async def test_a_whisper_expires(tmp_path: Path) -> None:
    """The audio speaks of a caller, and is not for later."""
    async with dialling(tmp_path, transfer(whisper="audio", expires_seconds=900)) as (server, http):
        request = await hand_over(server, summary="Wants a refund.", ago=800)
        url = urlsplit(str((await ask(http))["start_call_playback"]["value"]))
        assert (await http.get(url.path)).status_code == 200
        tokens = WhisperTokens(None, lambda: request.at + GOOD_FOR)
        assert tokens.read(tokens.mint("c", request.key, request.at)) is None
        before = WhisperTokens(None, lambda: request.at + GOOD_FOR - timedelta(seconds=1))
        assert before.read(before.mint("c", request.key, request.at)) == ("c", request.key)


async def test_a_whisper_that_cannot_be_made_costs_no_transfer(tmp_path: Path) -> None:
    """The call is dialled without it."""
    own = {"default": bot(transfer=AUDIBLE, tts={"options": {"fault": "open"}})}
    async with dialling(tmp_path, own) as (server, http):
        await hand_over(server, summary="Wants a refund.")
        answer = await ask(http)
        assert numbers(answer) == [ASHA, RAVI, MEENA]
        assert "start_call_playback" not in answer


async def test_a_whisper_that_is_late_is_silence(tmp_path: Path) -> None:
    """Where a URL does not answer 200, Exotel would not dial."""
    own = {"default": bot(transfer=AUDIBLE, tts={"options": {"fault": "hang"}})}
    async with serving(tmp_path, own, preloaded=False) as server:
        request = await hand_over(server, summary="Wants a refund.")
        whispers = Whispers(
            store=server.bridge.store,
            prompts=server.bridge.services.prompts,
            templates=server.bridge.templates.get,
            hurry_seconds=0.1,
            render_seconds=0.1,
        )
        assert await whispers.is_audible(server.bridge.templates["default"], "Wants a refund.")
        wav = parse_wav(await whispers.wav("c", request.key))
        assert (wav.sample_rate, wav.duration_ms) == (8000, 500)
        assert not any(wav.mono())
        assert server.log("whisper not rendered", call_sid="c")
        await whispers.aclose()


# ------------------------------------------------------------------ the user's own system


def looked_up(http: FakeHttp, **keys: Any) -> dict[str, str]:
    """Templates with one that asks this server whom to dial."""
    return transfer(lookup={"url": f"{http.url}/whom", **keys}, allow_numbers="listed")


def reply(answer: object, **how: Any) -> Reply:
    """What the user's own system answers."""
    return Reply(parts=[json.dumps(answer).encode()], **how)


UNDECIDED = 4
"""Of these, answers that leave the dialogue's target without having failed."""
ANSWERS: list[tuple[Reply, list[str]]] = [
    (reply({"target": "+14155552671"}), ["+14155552671"]),
    (reply({"target": ["09811122255", ASHA]}), [MEENA, ASHA]),
    (reply({"target": "support"}), [ASHA, RAVI, MEENA]),
    (reply({"target": None}), []),
    (reply({"target": []}), []),
    (reply({"target": ""}), [RAVI]),
    (reply({}), [RAVI]),
    (Reply(404), [RAVI]),
    # What fails leaves the dialogue's own target.
    (Reply(500), [RAVI]),
    (reply({"target": "nobody-knows"}), [RAVI]),
    (reply({"target": 7}), [RAVI]),
    (Reply(parts=[b"[["]), [RAVI]),
    (Reply(parts=[b'{"target": "' + b"9" * 17_000 + b'"}']), [RAVI]),
    (Reply(drop="head"), [RAVI]),
    # The fake frames a 204 wrongly, so its connection cannot be used again.
    (Reply(204), [RAVI]),
]


async def test_the_users_own_system_says_whom_to_dial(tmp_path: Path) -> None:
    """A name, numbers, nobody, or nothing; what fails leaves the dialogue's target."""
    async with (
        FakeHttp().listening() as system,
        dialling(tmp_path, looked_up(system, timeout_ms=4000)) as (server, http),
    ):
        for number, (answer, dialled) in enumerate(ANSWERS):
            system.replies["/whom"] = [answer]
            call_sid = f"c{number}"
            await hand_over(server, call_sid, target=RAVI, summary="Wants a refund.")
            before = await http.get(f"/exotel/dial-up/passthru?CallSid={call_sid}")
            assert before.status_code == 200
            answers = await asyncio.gather(*(ask(http, call_sid) for _ in range(5)))
            assert [numbers(each) for each in answers] == [dialled] * 5, answer
            assert len(await questions(server, call_sid)) == 1
        failed = server.log("transfer lookup failed")
        assert {each["template"] for each in failed} == {"default"}
        assert len(failed) == sum(dialled == [RAVI] for _, dialled in ANSWERS) - UNDECIDED


async def test_the_users_own_system_is_not_waited_for_longer_than_the_template_says(
    tmp_path: Path,
) -> None:
    """The dialogue's target is dialled, and the log says why."""
    async with (
        FakeHttp().listening() as system,
        dialling(tmp_path, looked_up(system, timeout_ms=100)) as (server, http),
    ):
        system.replies["/whom"] = [Reply(delay_seconds=60)]
        await hand_over(server, target=RAVI)
        assert numbers(await ask(http)) == [RAVI]
        assert server.log("transfer lookup failed", error="no answer within 100 ms")


async def test_the_users_own_system_is_told_who_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed; asked once for an attempt, and told how the one before went."""
    monkeypatch.setenv("DIAL_SECRET", "a-key-to-sign-with")
    async with FakeHttp().listening() as system:
        system.replies["/whom"] = [reply({"target": [ASHA]}), reply({"target": [RAVI]})]
        own = looked_up(system, secret_env="DIAL_SECRET")
        async with dialling(tmp_path, own) as (server, http):
            await hand_over(server, target="support", summary="Wants a refund.")
            assert numbers(await ask(http)) == [ASHA]
            assert numbers(await ask(http)) == [ASHA]
        (asked,) = system.of("/whom")
        assert asked.json() == {
            "version": 1,
            "event": "dial",
            "call_sid": "c",
            "template": "default",
            "caller": "+919811100000",
            "called": "+918047112233",
            "custom_field": "",
            "target": "support",
            "summary": "Wants a refund.",
            "attempt": 1,
            "dial_status": "",
            "dialled": None,
        }
        sent = asked.headers
        proof = signed(
            b"a-key-to-sign-with", sent["webhook-id"], int(sent["webhook-timestamp"]), asked.body
        )
        assert sent["webhook-signature"] == proof["webhook-signature"]


# ------------------------------------------------------------------ trouble


@asynccontextmanager
async def troubled(
    folder: Path, server: Server
) -> AsyncGenerator[tuple[Store, Path, Transfers, PassthruParams]]:
    """A worker with little patience, its database, and a question."""
    database = folder / "calls.sqlite3"
    store = await Store.open(f"sqlite+aiosqlite:///{database}")
    transfers = second_worker(server, store, store_seconds=0.1)
    try:
        await store.ping()
        yield store, database, transfers, read("c", 1)[0]
    finally:
        await transfers.aclose()
        await store.aclose()


async def test_a_database_that_does_not_answer_costs_no_transfer(tmp_path: Path) -> None:
    """The template's own target is dialled: who comes this far asked for a human. After a failure
    nobody is, so that no flow goes round in a circle."""
    async with (
        dialling(tmp_path) as (server, _),
        troubled(tmp_path, server) as (_, database, transfers, params),
    ):
        with held(database):
            first = await transfers.dial(params, lambda _: Contract.JSON)
            assert (first.numbers, first.again) == ((ASHA, RAVI, MEENA), False)
            assert await transfers.is_pending(params) is None
            failed = replace(params, dial_status="busy", dial_whom=MEENA)
            nobody = await transfers.dial(failed, lambda _: Contract.JSON)
            assert (nobody.numbers, nobody.reason) == ((), "no-record")
            assert await transfers.is_pending(failed) is Nobody.NO_RECORD
            gone = replace(params, call_type="client-hangup")
            assert (await transfers.dial(gone, lambda _: Contract.JSON)).numbers == ()
        assert {entry["error"] for entry in server.log("call not looked up")} == {
            "no answer in time"
        }


async def test_an_answer_that_cannot_be_kept_is_given(tmp_path: Path) -> None:
    """The record can be read and not written; the caller does not wait for that."""
    async with (
        dialling(tmp_path) as (server, _),
        troubled(tmp_path, server) as (store, database, transfers, params),
    ):
        for event in handed_over(target=RAVI):
            await store.append(event)
        with sqlite3.connect(database, isolation_level=None, check_same_thread=False) as writing:
            await asyncio.to_thread(writing.execute, "BEGIN IMMEDIATE")
            dial = await transfers.dial(params, lambda _: Contract.JSON)
            writing.execute("ROLLBACK")
        writing.close()
        assert (dial.numbers, dial.attempt) == ((RAVI,), 1)
        assert server.log("dialling not recorded", error="no answer in time")


NAMES = st.sampled_from(
    ["CallSid", "CallFrom", "DialCallStatus", "DialWhomNumber", "EventType", "format", "Legs[0]"]
)
PAIRS = st.lists(
    st.tuples(
        NAMES | st.text(max_size=8),
        st.text(max_size=20) | st.sampled_from(["c", "busy", "completed", ASHA, "json", "null"]),
    ),
    max_size=8,
)
PATHS = st.sampled_from(
    ["dial-up", "dial-up/json", "dial-up/passthru", "dial-events", "whisper/x.wav", "dial-up/x/y"]
)


async def test_nothing_that_comes_in_is_a_500(tmp_path: Path) -> None:
    """Any parameters to any of these: 200, 302 or a 4xx, and no error in the log."""
    async with dialling(tmp_path, transfer(whisper="text", no_transfer="404")) as (server, _):
        await hand_over(server)

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(PATHS, PAIRS, st.booleans(), st.sampled_from(["1.0", "", "x"]))
        def check(path: str, pairs: list[tuple[str, str]], posts: bool, version: str) -> None:
            query = urlencode(pairs, errors="surrogatepass")
            url = f"{server.url}/exotel/{path}"
            with httpx.Client(trust_env=False, verify=False) as client:
                headers = {"Exotel-Version": version}
                form = {**headers, "content-type": "application/x-www-form-urlencoded"}
                if posts:
                    answer = client.post(url, content=query, headers=form)
                else:
                    answer = client.get(f"{url}?{query}", headers=headers)
            assert answer.status_code in (200, 302, 400, 403, 404, 405)

        await asyncio.to_thread(check)
        assert server.log(level="error") == []


def second_worker(server: Server, store: Store, store_seconds: float = 10.0) -> Transfers:
    """Another process's, on the same database."""
    return Transfers(
        desk=server.bridge.desk,
        store=store,
        recorder=StoreRecorder(store),
        watchers=Watchers(),
        lookup=Lookup(Applications()),
        clock=lambda: datetime.now(UTC),
        store_seconds=store_seconds,
    )


def read(call_sid: str, times: int = 10) -> Sequence[PassthruParams]:
    """Questions about a call, each its own."""
    return [read_passthru([*ASK.items(), ("CallSid", call_sid)]) for _ in range(times)]
