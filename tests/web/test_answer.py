"""``/exotel/answer`` over real sockets: every way to ask, and every way to be answered."""

from __future__ import annotations

import asyncio
import base64
import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings

from exobridge.call.events import EventKind
from exobridge.call.state import Outcome, State
from exobridge.exotel.times import IST
from tests.server import BOT, Server, bot, http_client, serving
from tests.web.raw import ask_raw, requests

SECRET = "a-secret-of-the-tests"
ASK = {"CallFrom": "09811122233", "CallTo": "08047112233", "Direction": "incoming"}
NUMBERS = "+918047112233=shop,+918047112244=night,+918047112255=spoken,+918047112266=error"
THREE_DAYS_ON = (datetime.now(IST) + timedelta(days=3)).strftime("%a").lower()
CLOSED = {"timezone": "Asia/Kolkata", THREE_DAYS_ON: ["09:00-18:00"]}


def client(server: Server) -> httpx.AsyncClient:
    """An HTTP client that the environment's proxies do not concern."""
    return http_client(server.url)


def stream_url_of(answer: httpx.Response) -> SplitResult:
    """The stream's URL in an answer."""
    return urlsplit(str(answer.json()["url"]))


def token_of(answer: httpx.Response) -> str:
    """The token of the stream's URL in an answer."""
    assert answer.status_code == 200, answer.text
    url = stream_url_of(answer)
    assert url.path.startswith("/exotel/stream/")
    return url.path.removeprefix("/exotel/stream/")


MULTIPART = {name: (None, value) for name, value in {**ASK, "CallSid": "multi"}.items()}
WAYS: dict[str, dict[str, Any]] = {
    "get": {"method": "GET", "params": {**ASK, "CallSid": "get"}},
    "form": {"method": "POST", "data": {**ASK, "CallSid": "form"}},
    "multi": {"method": "POST", "files": MULTIPART},
    "json": {"method": "POST", "json": {**ASK, "CallSid": "json"}},
    "query": {"method": "POST", "params": {**ASK, "CallSid": "query"}},
    "odd": {"method": "GET", "params": {"callsid": "odd", "Callfrom": "null"}},
}


async def test_a_call_is_answered_however_it_is_asked(tmp_path: Path) -> None:
    """GET or POST; query, form, multipart or JSON; any spelling: 200 and the stream's URL."""
    async with serving(tmp_path) as server, client(server) as http:
        for number, (call_sid, how) in enumerate(WAYS.items(), start=1):
            answer = await http.request(url="/exotel/answer", **how)
            assert answer.headers["content-type"] == "application/json"
            token_of(answer)
            assert answer.json()["url"].startswith(server.stream_url + "/")
            call = await server.kept(call_sid)
            assert call.state is State.ANSWERED
            assert call.caller == ("" if call_sid == "odd" else "+919811122233")
            assert server.bridge.desk.admission.calls == number
        assert [entry["call_sid"] for entry in server.log("webhook")] == list(WAYS)


JSON_TYPE = {"content-type": "application/json"}
FORM_TYPE = {"content-type": "multipart/form-data"}
BAD: list[tuple[int, dict[str, Any]]] = [
    (400, {"method": "GET"}),
    (400, {"method": "GET", "params": {"CallSid": "null"}}),
    (400, {"method": "POST", "content": b"\xff\xfe\x00" * 40}),
    (400, {"method": "POST", "content": b"{", "headers": JSON_TYPE}),
    (400, {"method": "POST", "json": ["CallSid"]}),
    (400, {"method": "POST", "content": b"--x\r\nno", "headers": FORM_TYPE}),
    (400, {"method": "POST", "data": {f"a{n}": "1" for n in range(600)}}),
    (413, {"method": "POST", "content": b"a=" + b"b" * 70_000}),
]


async def test_what_names_no_call_is_told_what_is_wrong(tmp_path: Path) -> None:
    """A clear 4xx, no slot taken, nothing kept, and no 500."""
    async with serving(tmp_path) as server, client(server) as http:
        for status, how in BAD:
            answer = await http.request(url="/exotel/answer", **how)
            assert answer.status_code == status, (how, answer.text)
            assert answer.json()["error"] == "bad-request"
            assert answer.json()["detail"]
        assert (await http.put("/exotel/answer")).status_code == 405
        assert server.bridge.desk.admission.calls == 0
        assert await server.bridge.store.calls() == []


async def test_asked_again_it_answers_alike_and_counts_once(tmp_path: Path) -> None:
    """Ten at once and one more later: one slot, one event, one decision."""
    async with serving(tmp_path, MAX_CALLS="1") as server, client(server) as http:
        asked = {**ASK, "CallSid": "again"}
        answers = await asyncio.gather(
            *(http.get("/exotel/answer", params=asked) for _ in range(10))
        )
        answers.append(await http.post("/exotel/answer", data=asked))
        assert all(token_of(answer) for answer in answers)
        assert server.bridge.desk.admission.calls == 1
        assert len(await server.bridge.store.events("again")) == 1
        other = await http.get("/exotel/answer", params={**ASK, "CallSid": "other"})
        assert other.status_code == 302
        assert (await server.kept("other")).outcome is Outcome.REFUSED
        again = await http.get("/exotel/answer", params={**ASK, "CallSid": "other"})
        assert again.status_code == 302


async def test_the_body_is_what_the_template_says(tmp_path: Path) -> None:
    """Nothing for a Passthru that reads the status, or an applet's name, as plain text."""
    templates = {
        "shop": bot(answer={"body": "empty"}),
        "night": bot(answer={"body": "applet", "applet": "vip-connect"}),
        "spoken": BOT,
        "error": BOT,
    }
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=NUMBERS) as server,
        client(server) as http,
    ):
        for called, body in (("08047112233", ""), ("08047112244", "vip-connect")):
            asked = {**ASK, "CallSid": called, "CallTo": called}
            answer = await http.get("/exotel/answer", params=asked)
            assert (answer.status_code, answer.text) == (200, body)
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert server.bridge.desk.admission.calls == 2


async def test_a_call_is_turned_away_as_its_template_says(tmp_path: Path) -> None:
    """Unknown number, closed, full house: 302, 503, or a stream for one spoken line. The body of
    a refusal says why."""
    spoken = bot(refusal={"mode": "say"}, hours=CLOSED)
    templates = {
        "default": BOT,
        "shop": BOT,
        "night": bot(hours=CLOSED),
        "spoken": spoken,
        "error": bot(refusal={"mode": "error"}),
    }
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=NUMBERS, MAX_CALLS="1") as server,
        client(server) as http,
    ):
        number = itertools.count()

        async def ask(called: str) -> httpx.Response:
            asked = {**ASK, "CallSid": f"c{next(number)}", "CallTo": called}
            return await http.get("/exotel/answer", params=asked)

        unknown = await ask("08047999999")
        assert (unknown.status_code, unknown.json()["error"]) == (302, "unknown-number")
        assert "location" not in unknown.headers
        assert server.bridge.desk.admission.calls == 0
        closed = await ask("08047112244")
        assert (closed.status_code, closed.json()["error"]) == (302, "closed")
        token_of(await ask("8047112255"))
        call = await server.kept("c2")
        assert (call.decision, call.reason) == ("say", "closed")
        assert server.bridge.desk.admission.calls == 0
        token_of(await ask("+918047112233"))
        busy = await ask("08047112266")
        assert (busy.status_code, busy.json()["error"]) == (503, "busy")
        assert {entry["outcome"] for entry in server.log("webhook")} == {
            "refuse unknown-number",
            "refuse closed",
            "say closed",
            "accept",
            "refuse busy",
        }


async def test_a_full_house_says_so_while_there_are_slots_for_it(tmp_path: Path) -> None:
    """Spoken refusals have two slots beside one for calls; without one even they are refused."""
    templates = {"default": bot(refusal={"mode": "say"})}
    async with serving(tmp_path, templates, MAX_CALLS="1") as server, client(server) as http:
        answers = [
            await http.get("/exotel/answer", params={**ASK, "CallSid": f"c{n}"}) for n in range(4)
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 503]
        assert [(await server.kept(f"c{n}")).decision for n in range(4)] == [
            "accept",
            "say",
            "say",
            "refuse",
        ]


async def test_an_outgoing_calls_template_is_found_by_what_is_known_of_it(tmp_path: Path) -> None:
    """Our own record first, then what ``CustomField`` names in one of three forms, then whichever
    number is ours."""
    templates = {name: BOT for name in ("shop", "night", "spoken", "error")}
    async with (
        serving(tmp_path, templates, EXOTEL_NUMBERS=NUMBERS) as server,
        client(server) as http,
    ):

        async def template(call_sid: str, **parameters: str) -> str:
            asked = {"CallSid": call_sid, "Direction": "outbound-dial", **parameters}
            token_of(await http.get("/exotel/answer", params=asked))
            return (await server.kept(call_sid)).template

        ours, human = "08047112233", "09811122233"
        assert await template("plain", CustomField="night", CallFrom=ours) == "night"
        assert await template("json", CustomField='{"template": "spoken"}') == "spoken"
        assert await template("pairs", CustomField="lead=7&template=error") == "error"
        assert await template("from", CallFrom="08047112244", CallTo=human) == "night"
        assert await template("to", CallFrom=human, CallTo=ours) == "shop"
        assert await template("leg", CallFrom="1", CallTo=human, From=ours) == "shop"
        assert await template("other", CustomField="lead-7", CallFrom=ours) == "shop"
        assert await template("json", CustomField="night", CallFrom=ours) == "spoken"
        call = await server.kept("from")
        assert (call.direction, call.caller, call.called) == (
            "outgoing",
            "+919811122233",
            "+918047112244",
        )


async def test_a_slot_is_freed_when_no_stream_comes(tmp_path: Path) -> None:
    """The next caller gets it, and the record says that the first one never came."""
    async with (
        serving(tmp_path, MAX_CALLS="1", UNUSED_SLOT_SECONDS="1") as server,
        client(server) as http,
    ):
        token_of(await http.get("/exotel/answer", params={**ASK, "CallSid": "first"}))
        busy = await http.get("/exotel/answer", params={**ASK, "CallSid": "second"})
        assert busy.status_code == 302
        call = await server.until_over("first")
        assert call.outcome is Outcome.ABANDONED
        assert [event.kind for event in await server.bridge.store.events("first")] == [
            EventKind.ANSWER,
            EventKind.NO_STREAM,
        ]
        token_of(await http.get("/exotel/answer", params={**ASK, "CallSid": "third"}))


async def test_the_streams_url_is_the_public_one_and_asks_for_the_templates_rate(
    tmp_path: Path,
) -> None:
    """``wss`` for ``https``, a path prefix kept, and ``sample-rate`` only where it is not 8000."""
    async with (
        serving(
            tmp_path,
            {"default": bot(stream={"sample_rate": 16000})},
            EXOBRIDGE_PUBLIC_URL="https://bot.example.com/voice/",
            EXOBRIDGE_SECRET=SECRET,
        ) as server,
        client(server) as http,
    ):
        # The longest CallSid that is kept, in the widest letters.
        asked = {**ASK, "CallSid": "é" * 500}
        answer = await http.get(f"/exotel/answer/{SECRET}", params=asked)
        url = stream_url_of(answer)
        assert (url.scheme, url.netloc) == ("wss", "bot.example.com")
        assert url.path.startswith("/voice/exotel/stream/")
        assert url.query == "sample-rate=16000"
        assert len(answer.json()["url"]) < 600


def basic(password: str) -> dict[str, str]:
    """An ``Authorization`` header."""
    return {"Authorization": "Basic " + base64.b64encode(f"exotel:{password}".encode()).decode()}


async def test_the_secret_opens_the_door_wherever_it_stands(tmp_path: Path) -> None:
    """In the path, in the query, or as a Basic password; without it, or with another, 403."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server, client(server) as http:
        query = urlencode({**ASK, "CallSid": "c"})

        async def ask(path: str, headers: dict[str, str] | None = None) -> int:
            return (await http.get(f"/exotel/answer{path}", headers=headers)).status_code

        assert await ask(f"/{SECRET}?{query}") == 200
        assert await ask(f"?{query}&auth_token={SECRET}") == 200
        assert await ask(f"?{query}&auth_token=wrong&auth_token={SECRET}") == 200
        assert await ask(f"?{query}", basic(SECRET)) == 200
        for path in ("", f"?{query}", f"/wrong?{query}", f"/{SECRET[:-1]}?{query}"):
            assert await ask(path) == 403
        for wrong in ("wrong", "", quote("ключ"), "%ff%fe", quote(SECRET + "ü"), SECRET.upper()):
            assert await ask(f"?{query}&auth_token={wrong}") == 403
            if wrong:
                assert await ask(f"/{wrong}?{query}") == 403
        for header in (basic("wrong"), basic("ключ"), {"Authorization": "Basic %%%"}):
            assert await ask(f"?{query}", header) == 403
        assert await ask(f"?{query}", {"Authorization": f"Bearer {SECRET}"}) == 403
        assert server.bridge.desk.admission.calls == 1
        text = server.text.getvalue()
        assert SECRET not in text
        assert len(server.log("webhook", outcome="forbidden", status=403)) == 19


async def test_with_a_secret_a_proxy_may_pass_requests_on(tmp_path: Path) -> None:
    """The secret proves the request, whatever host it names; the stream's URL names that host."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=SECRET) as server, client(server) as http:
        headers = {"Host": "bot.example.com", "X-Forwarded-For": "203.0.113.7"}
        answer = await http.get(
            f"/exotel/answer/{SECRET}", params={**ASK, "CallSid": "c"}, headers=headers
        )
        assert answer.json()["url"].startswith("ws://bot.example.com/exotel/stream/")


async def test_without_a_secret_only_this_machine_is_served(tmp_path: Path) -> None:
    """A tunnel on the same host is not this machine."""
    foreign = [
        {"X-Forwarded-For": "127.0.0.1"},
        {"X-Forwarded-Host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 tunnel"},
        {"Host": "bot.example.com"},
        {"Host": "127.0.0.1.example.com"},
        {"Host": "10.0.0.1"},
        {"Host": "[::1"},
    ]
    async with serving(tmp_path) as server, client(server) as http:
        asked = {**ASK, "CallSid": "c"}
        for headers in foreign:
            answer = await http.get("/exotel/answer", params=asked, headers=headers)
            assert answer.status_code == 403, headers
            assert answer.json()["error"] == "forbidden"
        assert server.bridge.desk.admission.calls == 0
        for host in ("localhost", "LOCALHOST:80", "127.0.0.9", "[::1]:8080"):
            answer = await http.get("/exotel/answer", params=asked, headers={"Host": host})
            assert answer.status_code == 200, host


# ------------------------------------------------------------------ whatever comes in


@pytest.mark.parametrize("secret", ["", SECRET])
async def test_nothing_that_comes_in_is_a_500(tmp_path: Path, secret: str) -> None:
    """Any query, body and header, broken or hostile: 200, 302 or a 4xx, and no error in the log."""
    async with serving(tmp_path, EXOBRIDGE_SECRET=secret, MAX_CALLS="10000") as server:
        port = urlsplit(server.url).port
        assert port is not None

        @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(requests(f"/exotel/answer/{secret}" if secret else "/exotel/answer"))
        def check(request: bytes) -> None:
            status = ask_raw(port, request)
            assert status in (200, 302, 400, 403)

        await asyncio.to_thread(check)
        errors = server.errors()
        # That such a recording cannot be fetched may be found out by now.
        assert [entry for entry in errors if entry.get("kind") != "recording"] == []


async def test_a_body_beyond_the_limit_is_refused_before_it_has_come(tmp_path: Path) -> None:
    """413 after 64 KB, while ten megabytes are announced."""
    async with serving(tmp_path) as server:
        port = urlsplit(server.url).port
        assert port is not None
        head = (
            b"POST /exotel/answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"
        )
        assert await asyncio.to_thread(ask_raw, port, head + b"a" * 66_000) == 413
