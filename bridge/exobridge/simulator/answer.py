"""The question before a stream: a webhook is asked for its URL, and the answer is judged.

Exotel sends a GET with the call's parameters and reads ``{"url": "wss://…"}`` from a 200; a 302
means the flow's other branch, so there is no stream. A redirect is never followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from exobridge.simulator.client import read_body
from exobridge.simulator.plan import SAMPLE_RATES
from exobridge.simulator.reason import reason
from exobridge.simulator.rules import Breach, Rule
from exobridge.simulator.wire import Identity

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Exotel's times are India's."""
LATE_MS = 1000
MAX_BODY_BYTES = 65_536
MAX_URL_CHARS = 600
MAX_QUERY_CHARS = 256
MAX_PARAMETERS = 3
_RATE_NAMES = ("sample-rate", "sample_rate")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        stream_url: Where the stream goes; ``None`` if there is none.
        refused: The server chose the other branch (302).
        ms: From the request to the end of the answer; ``None`` if none came.
        status: Its HTTP status; ``None`` if none came.
        breaches: The rules it did not keep.
    """

    stream_url: str | None = None
    refused: bool = False
    ms: float | None = None
    status: int | None = None
    breaches: tuple[Breach, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamTarget:
    """What a stream's URL says.

    Attributes:
        custom_parameters: For the start event.
        sample_rate: Hertz, if the URL asks for a valid one.
        breaches: The rules it does not keep.
    """

    custom_parameters: Mapping[str, str]
    sample_rate: int | None
    breaches: tuple[Breach, ...]


def passthru_parameters(
    identity: Identity, now: datetime, *, outgoing: bool = False
) -> dict[str, str]:
    """A call's parameters, as a Passthru or Voicebot applet sends them.

    Args:
        identity: Who calls whom.
        now: An aware time.
        outgoing: ``identity.caller`` was called, from ``identity.called``.
    """
    human, ours = identity.caller, identity.called
    call_from, call_to = (ours, human) if outgoing else (human, ours)
    local = now.astimezone(IST)
    plain = local.strftime("%Y-%m-%d %H:%M:%S")
    return {
        "CallSid": identity.call_sid,
        "CallFrom": call_from,
        "CallTo": call_to,
        "CallStatus": "in-progress",
        "Direction": "outbound-dial" if outgoing else "incoming",
        "Created": local.strftime("%a, %d %b %Y %H:%M:%S"),
        "DialCallDuration": "0",
        "StartTime": plain,
        "EndTime": "1970-01-01 05:30:00",
        "CallType": "call-attempt",
        "DialWhomNumber": "",
        "From": human,
        "To": ours,
        "CurrentTime": plain,
    }


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """``url`` with parameters set in its query; the others stay as they are."""
    parts = urlsplit(url)
    kept = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters
    ]
    return urlunsplit(parts._replace(query=urlencode([*kept, *parameters.items()])))


def examine(stream_url: str) -> StreamTarget:
    """Read a stream's URL as Exotel does."""
    breaches: list[Breach] = []
    query = urlsplit(stream_url).query
    if len(stream_url) >= MAX_URL_CHARS:
        breaches.append(Breach(Rule.STREAM_URL_LONG, f"{len(stream_url)} characters"))
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    rates = [parameters.pop(name) for name in _RATE_NAMES if name in parameters]
    if len(parameters) > MAX_PARAMETERS or len(query) > MAX_QUERY_CHARS:
        seen = f"{len(parameters)} parameters, {len(query)} characters"
        breaches.append(Breach(Rule.STREAM_PARAMETERS, seen))
    sample_rate = next((rate for rate in SAMPLE_RATES if rates[:1] == [str(rate)]), None)
    if rates and sample_rate is None:
        breaches.append(Breach(Rule.STREAM_RATE, repr(rates[0][:20])))
    return StreamTarget(parameters, sample_rate, tuple(breaches))


def is_stream_url(url: str) -> bool:
    """Whether a WebSocket can be opened to it."""
    try:
        url.encode()  # JSON can say what no URL can
        parts = urlsplit(url)
        return parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


async def ask(
    client: httpx.AsyncClient, url: str, *, timeout_s: float, clock: Callable[[], float]
) -> Answer:
    """Ask the webhook. What goes wrong is in the answer; nothing is raised.

    Args:
        client: Sends the request.
        url: The webhook with all parameters.
        timeout_s: Seconds until the answer must be complete.
        clock: Seconds, monotonic.
    """
    began = clock()
    try:
        async with asyncio.timeout(timeout_s), client.stream("GET", url) as response:
            body = await read_body(response, MAX_BODY_BYTES)
    except (TimeoutError, httpx.TimeoutException):
        return Answer(breaches=(Breach(Rule.ANSWER_TIMEOUT, f"none in {timeout_s:g} s"),))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Answer(breaches=(Breach(Rule.ANSWER_UNREACHABLE, reason(error)),))
    ms = (clock() - began) * 1000
    late = (Breach(Rule.ANSWER_LATE, f"{ms:.0f} ms"),) if ms > LATE_MS else ()
    return _judge(response, body, ms, late)


def _judge(
    response: httpx.Response, body: bytes | None, ms: float, late: tuple[Breach, ...]
) -> Answer:
    if response.status_code == 302:
        return Answer(refused=True, ms=ms, status=302, breaches=late)
    if response.status_code != 200:
        wrong = Breach(Rule.ANSWER_STATUS, f"status {response.status_code}")
        return Answer(ms=ms, status=response.status_code, breaches=(*late, wrong))
    breaches = list(late)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        breaches.append(Breach(Rule.ANSWER_TYPE, repr(kind[:40])))
    stream_url = _url_in(body)
    if stream_url is None:
        breaches.append(Breach(Rule.ANSWER_BODY, _size(body)))
    elif not is_stream_url(stream_url):
        breaches.append(Breach(Rule.STREAM_URL, f"{len(stream_url)} characters"))
        stream_url = None
    return Answer(stream_url=stream_url, ms=ms, status=200, breaches=tuple(breaches))


def _size(body: bytes | None) -> str:
    return f"{len(body)} bytes" if body is not None else f"over {MAX_BODY_BYTES} bytes"


def _url_in(body: bytes | None) -> str | None:
    try:
        content: Any = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    url = cast(dict[str, Any], content).get("url")
    return url if isinstance(url, str) else None
