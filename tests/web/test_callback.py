"""``/exotel/callback/status`` over real sockets: every way to send it, and every order."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from exobridge.call import events
from exobridge.call.events import EndedBy, EventKind
from exobridge.call.plan import StoreWaits
from exobridge.call.state import Outcome, State
from exobridge.call.transfer_state import TransferStatus
from exobridge.settings import Settings
from exobridge.store.jobs import JobState
from tests.server import IMPATIENT, Server, http_client, serving
from tests.web.raw import ask_raw, requests

STATUS = "/exotel/callback/status"
OVER = {"Status": "completed", "EventType": "terminal", "ConversationDuration": "0"}
LEGS = [{"OnCallDuration": 9, "Status": "completed"}, {"OnCallDuration": 0, "Status": "busy"}]
FORM_LEGS = {
    f"Legs[{number}][{name}]": str(value)
    for number, leg in enumerate(LEGS)
    for name, value in leg.items()
}


def form(call_sid: str) -> dict[str, str]:
    """All as a form."""
    return {"CallSid": call_sid, **OVER, **FORM_LEGS}


WAYS: dict[str, dict[str, Any]] = {
    "multi": {"method": "POST", "files": {k: (None, v) for k, v in form("multi").items()}},
    "form": {"method": "POST", "data": form("form")},
    "json": {"method": "POST", "json": {"CallSid": "json", **OVER, "Legs": LEGS}},
    "query": {"method": "POST", "params": form("query")},
    "get": {"method": "GET", "params": form("get")},
}


async def data_of(server: Server, call_sid: str) -> list[Any]:
    """What is kept of a call's callbacks."""
    kept = await server.bridge.store.events(call_sid)
    return [event.data for event in kept if event.kind is EventKind.STATUS]


async def test_it_is_kept_however_it_is_sent(tmp_path: Path) -> None:
    """Multipart, form, JSON or query, of a call that nobody knew: 200, and durable by then."""
    async with serving(tmp_path) as server, http_client(server.url) as http:
        for call_sid, how in WAYS.items():
            answer = await http.request(url=STATUS, **how)
            assert (answer.status_code, answer.text) == (200, "")
            (kept,) = await data_of(server, call_sid)
            legs = [(leg["seconds"], leg["status"]) for leg in kept["legs"]]
            assert (kept["status"], kept["event_type"]) == ("completed", "terminal")
            assert (kept["conversation_seconds"], legs) == (0, [(9, "completed"), (0, "busy")])
            assert (await server.kept(call_sid)).outcome is Outcome.COMPLETED
        entries = server.log("webhook", endpoint=STATUS, outcome="recorded completed")
        assert [entry["call_sid"] for entry in entries] == list(WAYS)


async def test_repeated_it_counts_once(tmp_path: Path) -> None:
    """By call, event type and status; many at once and one more later."""
    async with serving(tmp_path) as server, http_client(server.url) as http:
        told = {"CallSid": "again", "Status": "busy"}
        answers = await asyncio.gather(*(http.post(STATUS, data=told) for _ in range(10)))
        answers.append(await http.post(STATUS, data={**told, "DateUpdated": "2026-11-21 12:00:00"}))
        assert {answer.status_code for answer in answers} == {200}
        assert len(await data_of(server, "again")) == 1
        await http.post(STATUS, data={**told, "EventType": "terminal"})
        assert len(await data_of(server, "again")) == 2
        assert (await server.kept("again")).outcome is Outcome.BUSY


async def test_in_any_order_it_comes_to_the_same(tmp_path: Path) -> None:
    """The answer, the news that the call was answered, and its end."""
    asked = {"CallFrom": "09811122233", "CallTo": "08047112233", "Direction": "incoming"}
    steps: dict[str, dict[str, str]] = {
        "/exotel/answer": asked,
        f"{STATUS}?EventType=answered": {"Status": "in-progress"},
        f"{STATUS}?EventType=terminal": {"Status": "no-answer"},
    }
    async with serving(tmp_path) as server, http_client(server.url) as http:
        for number, order in enumerate(itertools.permutations(steps)):
            for path in order:
                told = {"CallSid": f"c{number}", **steps[path]}
                assert (await http.post(path, data=told)).status_code == 200
            call = await server.kept(f"c{number}")
            assert (call.state, call.outcome) == (State.ENDED, Outcome.NO_ANSWER)
            assert call.caller == "+919811122233"


MULTIPART = {"content-type": "multipart/form-data"}
BAD: list[tuple[int, dict[str, Any]]] = [
    (400, {"method": "POST"}),
    (400, {"method": "GET", "params": {"Status": "completed"}}),
    (400, {"method": "POST", "json": ["CallSid"]}),
    (400, {"method": "POST", "content": b"{", "headers": {"content-type": "application/json"}}),
    (
        400,
        {"method": "POST", "content": b"--x", "headers": MULTIPART},
    ),
    (413, {"method": "POST", "content": b"a=" + b"b" * 70_000}),
]


async def test_what_names_no_call_is_told_what_is_wrong(tmp_path: Path) -> None:
    """A clear 4xx, nothing kept."""
    async with serving(tmp_path) as server, http_client(server.url) as http:
        for status, how in BAD:
            answer = await http.request(url=STATUS, **how)
            assert answer.status_code == status, (how, answer.text)
            assert answer.json()["error"] == "bad-request"
        assert (await http.put(STATUS)).status_code == 405
        assert await server.bridge.store.calls() == []


async def test_it_has_to_prove_itself(tmp_path: Path) -> None:
    """By the secret, in the query, in the path or as Basic; a forged one is kept nowhere, and no
    secret stands in the log."""
    secret = "a-secret-of-the-tests"
    told = {"CallSid": "c", "Status": "completed"}
    async with (
        serving(tmp_path, EXOBRIDGE_SECRET=secret) as server,
        http_client(server.url) as http,
    ):
        for wrong in ("", "?auth_token=wrong", "/wrong", "?auth_token=हाँ"):
            assert (await http.post(STATUS + wrong, data=told)).status_code == 403
        assert await server.bridge.store.calls() == []
        for right in (f"?auth_token={secret}", f"/{secret}"):
            assert (await http.post(STATUS + right, data=told)).status_code == 200
        basic = httpx.BasicAuth("exotel", secret)
        assert (await http.post(STATUS, data=told, auth=basic)).status_code == 200
        assert len(await data_of(server, "c")) == 1
        assert secret not in server.text.getvalue()


async def test_a_recording_is_noted_before_it_is_answered(tmp_path: Path) -> None:
    """As a job that survives; told again, it is one job. Without a URL there is none."""
    url = "https://recordings.exotel.com/exotelrecordings/acme1/c.mp3"
    async with serving(tmp_path) as server, http_client(server.url) as http:
        for _ in range(2):
            told = {"CallSid": "c", "Status": "completed", "RecordingUrl": url}
            assert (await http.post(STATUS, data=told)).status_code == 200
        (job,) = await server.bridge.store.jobs.listed(call_sid="c")
        assert (job.kind, job.state, job.payload["url"]) == ("recording", JobState.WAITING, url)
        await http.post(STATUS, data={"CallSid": "d", "Status": "completed"})
        assert await server.bridge.store.jobs.listed(call_sid="d") == []


async def test_a_locked_database_makes_exotel_send_it_again(tmp_path: Path) -> None:
    """503 at the limit, and the next delivery is kept, once."""
    told = {"CallSid": "c", "Status": "completed"}
    async with serving(tmp_path, waits=IMPATIENT) as server, http_client(server.url) as http:
        http.timeout = httpx.Timeout(StoreWaits().callback + 5)
        with closing(sqlite3.connect(_database(tmp_path), check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            answer = await http.post(STATUS, data=told)
        assert (answer.status_code, answer.json()["error"]) == (503, "not-recorded")
        assert server.log("status not recorded", call_sid="c", level="error")
        assert (await http.post(STATUS, data=told)).status_code == 200
        assert len(await data_of(server, "c")) == 1


def _database(folder: Path) -> Path:
    read = Settings.read({"EXOBRIDGE_DATA_DIR": str(folder / "data")})
    return Path(read.database_url.get_secret_value().partition(":///")[2])


async def test_a_transfer_ends_as_the_callback_tells(tmp_path: Path) -> None:
    """A human talked on the second leg, or nobody did."""
    talked = [{"OnCallDuration": 90}, {"OnCallDuration": 60}]
    async with serving(tmp_path) as server, http_client(server.url) as http:
        recorder, now = server.bridge.services.recorder, server.bridge.services.wall_clock
        for call_sid, legs, outcome, status in (
            ("talked", talked, Outcome.TRANSFERRED, TransferStatus.ANSWERED),
            ("missed", LEGS, Outcome.UNANSWERED, TransferStatus.FAILED),
        ):
            sid = f"stream-of-{call_sid}"
            for event in (
                events.stream_started(call_sid, now(), stream_sid=sid),
                events.transfer_requested(
                    call_sid, now(), stream_sid=sid, utterance="u", target="sales"
                ),
                events.stream_ended(call_sid, now(), stream_sid=sid, ended_by=EndedBy.BOT),
            ):
                await recorder.append(event)
            await http.post(STATUS, json={"CallSid": call_sid, "Status": "completed", "Legs": legs})
            call = await server.kept(call_sid)
            assert call.transfer is not None
            assert (call.outcome, call.transfer.status) == (outcome, status)


async def test_no_request_is_answered_with_an_error_of_ours(tmp_path: Path) -> None:
    """Any query, body and header, broken or hostile: 200 or a 4xx, and no error in the log."""
    async with serving(tmp_path) as server:
        port = urlsplit(server.url).port
        assert port is not None

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(requests(STATUS))
        def check(request: bytes) -> None:
            assert ask_raw(port, request) in (200, 400, 403)

        await asyncio.to_thread(check)
        assert server.errors() == []


@pytest.mark.parametrize("word", ["parked", "x" * 70])
async def test_a_word_that_nobody_knows_is_kept_and_not_counted_by_itself(
    tmp_path: Path, word: str
) -> None:
    """The log and the metrics have one word for all of them."""
    async with serving(tmp_path) as server, http_client(server.url) as http:
        assert (await http.post(STATUS, data={"CallSid": "c", "Status": word})).status_code == 200
        assert (await server.kept("c")).state is State.NEW
        assert (await data_of(server, "c"))[0]["status"] == word[:64]
        assert server.log("webhook", outcome="recorded other")
