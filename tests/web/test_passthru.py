"""``/exotel/passthru`` over real sockets: what is told is kept, and a branch is taken."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from exobridge.call.events import CallEvent, EventKind, transfer_requested
from exobridge.call.state import Outcome, State
from tests.peer import stream
from tests.server import BOT, IMPATIENT, Server, bot, http_client, serving, until
from tests.web.raw import ask_raw, requests

SECRET = "a-secret-of-the-tests"
ASK = {"CallFrom": "09811122233", "CallTo": "08047112233", "Direction": "incoming"}
PATH = "/exotel/passthru"
LEG = {
    "Number": "07200498123",
    "Type": "single",
    "OnCallDuration": "0",
    "CauseCode": "USER_BUSY",
    "Cause": "17",
}
STREAM = {
    "StreamSID": "s1",
    "Status": "completed",
    "Duration": "93",
    "StreamUrl": f"wss://exotel:{SECRET}@bot.example.com/exotel/stream/{SECRET}",
    "DisconnectedBy": "user",
}
RULES = {
    "routes": [
        {"name": "order", "when": {"digits": "1"}, "then": {"applet": "order-status"}},
        {"name": "other", "when": {"digits": "2"}, "then": {"branch": "b"}},
    ]
}


def client(server: Server) -> httpx.AsyncClient:
    """An HTTP client that the environment's proxies do not concern."""
    return http_client(server.url)


def bracketed(name: str, members: Mapping[str, str]) -> dict[str, str]:
    """A nested parameter as a form has it."""
    return {f"{name}[{member}]": value for member, value in members.items()}


@asynccontextmanager
async def locked(folder: Path) -> AsyncGenerator[None]:
    """Another process holds the database's lock for the length of the block."""
    (file,) = (folder / "data").glob("*.sqlite3")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def told(server: Server, call_sid: str) -> list[CallEvent]:
    """The passthru events that are kept of a call."""
    await server.bridge.store.flush()
    kept = await server.bridge.store.events(call_sid)
    return [event for event in kept if event.kind is EventKind.PASSTHRU]


# ------------------------------------------------------------------ what is told is kept

FORM = {**ASK, **bracketed("Legs[0]", LEG), **bracketed("Stream", STREAM)}
HOLDING = {**ASK, "Legs": json.dumps([LEG]), "Stream": json.dumps(STREAM)}
OBJECTS: dict[str, Any] = {**ASK, "Legs": [LEG], "Stream": {**STREAM, "Duration": 93}}
WAYS: dict[str, dict[str, Any]] = {
    "get": {"method": "GET", "params": {**FORM, "CallSid": "get"}},
    "form": {"method": "POST", "data": {**FORM, "CallSid": "form"}},
    "multi": {"method": "POST", "files": {n: (None, v) for n, v in FORM.items()}},
    "json": {"method": "POST", "json": {**OBJECTS, "CallSid": "json"}},
    "holding": {"method": "GET", "params": {**HOLDING, "CallSid": "holding"}},
    "lower": {
        "method": "POST",
        "data": {**ASK, **bracketed("legs[0]", LEG), **{n.lower(): v for n, v in STREAM.items()}},
    },
}


async def test_what_a_flow_tells_is_kept_however_it_comes(tmp_path: Path) -> None:
    """GET or POST; query, form, multipart or JSON, its objects or the keys in lower case: the legs
    and the stream are in the record, and who ended the stream."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server, client(server) as http:
        for call_sid, how in WAYS.items():
            query = {"CallSid": call_sid, **how.get("params", {}), "auth_token": SECRET}
            asked: dict[str, Any] = {**how, "params": query}
            answer = await http.request(url=PATH, **asked)
            assert (answer.status_code, answer.text) == (200, "")
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            (event,) = await told(server, call_sid)
            assert event.data["stream_sid"] == "s1"
            assert event.data["ended_by"] == "caller"
            assert event.data["stream"] == {
                "status": "completed",
                "seconds": 93,
                "error": "",
                "detailed_status": "",
            }
            assert event.data["legs"] == [
                {
                    "number": "07200498123",
                    "type": "single",
                    "seconds": 0,
                    "cause_code": "USER_BUSY",
                    "cause": "17",
                }
            ]
            assert SECRET not in str(event.data)
        assert SECRET not in server.text.getvalue()


async def test_a_call_that_only_asks_passthrus_is_known_and_ends(tmp_path: Path) -> None:
    """Who was on it, in both directions, and that it is over."""
    numbers = "+918047112233=default"
    outgoing = {"CallFrom": "08047112233", "CallTo": "09811122233"}
    over = {"CallType": "call-attempt", "CallStatus": "completed"}
    async with serving(tmp_path, EXOTEL_NUMBERS=numbers) as server, client(server) as http:
        for call_sid, told_of, direction in (
            ("in", ASK, "incoming"),
            ("out", {**outgoing, "Direction": "outbound-dial"}, "outgoing"),
            ("untold", outgoing, "outgoing"),
            ("unclear", {**ASK, "Direction": ""}, ""),
        ):
            answer = await http.get(PATH, params={"CallSid": call_sid, **told_of, **over})
            assert answer.status_code == 200
            call = await server.kept(call_sid)
            assert (call.caller, call.called, call.direction) == (
                "+919811122233",
                "+918047112233",
                direction,
            )
            assert (call.state, call.outcome) == (State.ENDED, Outcome.COMPLETED)


async def test_the_same_words_about_two_transfers_count_twice(tmp_path: Path) -> None:
    """Delivered again about one of them, they count once."""
    told_of = {"CallSid": "c", "DialCallStatus": "busy", "DialWhomNumber": "09811100011"}
    async with serving(tmp_path) as server, client(server) as http:
        for stream_sid in ("s1", "s2"):
            asked = transfer_requested(
                "c", datetime.now(UTC), stream_sid=stream_sid, utterance="u", target="sales"
            )
            await server.bridge.store.append(asked)
            for _ in range(2):
                assert (await http.get(PATH, params=told_of)).status_code == 200
        assert len(await told(server, "c")) == 2


async def test_each_word_of_the_call_is_in_the_record(tmp_path: Path) -> None:
    """Typed, for whoever derives the call's state; what is not told is not there."""
    async with serving(tmp_path) as server, client(server) as http:
        told_of = {
            "CallSid": "c",
            "CallStatus": "Completed",
            "CallType": "client-hangup",
            "DialCallStatus": "No Answer",
            "DialCallDuration": '"12"',
            "DialWhomNumber": "07200498123",
        }
        await http.post(PATH, data=told_of)
        (event,) = await told(server, "c")
        assert event.data == {
            "call_status": "completed",
            "call_type": "client-hangup",
            "dial_status": "no-answer",
            "dial_seconds": 12,
            "dial_whom": "07200498123",
            "stream_sid": "",
            "ended_by": None,
            "parameters": told_of,
        }
        await http.get(PATH, params={"CallSid": "bare"})
        (event,) = await told(server, "bare")
        assert event.data == {
            "stream_sid": "",
            "ended_by": None,
            "parameters": {"CallSid": "bare"},
        }


async def test_a_call_that_nobody_knows_is_answered_and_kept(tmp_path: Path) -> None:
    """Its first webhook may have gone to a server that was down."""
    async with serving(tmp_path) as server, client(server) as http:
        assert (await http.get(PATH, params={**ASK, "CallSid": "new"})).status_code == 200
        assert (await server.kept("new")).state is State.NEW
        assert server.bridge.desk.admission.calls == 0


async def test_a_repeated_delivery_counts_once(tmp_path: Path) -> None:
    """``CurrentTime`` may differ, and so may a stream's report, which counts once for each stream;
    another applet's request does not get lost."""
    first = {**ASK, "CallSid": "c", "CurrentTime": "2026-11-21 10:00:00"}
    again = {**first, "CurrentTime": "2026-11-21 10:00:09"}
    async with serving(tmp_path) as server, client(server) as http:

        async def tell(parameters: Mapping[str, str], count: int) -> None:
            answers = await asyncio.gather(*(http.get(PATH, params=parameters) for _ in range(3)))
            assert {answer.status_code for answer in answers} == {200}
            assert len(await told(server, "c")) == count

        await tell(first, 1)
        await tell(again, 1)
        await tell({**again, "digits": '"1"'}, 2)
        await tell({**first, **bracketed("Stream", STREAM)}, 3)
        await tell({**again, **bracketed("Stream", {**STREAM, "Duration": "94"})}, 3)
        await tell({**again, **bracketed("Stream", {**STREAM, "StreamSID": "s2"})}, 4)
        await tell({**again, **bracketed("Stream", STREAM), **bracketed("Legs[0]", LEG)}, 5)


async def test_who_ended_the_stream_is_believed(tmp_path: Path) -> None:
    """A line that went dead was the caller's hanging up after all, if Exotel says so."""
    async with serving(tmp_path) as server, client(server) as http:
        async with stream(server.stream_url) as peer:
            await peer.start()
            await until(lambda: peer.call_sid in server.bridge.desk.sessions)
            peer.socket.transport.abort()
        call_sid, stream_sid = peer.call_sid, peer.stream_sid
        assert (await server.until_over(call_sid)).outcome is Outcome.FAILED
        report = bracketed("Stream", {**STREAM, "StreamSID": stream_sid})
        await http.get(PATH, params={**ASK, "CallSid": call_sid, **report})
        assert (await server.kept(call_sid)).outcome is Outcome.COMPLETED


async def test_a_recording_is_noted_before_it_is_answered(tmp_path: Path) -> None:
    """The call's and the stream's, whole, with what the record leaves out; one that is both is
    noted once. It is the same where the applet does not wait, and at ``/exotel/answer``."""
    url = "https://recordings.invalid/{}.mp3?signature=hush"
    async with serving(tmp_path) as server, client(server) as http:

        async def noted() -> dict[str, str]:
            jobs = await server.bridge.store.jobs.listed()
            return {job.key: str(job.payload["url"]) for job in jobs}

        both = {
            "CallSid": "c",
            "RecordingUrl": url.format("call"),
            "Stream[StreamSID]": "s1",
            "Stream[RecordingUrl]": url.format("stream"),
        }
        await http.get(PATH, params=both)
        kept = {"c": url.format("call"), "c:s1": url.format("stream")}
        assert await noted() == kept
        lower = {"CallSid": "d", "streamsid": "s2", "recordingurl": url.format("d")}
        await http.post(PATH, data=lower)
        assert await noted() == kept | {"d": url.format("d")}
        late = {"CallSid": "e", "RecordingUrl": url.format("e")}
        await http.get("/exotel/answer", params={**ASK, **late})
        assert "e" in await noted()
        asked = {"CallSid": "f", "RecordingUrl": url.format("f"), "mode": "async"}
        await http.get(PATH, params=asked)

        async def is_noted() -> bool:
            return "f" in await noted()

        await until(is_noted)
        await http.get(PATH, params={"CallSid": "g", "RecordingUrl": "null"})
        assert "g" not in await noted()
        (event,) = await told(server, "c")
        assert "hush" not in str(event.data)


# ------------------------------------------------------------------ the branch


async def test_the_rules_choose_the_branch(tmp_path: Path) -> None:
    """Branch A is 200, with an applet's name as text where the rule has one; branch B is 302
    without a ``Location``. Without a rule that fits it is branch A."""
    templates = {"default": bot(**RULES)}
    async with serving(tmp_path, templates) as server, client(server) as http:

        async def ask(digits: str) -> httpx.Response:
            asked = {**ASK, "CallSid": f"c{digits}", "digits": f'"{digits}"'}
            return await http.get(PATH, params=asked)

        order, other, none = [await ask(digits) for digits in ("1", "2", "3")]
        assert (order.status_code, order.text) == (200, "order-status")
        assert order.headers["content-type"] == "text/plain; charset=utf-8"
        assert (other.status_code, other.text) == (302, "")
        assert "location" not in other.headers
        assert (none.status_code, none.text) == (200, "")
        assert [entry["outcome"] for entry in server.log("webhook")] == [
            "branch-a order",
            "branch-b other",
            "branch-a",
        ]
        assert [len(await told(server, f"c{digits}")) for digits in "123"] == [1, 1, 1]


@pytest.mark.parametrize(("mode", "status"), [("302", 302), ("say", 302), ("error", 503)])
async def test_a_call_that_a_rule_refuses_is_refused_as_the_template_has_it(
    tmp_path: Path, mode: str, status: int
) -> None:
    """What it would have said at ``/exotel/answer`` cannot be said here: that is branch B."""
    tables = {"routes": [{"name": "shut", "then": {"refuse": "closed"}}], "refusal": {"mode": mode}}
    async with serving(tmp_path, {"default": bot(**tables)}) as server, client(server) as http:
        answer = await http.get(PATH, params={**ASK, "CallSid": "c"})
        assert (answer.status_code, answer.text) == (status, "")
        assert len(await told(server, "c")) == 1


async def test_the_rules_are_those_of_the_calls_template(tmp_path: Path) -> None:
    """The one that its number has, or that it had when it was answered, even if the later request
    does not name the number."""
    numbers = "+918047112233=plain,+918047112244=ruled"
    templates = {"default": BOT, "plain": BOT, "ruled": bot(**RULES)}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=numbers) as server,
        client(server) as http,
    ):
        ruled = {**ASK, "CallTo": "08047112244"}
        await http.get("/exotel/answer", params={**ruled, "CallSid": "known"})

        async def status(**parameters: str) -> int:
            return (await http.get(PATH, params={**parameters, "digits": "2"})).status_code

        assert await status(CallSid="known") == 302
        assert await status(**ruled, CallSid="new") == 302
        assert await status(**ASK, CallSid="other") == 200


async def test_an_applet_that_does_not_wait_is_answered_at_once(tmp_path: Path) -> None:
    """``mode=async`` in its URL: 200 whatever the rules say, and what it told is kept, also if the
    server stops right after."""
    async with serving(tmp_path, {"default": bot(**RULES)}) as server, client(server) as http:
        asked = {**ASK, "CallSid": "c", "digits": "2", "mode": "Async"}
        answer = await http.get(PATH, params=asked)
        assert (answer.status_code, answer.text) == (200, "")
        other = await http.post(PATH, params={"mode": "async"}, data={**ASK, "CallSid": "d"})
        assert other.status_code == 200
        assert [entry["outcome"] for entry in server.log("webhook")] == ["heard", "heard"]
    async with serving(tmp_path) as after:
        assert len(await told(after, "c")) == len(await told(after, "d")) == 1


async def test_a_database_that_hangs_delays_no_caller(tmp_path: Path) -> None:
    """The branch is told within the limit by what is known without it; what was told is kept once
    it goes on, and the log says what went wrong."""
    own = {"default": bot(**RULES)}
    async with serving(tmp_path, own, waits=IMPATIENT) as server, client(server) as http:
        await http.get("/exotel/answer", params={**ASK, "CallSid": "c"})
        await server.bridge.store.flush()
        async with locked(tmp_path):
            asked = {**ASK, "CallSid": "c", "digits": "2", "RecordingUrl": "https://r.example/a"}
            assert (await http.get(PATH, params=asked)).status_code == 302
            lines = [entry["event"] for entry in server.log(level="error")]
            assert sorted(lines) == ["passthru not recorded", "recording not noted"]
        assert len(await told(server, "c")) == 1


# ------------------------------------------------------------------ streams that failed


@pytest.mark.parametrize(
    ("members", "result"),
    [
        ({"Status": "failed", "Error": "3009 failed to establish ws conn"}, "failed"),
        ({"DetailedStatus": "Streaming_call_throttled"}, "throttled"),
        ({"Status": "completed", "StreamSID": "s1"}, "completed"),
        ({"Status": "cancelled", "StreamSID": "s1"}, "canceled"),
    ],
)
async def test_how_a_stream_went_is_counted(
    tmp_path: Path, members: Mapping[str, str], result: str
) -> None:
    """Once for each stream; the operator is told of those that failed at Exotel, once."""
    async with serving(tmp_path) as server, client(server) as http:
        report = {**ASK, "CallSid": "c", **bracketed("Stream", members)}
        for _ in range(2):
            await http.get(PATH, params=report)
        if "StreamSID" in members:
            await http.get(PATH, params={**report, "CallType": "completed"})
        counted = (await http.get("/metrics")).text
        assert f'exobridge_stream_reports_total{{result="{result}"}} 1.0' in counted
        lines = server.log("stream failed at Exotel", level="warning")
        failed = result in ("failed", "throttled")
        assert [entry["call_sid"] for entry in lines] == (["c"] if failed else [])
        for entry in lines:
            assert entry["error"] == members.get("Error", "")
            assert entry["detailed_status"] == members.get("DetailedStatus", "")


# ------------------------------------------------------------------ a Passthru at /exotel/answer


async def test_a_late_question_takes_no_slot(tmp_path: Path) -> None:
    """A Passthru that is pointed at ``/exotel/answer`` behind the bot is answered as before, what
    it tells is kept, and the next caller finds the line free at once."""
    async with serving(tmp_path, MAX_CALLS="1") as server, client(server) as http:
        async with stream(server.stream_url) as peer:
            await peer.start()
            await until(lambda: peer.call_sid in server.bridge.desk.sessions)
            during = await http.get("/exotel/answer", params={**ASK, "CallSid": peer.call_sid})
            assert during.status_code == 200
            assert server.bridge.desk.admission.calls == 1
        await server.until_over(peer.call_sid)
        report = bracketed("Stream", {**STREAM, "StreamSID": peer.stream_sid})
        late = {**ASK, "CallSid": peer.call_sid, **report, **bracketed("Legs[0]", LEG)}
        assert (await http.get("/exotel/answer", params=late)).status_code == 200
        assert server.bridge.desk.admission.calls == 0
        assert server.bridge.desk.admission.waiting == 0
        (event,) = await told(server, peer.call_sid)
        assert event.data["stream_sid"] == peer.stream_sid
        following = {**ASK, "CallSid": "next"}
        assert (await http.get("/exotel/answer", params=following)).status_code == 200
        assert await told(server, "next") == []
        assert server.log("no stream came") == []


# ------------------------------------------------------------------ who may ask, and the log


async def test_every_request_is_logged_once_and_timed(tmp_path: Path) -> None:
    """Whatever became of it, and in the metrics too; the secret's places are those of every
    webhook."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server, client(server) as http:
        call_sid = {"CallSid": "c"}
        statuses = [
            (await http.get(f"{PATH}/{SECRET}", params=call_sid)).status_code,
            (await http.get(PATH, params={**call_sid, "auth_token": SECRET})).status_code,
            (await http.post(PATH, data=call_sid, auth=("exotel", SECRET))).status_code,
            (await http.get(PATH, params=call_sid)).status_code,
            (await http.get(f"{PATH}/wrong", params=call_sid)).status_code,
            (await http.get(f"{PATH}/{SECRET}")).status_code,
            (await http.post(f"{PATH}/{SECRET}", content=b"a=" + b"b" * 70_000)).status_code,
        ]
        assert statuses == [200, 200, 200, 403, 403, 400, 413]
        lines = server.log("webhook", endpoint=PATH)
        assert [entry["status"] for entry in lines] == statuses
        assert [entry["call_sid"] for entry in lines] == ["c"] * 3 + [""] * 4
        assert all(entry["ms"] >= 0 for entry in lines)
        assert [entry["outcome"] for entry in lines] == [
            *["branch-a"] * 3,
            *["forbidden"] * 2,
            *["bad request"] * 2,
        ]
        assert len(await told(server, "c")) == 1


@pytest.mark.parametrize("secret", ["", SECRET])
async def test_nothing_that_comes_in_is_a_500(tmp_path: Path, secret: str) -> None:
    """Any query, body and header, broken or hostile: 200 or a 4xx, and no error in the log."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=secret) as server:
        port = urlsplit(server.url).port
        assert port is not None

        @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(requests(f"{PATH}/{secret}" if secret else PATH))
        def check(request: bytes) -> None:
            assert ask_raw(port, request) in (200, 400, 403)

        await asyncio.to_thread(check)
        errors = server.errors()
        # That such a recording cannot be fetched may be found out by now.
        assert [entry for entry in errors if entry.get("kind") != "recording"] == []
