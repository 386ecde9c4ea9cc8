"""Servers that answer every webhook of a flow with something no server should."""

from __future__ import annotations

import asyncio
import json

from exobridge.simulator.flows.applets.dialling import LATE_EVENTS
from exobridge.simulator.flows.around import Waits
from exobridge.simulator.flows.one_call import MAX_WORDS_CHARS
from exobridge.simulator.flows.report import Ending
from exobridge.simulator.page import page
from exobridge.simulator.rules import Rule, Severity
from exobridge.simulator.timeline import Kind
from tests.simulator.flows.ground import Given, flow_of, ground, rules, told, walked
from tests.simulator.servers import http_server

EVERYTHING = """
[call]
timeout_seconds = 8.0
[applet.first]
type = "passthru"
url = "/passthru"
ok = "greeting"
other = "greeting"
on_timeout = "greeting"
on_error = "greeting"
timeout_seconds = 0.3
[applet.greeting]
type = "greeting"
url = "/greeting"
timeout_seconds = 0.3
next = "bot"
[applet.bot]
type = "voicebot"
url = "/answer"
next = "listener"
[applet.listener]
type = "stream"
url = "/answer"
next = "json"
[applet.json]
type = "connect"
url = "/dial-up"
fallback_url = "/dial-up"
after_conversation = "text"
nobody_answers = "text"
not_dialled = "text"
[applet.text]
type = "connect"
contract = "text"
url = "/dial-up"
nobody_answers = "end"
not_dialled = "end"
[callback]
url = "/callback"
"""
OK = b"HTTP/1.1 200 OK\r\n"
HOSTILE = {
    "nothing": b"",
    "no HTTP": b"\x00\xff garbage\r\n\r\n",
    "a version of its own": b"HTTP/9 200\r\n\r\n",
    "a status of its own": b"HTTP/1.1 999 Odd\r\n\r\n",
    "half an answer": OK + b"Content-Length: 1000\r\n\r\nhalf",
    "a length below nothing": OK + b"Content-Length: -1\r\n\r\n",
    "chunks that are none": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "packed, and not": OK + b"Content-Encoding: gzip\r\n\r\nnot gzip",
    "a type that is no text": OK + b"Content-Type: \xff\xfe\r\n\r\n\xff\xfe",
    "a redirect to itself": b"HTTP/1.1 302 Found\r\nLocation: /passthru\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: odd\r\n\r\n",
    "first this, then that": b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + OK + b"\r\n",
    "a cookie for all": OK + b"Set-Cookie: a=b; Domain=\xff\r\n\r\n",
    "headers without end": OK + b"X: y\r\n" * 30_000,
    "a body without end": OK + b"Content-Type: application/json\r\n\r\n" + b"[" * 200_000,
    "a URL that is none": OK + b'Content-Type: application/json\r\n\r\n{"url": "ws://["}',
}


async def test_no_answer_raises_out_of_a_walk() -> None:
    """Each is a violation, the flow goes on to its end, and the report can be written."""

    async def walks(name: str, answer: bytes) -> None:
        async with http_server(answer) as (url, _):
            report = await walked(flow_of(EVERYTHING, url), waits=Waits(retry=0.01))
        assert report.path == ("first", "greeting", "bot", "listener", "json", "text", "end"), name
        assert report.ending is Ending.COMPLETED, name
        assert any(each.severity is Severity.ERROR for each in report.violations), name
        assert json.dumps(report.to_json())

    await asyncio.gather(*(walks(name, answer) for name, answer in HOSTILE.items()))


CONNECT = """
[call]
timeout_seconds = 8.0
[applet.first]
type = "connect"
url = "/dial-up"
after_conversation = "end"
nobody_answers = "end"
not_dialled = "end"
"""


def agents(count: int, does: str) -> str:
    """So many phones that all do the same, as TOML."""
    tables = (
        f'[[agent]]\nnumber = "{number(index)}"\ndoes = ["{does}"]\nring_seconds = 0\n'
        "talk_seconds = 0.05\n"
        for index in range(count)
    )
    return CONNECT + "".join(tables)


def number(index: int) -> str:
    """Of an agent."""
    return f"+9199000{index:05}"


def dial_up(*numbers: str, **keys: object) -> Given:
    """An answer of a programmable Connect applet."""
    return Given({"destination": {"numbers": numbers}, **keys})


async def test_numbers_without_end_are_not_all_dialled() -> None:
    """The first hundred are, and a note says so."""
    numbers = map(number, range(2000))
    async with ground(**{"dial-up": dial_up(*numbers)}) as here:
        report = await walked(flow_of(agents(100, "busy"), here.url))
    assert [each.number for each in report.dialled] == [number(index) for index in range(100)]
    assert "of an answer's numbers the first 100 are dialled" in report.notes
    assert report.path == ("first", "end")


async def test_dial_events_that_nobody_answers_do_not_hold_a_run_up() -> None:
    """They are told one after the other; once the call is over, for as long as one may take."""
    async with ground(events=Given(delay_s=20)) as here:
        told = dial_up(*map(number, range(100)), dial_passthru_event_url=f"{here.url}/events")
        here.set("/dial-up", told)
        report = await walked(flow_of(agents(100, "busy"), here.url), waits=Waits(dial_event=0.2))
        sent = len(here.at("/events"))
    assert len(report.dialled) == 100
    assert 0 < sent < 20  # of two hundred
    assert LATE_EVENTS in report.notes


async def test_what_json_can_say_and_no_text_can_is_replaced() -> None:
    """Half a character of UTF-16: the report can be written as UTF-8, and so can its page."""
    whisper = {"playback_to": "callee", "type": "text", "value": "half \ud800 <script>"}
    events = "http://127.0.0.1:9/\ud800"
    told = dial_up(number(0), start_call_playback=whisper, dial_passthru_event_url=events)
    async with ground(**{"dial-up": told}) as here:
        report = await walked(flow_of(agents(1, "answers"), here.url))
    assert [each.whisper for each in report.dialled] == ["half ? <script>"]
    assert json.dumps(report.to_json(), ensure_ascii=False).encode()
    shown = page(report)
    assert shown.encode()
    assert "<script" not in shown


async def test_a_stream_url_that_is_no_text_is_none() -> None:
    """It is judged, and no stream is tried."""
    flow = '[applet.first]\ntype = "voicebot"\nurl = "/answer"\nnext = "end"\n'
    flow += '[stream.parameters]\nplan = "gold"\n'
    async with ground(answer=Given({"url": "ws://127.0.0.1:9/?half=\ud800"})) as here:
        report = await walked(flow_of(flow, here.url))
    assert rules(report) == [Rule.STREAM_URL]
    assert report.path == ("first", "end")


async def test_a_long_text_is_shown_in_part() -> None:
    """A timeline of many such would be of no use, and large."""
    flow = '[applet.first]\ntype = "greeting"\nurl = "/greeting"\nnext = "end"\n'
    async with ground(greeting=Given("o" * 60_000)) as here:
        report = await walked(flow_of(flow, here.url))
    assert told(report, Kind.SPEECH) == ["o" * MAX_WORDS_CHARS]


async def test_no_cookie_is_sent_back() -> None:
    """Neither to a webhook nor with the question for a stream: Exotel keeps none."""
    flow = """
[applet.first]
type = "passthru"
url = "/passthru"
ok = "bot"
[applet.bot]
type = "voicebot"
url = "/answer"
next = "again"
[applet.again]
type = "voicebot"
url = "/answer"
next = "end"
[callback]
url = "/callback"
"""
    given = Given(headers={"set-cookie": "session=1; Path=/"})
    refused = Given(status=302, headers=given.headers)
    async with ground(passthru=given, answer=refused, callback=given) as here:
        await walked(flow_of(flow, here.url))
        assert [seen.path for seen in here.seen] == ["/passthru", "/answer", "/answer", "/callback"]
        assert not any("cookie" in seen.headers for seen in here.seen)
