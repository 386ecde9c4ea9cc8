"""Small servers that break one rule each, and right ones that break none."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from exobridge.simulator import Rule
from tests.simulator.servers import (
    Bot,
    BotLine,
    beep,
    bot_server,
    http_answer,
    http_server,
    refusing_server,
)

Server = Callable[[], AbstractAsyncContextManager[str]]
"""Serves while it is entered; yields the URL that a call is placed on."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A server, and what it breaks.

    Attributes:
        server: It.
        also: Rules that cannot but be broken along with it.
        limits: Of the call, where the usual ones would keep the test waiting.
    """

    server: Server
    also: frozenset[Rule] = frozenset()
    limits: Mapping[str, float] = field(default_factory=dict[str, float])


async def right(line: BotLine) -> None:
    """Greets in paced chunks with a mark behind them; when it comes back, closes."""
    for _ in range(4):
        await line.play(beep(100))
        await asyncio.sleep(0.09)
    await line.send("mark", mark={"name": "greeted"})
    assert (await line.next("mark"))["mark"] == {"name": "greeted"}
    await line.send("clear")
    await line.play(beep(100))
    await line.send("mark", mark={"name": "bye"})
    await line.next("mark")
    await line.socket.close(1000)


def bot(script: Bot) -> Server:
    """A bot behind a static URL."""
    return lambda: bot_server(script)


def first(send: Callable[[BotLine], Any]) -> Server:
    """A bot that does something wrong, and then everything right."""

    async def script(line: BotLine) -> None:
        await send(line)
        await right(line)

    return bot(script)


def says(message: str | bytes) -> Server:
    """A bot that sends one wrong message."""
    return first(lambda line: line.socket.send(message))


def stream_url(ending: str) -> Server:
    """A right bot behind a webhook that answers its URL with this ending."""

    @asynccontextmanager
    async def serve() -> AsyncGenerator[str, None]:
        async with bot_server(right) as stream:
            body = json.dumps({"url": f"{stream}{ending}"}).encode()
            async with http_server(http_answer("200 OK", body)) as (url, _):
                yield url

    return serve


def answers(status: str, body: bytes) -> Server:
    """A webhook that answers this."""
    return raw(http_answer(status, body))


def raw(answer: bytes, delay_s: float = 0.0) -> Server:
    """A webhook that answers these bytes."""

    @asynccontextmanager
    async def serve() -> AsyncGenerator[str, None]:
        async with http_server(answer, delay_s) as (url, _):
            yield url

    return serve


def asked(kind: str = "application/json", delay_s: float = 0.0) -> Server:
    """A right bot behind a webhook."""

    @asynccontextmanager
    async def serve() -> AsyncGenerator[str, None]:
        async with bot_server(right) as stream:
            body = json.dumps({"url": f"{stream}/media?sample-rate=8000&a=1&b=2&c=3"}).encode()
            async with http_server(http_answer("200 OK", body, kind), delay_s) as (url, _):
                yield url

    return serve


@asynccontextmanager
async def refuses() -> AsyncGenerator[str, None]:
    """No handshake is completed."""
    async with refusing_server(403) as (url, _):
        yield url


async def floods(line: BotLine) -> None:
    """Sends a message that no server has a use for."""
    await line.socket.send("x" * 1_100_000)
    await line.until_gone()


async def fills(line: BotLine) -> None:
    """Sends more than five minutes of silence at once."""
    payload = base64.b64encode(bytes(99_840)).decode()
    for _ in range(52):
        await line.play_payload(payload)
    await line.send("clear")
    await right(line)


async def dumps(line: BotLine) -> None:
    """Sends five seconds at once, and thinks better of it."""
    await line.play(beep(5000))
    await line.send("clear")
    await right(line)


async def talks_on(line: BotLine) -> None:
    """Does not heed stop."""
    while True:
        await line.play(beep(20))
        await asyncio.sleep(0.02)


async def leaves(line: BotLine) -> None:
    """Hangs up in the middle of its greeting."""
    await line.play(beep(1000))
    await line.socket.close(1000)


async def counts_nothing(line: BotLine) -> None:
    """Sends media as the shortest example has it."""
    payload = base64.b64encode(beep(100)).decode()
    for _ in range(3):
        frame = {"event": "media", "stream_sid": line.stream_sid, "media": {"payload": payload}}
        await line.socket.send(json.dumps(frame))
    await right(line)


def chunk(audio: bytes) -> Server:
    """A bot that sends a chunk as nobody should."""
    return first(lambda line: line.play(audio))


RIGHT: dict[str, Server] = {"static": bot(right), "asked": asked()}
"""Servers that keep every rule of a call."""

WRONG: dict[Rule, Wrong] = {
    Rule.ANSWER_STATUS: Wrong(answers("500 Oh", b"")),
    Rule.ANSWER_TYPE: Wrong(asked("text/html")),
    Rule.ANSWER_BODY: Wrong(answers("200 OK", b"wss://bot.example/media")),
    Rule.ANSWER_LATE: Wrong(asked(delay_s=1.1), limits={"answer_s": 4}),
    Rule.ANSWER_TIMEOUT: Wrong(raw(b"", delay_s=20), limits={"answer_s": 1.2}),
    Rule.ANSWER_UNREACHABLE: Wrong(raw(b"\x00garbage\r\n\r\n")),
    Rule.STREAM_URL: Wrong(answers("200 OK", b'{"url": "https://bot.example/media"}')),
    Rule.STREAM_URL_LONG: Wrong(stream_url("/" + "a" * 600)),
    Rule.STREAM_PARAMETERS: Wrong(stream_url("/?sample-rate=8000&a=1&b=2&c=3&d=4")),
    Rule.STREAM_RATE: Wrong(stream_url("/?sample-rate=11025")),
    Rule.HANDSHAKE: Wrong(refuses),
    Rule.BINARY_FRAME: Wrong(says(b"\x00\x01")),
    Rule.FRAME_TOO_LARGE: Wrong(bot(floods)),
    Rule.NOT_JSON: Wrong(says("hello")),
    Rule.MISSING_FIELD: Wrong(first(lambda line: line.send("mark"))),
    Rule.UNKNOWN_EVENT: Wrong(first(lambda line: line.send("hangup"))),
    Rule.WRONG_STREAM_SID: Wrong(says('{"event": "clear", "stream_sid": "another"}')),
    Rule.BAD_BASE64: Wrong(first(lambda line: line.play_payload("data:audio/wav;base64,AAAA"))),
    Rule.CHUNK_EMPTY: Wrong(chunk(b"")),
    Rule.CHUNK_STEP: Wrong(chunk(bytes(1000))),
    Rule.CHUNK_TOO_LARGE: Wrong(chunk(bytes(100_160))),
    Rule.BUFFER_FULL: Wrong(bot(fills), also=frozenset({Rule.LEAD_TOO_LONG})),
    Rule.LEAD_TOO_LONG: Wrong(bot(dumps)),
    Rule.AUDIO_AFTER_STOP: Wrong(bot(talks_on), limits={"linger_s": 0.3}),
    Rule.CLOSED_BEFORE_PLAYED: Wrong(bot(leaves)),
    Rule.MISSING_NUMBERS: Wrong(bot(counts_nothing)),
}
"""For each rule of a call a server that breaks it, and nothing else."""
