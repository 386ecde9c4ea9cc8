"""Whoever means harm, at every route over a real socket: nobody is served who does not prove
himself, nothing counts twice, and nothing that comes in is an error of ours.

The routes are those of the application itself. One that is missing in ``ROUTES`` fails the first
test, so that a new one is tried like the others.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from urllib.parse import quote, urlencode

import pytest
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from exobridge.web.body import MAX_BODY, MAX_FIELDS
from exobridge.web.http_protocol import MAX_HEAD, MAX_HEADERS, MAX_REQUEST
from exobridge.web.tokens import Tokens
from tests.peer import stream
from tests.server import until
from tests.web.dialling import hand_over
from tests.web.hostile import (
    API_KEY,
    CALL,
    FORM,
    HOOKS,
    METRICS,
    ONCE,
    ROUTES,
    SECRET,
    SHUT,
    UPGRADE,
    Pairs,
    Way,
    asking,
    basic,
    bearer,
    form,
    minted,
    sound,
    written,
)


async def test_every_route_is_tried_here(tmp_path: Path) -> None:
    """Also one that is added tomorrow; and who may ask is answered. Those of the control API have
    one door, and are questioned by ``tests/web/control``; two stand here for all."""
    async with asking(tmp_path) as asker:
        routes = cast(Starlette, asker.server.listening.config.app).routes
        assert all(isinstance(route, Route | WebSocketRoute) for route in routes)
        paths = [route.path for route in routes if isinstance(route, Route | WebSocketRoute)]
        here = [path for path in paths if path in ROUTES or not path.startswith("/api/v1")]
        assert sorted(here) == sorted(ROUTES)
        for way in ROUTES.values():
            told = [("CallSid", "new-call"), *way.told.items()] if way.told else []
            answer = await asker.ask(written("GET", way.target(told), way.headers))
            assert answer.status in ((101,) if way.is_stream else (200, 302)), way.path
        await asker.all_is_well()


# ------------------------------------------------------------------ forged

WRONG = [
    "nobodys-secret",
    SECRET[:-1],
    f"{SECRET}x",
    SECRET.upper(),
    f"{SECRET}\0",
    f" {SECRET}",
    "geheimnis-ü",
    "🔑" * 20,
    "%2561",
    "x" * 4000,
    API_KEY,
    METRICS,
    Tokens("another-key-altogether", 300).mint(CALL),
]
ELSEWHERE: list[Pairs] = [
    (("X-Secret", SECRET),),
    (("Cookie", f"auth_token={SECRET}"),),
    (("Referer", f"https://localhost/exotel/answer?auth_token={SECRET}"),),
    (("X-Original-URL", f"/exotel/answer/{SECRET}"),),
    (("Proxy-Authorization", basic("x", SECRET)[0][1]),),
    (("Authorization", SECRET),),
    (("Authorization", "Basic ÿ"),),
    (("Authorization", "Bearer"),),
    basic(SECRET, ""),
    bearer(SECRET),
]
"""The secret where it does not count, and what is none."""


def forged(way: Way) -> Iterator[bytes]:
    """Requests of somebody who has not what opens this way."""
    upgrade = UPGRADE if way.is_stream else ()
    for wrong in WRONG:
        if way.bare(wrong) != way.bare():
            yield written("GET", way.bare(wrong), upgrade)
        yield written("GET", way.bare(pairs=[("auth_token", wrong)]), upgrade)
        for offered in (basic("x", wrong), bearer(quote(wrong, safe=""))):
            if offered != way.headers:
                yield written("GET", way.bare(), (*upgrade, *offered))
    for offered in ELSEWHERE:
        yield written("GET", way.bare(), (*upgrade, *offered))
    yield written("GET", way.bare(pairs=[("secret", SECRET), ("AUTH_TOKEN", SECRET)]), upgrade)
    if way.told:
        body = urlencode({"CallSid": "forged", "auth_token": SECRET, **way.told}).encode()
        yield written("POST", way.bare(), [("Content-Type", FORM)], body)


async def test_nobody_is_served_who_does_not_prove_himself(tmp_path: Path) -> None:
    """With no secret, a wrong one, another's, or the right one in a wrong place: refused, and
    nothing is kept."""
    async with asking(tmp_path) as asker:
        before = await asker.noticed()
        for way in SHUT:
            assert await asker.statuses(forged(way)) == {way.closed}, way.path
        assert await asker.noticed() == before
        await asker.all_is_well()


async def test_a_token_opens_its_own_door_only(tmp_path: Path) -> None:
    """A stream's is no secret of a webhook and names no whisper; a whisper's opens no stream; and
    a call's stream is not another call's."""
    of_stream = Tokens(SECRET, 300).mint(CALL)
    async with asking(tmp_path) as asker:
        for way in SHUT:
            if way.path != "/exotel/stream/{token}":
                headers = UPGRADE if way.is_stream else bearer(of_stream)
                asked = written("GET", way.bare(of_stream, [("auth_token", of_stream)]), headers)
                assert (await asker.ask(asked)).status == way.closed, way.path
        whisper = written("GET", f"/exotel/stream/{minted()}", UPGRADE)
        assert (await asker.ask(whisper)).status == 403
        url = f"{asker.server.stream_url}/{of_stream}"
        async with stream(url, call_sid="a-strangers") as peer:
            await peer.start()
            assert await peer.close_code() == 1008
        assert "a-strangers" not in (await asker.noticed())["facts"]
        await asker.all_is_well()


# ------------------------------------------------------------------ replayed


@pytest.mark.parametrize("way", HOOKS, ids=lambda way: way.path)
async def test_what_comes_again_counts_once(way: Way, tmp_path: Path) -> None:
    """The same request five times, by either method: the same answer, and what is kept, noted and
    taken is as after the first."""
    async with asking(tmp_path) as asker:
        await hand_over(asker.server, "replayed")
        told = [("CallSid", "replayed"), *way.told.items()]
        again = [written("GET", way.target(told)), form(way, told)] * 2
        first = await asker.ask(again[0])
        assert first.status in (200, 302)
        kept = await asker.noticed()
        answers = [await asker.ask(request) for request in again]
        assert {answer.status for answer in answers} == {first.status}
        assert await asker.noticed() == kept
        await asker.all_is_well()


# ------------------------------------------------------------------ too large

MANY = [(f"field{number}", "x") for number in range(MAX_FIELDS + 1)]


def too_large(way: Way) -> Iterator[tuple[bytes, set[int]]]:
    """Requests beyond a limit each, and how they are answered."""
    whole = way.target()
    yield written("GET", whole, (*way.headers, ("X-Long", "x" * MAX_HEAD))), {431}
    yield (
        written("GET", f"{whole}{'&' if '?' in whole else '?'}{'x' * MAX_HEAD}", way.headers),
        {431},
    )
    many = [(f"X-{number}", "x") for number in range(MAX_HEADERS)]
    yield written("GET", whole, (*way.headers, *many)), {431}
    # What is not read is not answered, where the line breaks first.
    yield written("POST", whole, way.headers, bytes(2 * MAX_REQUEST)), {400, 404, 405, 413, 0}
    if not way.told:
        return
    yield written("POST", whole, way.headers, b"a" * (MAX_BODY + 1)), {413}
    yield form(way, MANY), {400}
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in MANY
    )
    multipart = (("Content-Type", "multipart/form-data; boundary=x"),)
    yield written("POST", whole, multipart, f"{parts}--x--\r\n".encode()), {400}
    deep = b'{"CallSid":' + b"[" * 20_000
    yield written("POST", whole, (("Content-Type", "application/json"),), deep), {400}


async def test_what_is_too_large_is_turned_away(tmp_path: Path) -> None:
    """A head, a query, a body, a number of headers or of fields, a depth; nothing is kept."""
    async with asking(tmp_path) as asker:
        before = await asker.noticed()
        for way in ROUTES.values():
            for request, expected in too_large(way):
                answer = await asker.ask(request)
                assert answer.status in expected, (way.path, request[:80], answer)
        assert await asker.noticed() == before
        await asker.all_is_well()


# ------------------------------------------------------------------ odd

ODD = [
    "",
    "null",
    "../../etc/passwd",
    "..\\..\\secret",
    "<script>alert(1)</script>",
    "a\r\nSet-Cookie: a=b\r\n\r\n",
    "'; DROP TABLE calls; --",
    "{caller}{0.__class__}%s%n${x}",
    "a\0b",
    "\x1b[2J\x07\x7f\x9b",
    "\u202e\u2066\ufeff",
    "😀नमस्ते",
    "\ud800",
    "x" * 129,
    "x" * 2100,
    "9" * 400,
    "[" * 2040,
    '{"a":' * 400,
    '{"template": {"a": 1}}',
    "https://[::1",
    "http://169.254.169.254/latest/meta-data",
    "1e9999",
]
NAMES = (
    "CallFrom",
    "CallTo",
    "From",
    "To",
    "CustomField",
    "CallStatus",
    "CallType",
    "digits",
    "Created",
    "StartTime",
    "EndTime",
    "CurrentTime",
    "DateUpdated",
    "DialCallStatus",
    "DialCallDuration",
    "DialWhomNumber",
    "ConversationDuration",
    "RecordingUrl",
    "Legs",
    "Legs[0][Number]",
    "Legs[0][OnCallDuration]",
    "Stream",
    "Stream[StreamSID]",
    "Stream[Duration]",
    "Stream[RecordingUrl]",
    "Status",
    "EventType",
    "format",
    "mode",
)


def odd(way: Way, text: str) -> Iterator[bytes]:
    """A text in place of the call's name, and of everything that is told of it."""
    told = [("CallSid", "odd"), ("Direction", "outgoing"), *((name, text) for name in NAMES)]
    yield written("GET", way.target([*way.told.items(), ("CallSid", text)]))
    named = [
        ("Direction", "outgoing"),
        ("CustomField", text),
        (text, text),
        (f"Legs[{text}]", text),
    ]
    yield written("GET", way.target([("CallSid", "odd"), *named]))
    yield form(way, told)
    fields = json.dumps(dict(told)).encode("utf-8", "surrogatepass")
    yield written("POST", way.target(), (("Content-Type", "application/json"),), fields)
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in told
    )
    body = f"{parts}--x--\r\n".encode("utf-8", "surrogatepass")
    yield written(
        "POST", way.target(), (("Content-Type", "multipart/form-data; boundary=x"),), body
    )


async def test_no_text_in_any_parameter_is_an_error_of_ours(tmp_path: Path) -> None:
    """Markup, control characters, paths, depths: answered, or turned away."""
    async with asking(tmp_path) as asker:
        for way in filter(ONCE.__contains__, HOOKS):
            found = await asker.statuses(request for text in ODD for request in odd(way, text))
            assert found <= {200, 302, 400, 413}, (way.path, found)
        await asker.all_is_well()


async def test_a_call_of_any_name_is_told_and_names_no_other_file(tmp_path: Path) -> None:
    """The API finds what is kept under a hostile CallSid, and nothing else."""
    async with asking(tmp_path) as asker:
        answer = ROUTES["/exotel/answer"]
        for number, text in enumerate(ODD):
            await asker.ask(written("GET", answer.target([("CallSid", text)])))
            for path in ("/api/v1/calls/{call_sid}", "/api/v1/calls/{call_sid}/recording"):
                way = ROUTES[path]
                asked = written("GET", way.target(call_sid=text), way.headers)
                assert (await asker.ask(asked)).status in (200, 404), (number, path)
        await asker.all_is_well()
    names = {path.name for path in (tmp_path / "data").rglob("*")}
    assert not [name for name in names if "passwd" in name or "script" in name]


async def test_a_stream_of_any_name_is_a_call_or_none(tmp_path: Path) -> None:
    """Whatever stands for the call and the stream in ``start``; a NUL, which no database takes, is
    no call's."""
    async with asking(tmp_path) as asker:
        url = f"{asker.server.stream_url}?auth_token={SECRET}"
        for text in ODD:
            async with stream(url, call_sid=text, stream_sid=text) as peer:
                await peer.start()
                if "\0" in text:
                    assert await peer.close_code() == 1008
        sessions = asker.server.bridge.desk.sessions
        await until(lambda: not sessions)
        assert not [call_sid for call_sid in (await asker.noticed())["facts"] if "\0" in call_sid]
        await asker.all_is_well()


HEADERS = (
    "Accept",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Exotel-Version",
    "Forwarded",
    "Host",
    "If-Range",
    "Origin",
    "Range",
    "Sec-WebSocket-Extensions",
    "Sec-WebSocket-Protocol",
    "X-Forwarded-For",
    "X-Forwarded-Host",
)
VALUES = ("", "ÿ" * 10, "a\x01b", "x" * 3000, "[::1")


async def test_no_byte_in_a_header_is_an_error_of_ours(tmp_path: Path) -> None:
    """In any header that is looked at, at every route, with and without what opens it."""
    async with asking(tmp_path) as asker:
        for way in ONCE:
            target = way.target([("CallSid", "odd")] if way.told else [])
            found = await asker.statuses(
                written("GET", target, (*way.headers, (name, value)))
                for name in HEADERS
                for value in VALUES
            )
            known = {0, 101, 200, 206, 302, 400, 401, 403, 404, 416, 426}
            assert found <= known, (way.path, found - known)
        await asker.all_is_well()


PATHS = (
    "ÿ",
    "\u00c3\u00bc",
    "%00",
    "%ff",
    "%",
    "%zz",
    "..",
    "%2e%2e%2f",
    "//",
    "\\",
    ";x",
    "a\x01",
)


async def test_no_byte_in_a_path_is_an_error_of_ours(tmp_path: Path) -> None:
    """As it stands on the wire, encoded or not, with and without what opens the route."""
    async with asking(tmp_path) as asker:
        for way in ROUTES.values():
            plain = way.path
            for name in way.params:
                plain = plain.replace(f"{{{name}}}", "\x02")
            found = await asker.statuses(
                written("GET", target, way.headers)
                for byte in PATHS
                for target in (plain.replace("\x02", byte), plain.replace("\x02", "x") + byte)
            )
            assert found <= {200, 307, 400, 401, 403, 404}, (way.path, found)
        await asker.all_is_well()


# ------------------------------------------------------------------ not served

METHODS = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "ÿ")


async def test_no_other_method_is_served(tmp_path: Path) -> None:
    """Not even to who may ask; and a HEAD is a GET without its body."""
    async with asking(tmp_path) as asker:
        before = await asker.noticed()
        for way in ROUTES.values():
            headers = way.headers if not way.is_stream else ()
            asked = [written(method, way.target(), headers) for method in METHODS]
            if not way.told:
                asked.append(written("POST", way.target(), headers, b"CallSid=c"))
            found = await asker.statuses(asked)
            assert found <= {400, 404, 405}, (way.path, found)
            head = await asker.ask(written("HEAD", way.target(), headers))
            assert head.status in (200, 400, 404), way.path
            assert head.body == b""
        assert await asker.noticed() == before
        await asker.all_is_well()


TYPES = (
    "",
    "application/json",
    "application/xml",
    "application/x-www-form-urlencoded; charset=utf-7",
    "image/png",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary="' + "y" * 300,
    "multipart/form-data; boundary=\xff",
    "multipart/mixed; boundary=x",
    "text/plain; charset=nothing",
)
BODIES = (
    b"",
    b"\xff\xfe\0",
    b"CallSid=odd",
    b'{"CallSid":"odd"}',
    b"--x\r\n\r\n",
    b"[]",
    b"{" * 99,
)


async def test_no_content_type_makes_a_body_an_error_of_ours(tmp_path: Path) -> None:
    """One that says something else than the body is, and one that says nothing."""
    async with asking(tmp_path) as asker:
        for way in HOOKS:
            found = await asker.statuses(
                written("POST", way.target(), (("Content-Type", kind),), body)
                for kind in TYPES
                for body in BODIES
            )
            assert found <= {200, 302, 400}, (way.path, found)
        await asker.all_is_well()


# ------------------------------------------------------------------ in pieces


async def test_a_body_that_comes_slowly_is_waited_for(tmp_path: Path) -> None:
    """Byte by byte, while others are answered."""
    async with asking(tmp_path) as asker:

        async def trickle(way: Way) -> int:
            reader, writer = await asyncio.open_connection("127.0.0.1", asker.port)
            for byte in form(way, [("CallSid", "slow"), *way.told.items()]):
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.transport.abort()
            return sound(answer).status

        found = await asyncio.gather(*map(trickle, HOOKS))
        assert set(found) <= {200, 302}
        await asker.all_is_well()


async def test_a_handshake_that_cannot_be_read_is_hung_up_on(tmp_path: Path) -> None:
    """One with a body, a method of its own or a very long line; nobody holds a connection that
    way."""
    async with asking(tmp_path) as asker:
        for way in (way for way in ROUTES.values() if way.is_stream):
            for request in (
                written("POST", way.bare(), way.headers, b"abc"),
                written("GET", way.bare(), way.headers, b"abc"),
                written("GET", way.bare(), (*way.headers, ("X-Long", "x" * 9000))),
            ):
                assert (await asker.ask(request)).status in (400, 431)
        await asker.all_is_well()


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_request_that_breaks_off_leaves_nothing(reset: bool, tmp_path: Path) -> None:
    """In its head or in its body, by a close or a reset: no error, no line of it is kept."""
    async with asking(tmp_path) as asker:
        before = await asker.noticed()
        for way in ROUTES.values():
            whole = form(way, [("CallSid", "broken"), *way.told.items()])
            for size in (20, len(whole) // 2, len(whole) - 1):
                line = socket.create_connection(("127.0.0.1", asker.port), timeout=5)
                line.sendall(whole[:size])
                await asyncio.sleep(0.005)  # it has been read so far
                if reset:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                line.close()
        await asker.all_is_well()
        assert await asker.noticed() == before


# ------------------------------------------------------------------ what grows


async def test_no_request_makes_a_metric_of_its_own(tmp_path: Path) -> None:
    """What is told is no label: five odd words leave as many lines as one."""
    async with asking(tmp_path) as asker:

        async def lines() -> int:
            way = ROUTES["/metrics"]
            return (await asker.ask(written("GET", way.target(), way.headers))).body.count(b"\n")

        async def tell(word: str) -> None:
            for way in HOOKS:
                told = [("CallSid", "odd"), *((name, word) for name in NAMES)]
                await asker.ask(form(way, told))
            for way in ROUTES.values():
                await asker.ask(written("GET", way.bare(word), way.headers))

        await tell("first")
        once = await lines()
        for number in range(4):
            await tell(f"word{number}")
        assert await lines() == once
