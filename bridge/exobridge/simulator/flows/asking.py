"""Asks a server's webhooks. Whatever it answers is data; nothing is raised.

What an answer holds is judged by who asked;
what every answer has in common, that it comes and comes in time, is judged here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from exobridge.simulator.answer import LATE_MS, with_query
from exobridge.simulator.client import read_body
from exobridge.simulator.flows.one_call import OneCall
from exobridge.simulator.flows.report import Asked, What
from exobridge.simulator.reason import reason
from exobridge.simulator.rules import Rule
from exobridge.simulator.timeline import Kind, Party

MAX_TEXT_BYTES = 65_536
"""The longest answer that is read, in bytes."""
MAX_AUDIO_BYTES = 5_000_000
_LONG_SEGMENT = 24
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Question:
    """A request to the server.

    Attributes:
        what: What for.
        url: Absolute, or a path on the server under test.
        timeout_s: Until the answer must be complete.
        timeout: The rule that is broken otherwise.
        late: The rule that is broken after a second, where the caller waits; ``None``: none.
        parameters: What is told.
        method: They go into the query of a GET, and into the form of a POST.
        headers: Besides the usual ones.
        own: It is a URL of the flow, and not one that the server gave: the secret is set in it.
        max_bytes: Longest answer that is read.
        applet: For which; empty: for none.
    """

    what: What
    url: str
    timeout_s: float
    timeout: Rule
    late: Rule | None = None
    parameters: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    method: Literal["GET", "POST"] = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    own: bool = True
    max_bytes: int = MAX_TEXT_BYTES
    applet: str = ""

    @property
    def title(self) -> str:
        """What is asked, where the URL is not to be shown."""
        return f"{self.what} {self.parameters.get('EventType', '')}".rstrip()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        status: ``None``: nothing did.
        kind: Its content type, without parameters, in lower case.
        body: ``None``: nothing came, or more than is read.
        why: Why nothing came.
        ms: From the request to the end of the answer.
    """

    status: int | None = None
    kind: str = ""
    body: bytes | None = None
    why: Literal["", "timeout", "unreachable", "abandoned"] = ""
    ms: float | None = None

    @property
    def text(self) -> str | None:
        """The body as text; ``None`` if it is none."""
        try:
            return None if self.body is None else self.body.decode()
        except UnicodeDecodeError:
            return None

    @property
    def size(self) -> str:
        """How long the body is, in words."""
        return "too long a body" if self.body is None else f"{len(self.body)} bytes"


async def ask(call: OneCall, question: Question, **send: Any) -> Reply:
    """Ask, and write down what was asked and answered.

    Args:
        call: For which call.
        question: What is asked.
        send: What a POST carries, as ``httpx`` takes it, in place of a form of the parameters.
    """
    began = call.now_ms
    try:
        url = call.at_server(question.url)
        if question.own and call.around.auth_token:
            url = with_query(url, {"auth_token": call.around.auth_token})
        if question.method == "GET":
            url = with_query(url, question.parameters)
        elif not send:
            send = {"data": dict(question.parameters)}
        # A URL of the server's own may hold its secrets anywhere.
        shown = shown_url(url, call.around.auth_token) if question.own else question.title
    except ValueError:
        return _unreachable(call, question, began, "no URL")
    label = f"{question.method} {shown}"
    call.tell(Kind.REQUEST, Party.EXOTEL, Party.SERVER, label, question.applet)
    try:
        reply = await _within(call, question, url, send)
    except (TimeoutError, httpx.TimeoutException):
        return _none_in_time(call, question, began)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return _unreachable(call, question, began, reason(error))
    if reply is None:
        return Reply(why="abandoned")
    ms = call.now_ms - began
    _write(call, question, began, ms, reply.status)
    told = f"{reply.status} after {ms:.0f} ms"
    detail = f"{reply.kind or 'no type'}, {reply.size}"
    call.tell(Kind.ANSWER, Party.SERVER, Party.EXOTEL, told, detail)
    if question.late is not None and ms > LATE_MS:
        call.broken(question.late, f"{ms:.0f} ms")
    return Reply(reply.status, reply.kind, reply.body, ms=ms)


def shown_url(url: str, secret: str = "") -> str:
    """Its path as it may be shown.

    Args:
        url: Of an applet.
        secret: Not shown; neither are long parts of the path, which may be others.

    Raises:
        ValueError: It is no URL.
    """
    parts = [
        "…" if len(part) > _LONG_SEGMENT or (secret and secret in part) else part
        for part in urlsplit(url).path.split("/")
    ]
    return "/".join(parts)[:_SHOWN] or "/"


async def _within(
    call: OneCall, question: Question, url: str, send: Mapping[str, Any]
) -> Reply | None:
    """The answer; ``None`` if it was no longer waited for, as the whole run is to end."""
    sending = asyncio.ensure_future(_send(call.around.http, question, url, send))
    leaving = asyncio.ensure_future(call.abandoned.wait())
    try:
        async with asyncio.timeout(question.timeout_s):
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        return sending.result() if sending.done() else None
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(
    http: httpx.AsyncClient, question: Question, url: str, send: Mapping[str, Any]
) -> Reply:
    async with http.stream(question.method, url, headers=question.headers, **send) as response:
        body = await read_body(response, question.max_bytes)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Reply(response.status_code, kind[:_SHOWN], body)


def _none_in_time(call: OneCall, question: Question, began: float) -> Reply:
    _write(call, question, began, None, None)
    seen = f"none in {question.timeout_s:g} s"
    call.tell(Kind.ANSWER, Party.SERVER, Party.EXOTEL, "no answer", seen)
    call.broken(question.timeout, seen)
    return Reply(why="timeout")


def _unreachable(call: OneCall, question: Question, began: float, why: str) -> Reply:
    _write(call, question, began, None, None)
    call.tell(Kind.ANSWER, Party.SERVER, Party.EXOTEL, "no answer", why)
    call.broken(Rule.WEBHOOK_UNREACHABLE, f"{question.what}: {why}")
    return Reply(why="unreachable")


def _write(
    call: OneCall, question: Question, began: float, ms: float | None, status: int | None
) -> None:
    call.book.asked.append(Asked(question.what, began, ms, status, question.applet))
