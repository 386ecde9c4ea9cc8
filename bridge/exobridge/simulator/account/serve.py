"""The account at a port: one request a connection, with whatever fault it meets."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from http import HTTPStatus
from urllib.parse import unquote

from exobridge.simulator.account.account import Account
from exobridge.simulator.account.answers import Answer, Refusal
from exobridge.simulator.account.api import answer, is_connect, refusal_of
from exobridge.simulator.account.faults import Fault
from exobridge.simulator.account.reading import Asked, read_request
from exobridge.simulator.account.recordings import part_of, pieces

HANG_SECONDS = 300.0
"""Longest time for which an answer does not come, if the other side does not give up."""
SEND_SECONDS = 60.0
"""Longest wait for the other side to read a piece of an answer."""
LET_GO_SECONDS = 1.0
MAX_CONNECTIONS = 1000
"""At once; more are reset."""

_RECORDING = re.compile(r"/(?:exotelrecordings/([^/]+)|presigned)/([^/]+)\.mp3")


@asynccontextmanager
async def serve_account(
    account: Account, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[Account]:
    """Let an account be asked, and tell it where; at the end every connection is over.

    Args:
        port: 0: one that is free.

    Raises:
        OSError: The port is taken.
    """
    running: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await attend(account, reader, writer)
        finally:
            writer.close()
            with suppress(OSError):  # what it ended with; asyncio would tell of it when nobody asks
                await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(running) >= MAX_CONNECTIONS:
            return writer.transport.abort()
        task = asyncio.create_task(serve(reader, writer))
        running[task] = writer
        task.add_done_callback(running.pop)

    server = await asyncio.start_server(begin, host, port)
    try:
        bound = server.sockets[0].getsockname()[1]
        account.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        yield account
    finally:
        for _ in range(4):  # turns of the loop in which asyncio takes a connection and tells of it
            await asyncio.sleep(0)
        server.close()
        for task, writer in list(running.items()):
            task.cancel()
            writer.transport.abort()  # or it waits for a peer that does not read
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0.01)  # a transport closes its socket on the loop's next turn


async def attend(
    account: Account, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Read one request and answer it. The caller closes the connection."""
    try:
        try:
            asked = await read_request(reader)
        except Refusal as refusal:
            await _send(writer, refusal_of(account, ".json", refusal))
            return await _let_go(reader, writer)
        if asked is not None:
            account.note(asked)
            await _meet(account, asked, reader, writer)
    except (ConnectionError, TimeoutError):
        writer.transport.abort()


async def _meet(
    account: Account, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    fault = account.faults.take(asked.path)
    if fault is None and account.meets is not None:
        fault = account.meets(asked)
    if fault is None and (found := _RECORDING.fullmatch(asked.path)):
        return await _send_recording(account, found, asked, writer)
    told = await _carried_out(account, asked) if fault is None or fault.after else None
    if fault is None:
        return await _send(writer, told or Answer(500))
    if fault.how in ("hang", "reset"):
        return await _broken_off(fault, reader, writer)
    if told is None or not fault.how:
        told = _faulty(account, asked, fault)
    await _send(writer, told, cut=fault.how == "cut")


async def _carried_out(account: Account, asked: Asked) -> Answer:
    told = answer(account, asked)
    if is_connect(asked) and told.status == HTTPStatus.OK:
        await asyncio.sleep(account.connect_seconds)
    return told


def _faulty(account: Account, asked: Asked, fault: Fault) -> Answer:
    if fault.body is not None:
        return Answer(fault.status, fault.body, fault.headers)
    told = refusal_of(account, asked.path, Refusal(fault.status, fault.message, fault.code))
    return Answer(told.status, told.body, {**told.headers, **fault.headers})


async def _broken_off(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """No answer: not for a long time, or never."""
    if fault.how == "hang":
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_SECONDS):
                await reader.read()  # until the other side has had enough
    else:
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _send_recording(
    account: Account, found: re.Match[str], asked: Asked, writer: asyncio.StreamWriter
) -> None:
    call_sid = unquote(found[2])
    sid = unquote(found[1] or account.sid)
    status = account.recording_status(call_sid, asked, presigned=found[1] is None)
    recording = account.calls[call_sid].recording if status == 0 else None
    if recording is None or sid != account.sid:
        told = {"Content-Type": "text/plain"}
        return await _send(writer, Answer(status or 404, b"no", told))
    part = part_of(recording, asked.headers)
    writer.write(_head(part.answer, None if recording.endless else part.behind - part.first))
    async with aclosing(pieces(recording, part)) as sent:
        async for piece in sent:
            writer.write(piece)
            await _drained(writer)


async def _send(writer: asyncio.StreamWriter, told: Answer, *, cut: bool = False) -> None:
    half = len(told.body) // 2 if cut else len(told.body)
    writer.write(_head(told, len(told.body)) + told.body[:half])
    await _drained(writer)


async def _drained(writer: asyncio.StreamWriter) -> None:
    async with asyncio.timeout(SEND_SECONDS):
        await writer.drain()


async def _let_go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let the other side read a refusal of what it is still sending: an end that closes with
    something unread resets the connection."""
    if writer.can_write_eof():
        writer.write_eof()
    with suppress(TimeoutError):
        async with asyncio.timeout(LET_GO_SECONDS):
            while await reader.read(65_536):
                pass


def _head(told: Answer, length: int | None) -> bytes:
    """An answer's first lines; without a length it ends with the connection."""
    try:
        phrase = HTTPStatus(told.status).phrase
    except ValueError:
        phrase = "Status"
    lines = [f"HTTP/1.1 {told.status} {phrase}"]
    lines += [f"{name}: {text}" for name, text in told.headers.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")
