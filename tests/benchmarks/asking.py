"""``/exotel/answer`` at a fixed rate: an open loop of distinct calls over connections that are
kept. A process of its own; it speaks as :mod:`tests.benchmarks.generator` wants it to.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from array import array
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import uvloop

from tests.benchmarks.sums import percentile

CONNECTIONS = 8
"""Kept from the beginning; more are opened when all wait for an answer."""

WARM_UP_S = 2.0
DRAIN_S = 5.0
NUMBERS = "CallFrom=09811122233&CallTo=08047112233&From=09811122233&To=08047112233"


@dataclass(slots=True)
class Counts:
    """What came of the requests of the measured window."""

    sent: int = 0
    answered: int = 0
    refused: int = 0
    latencies_ms: array[float] = field(default_factory=lambda: array("d"))


class Connection(asyncio.Protocol):
    """One that is kept; it asks one question at a time."""

    def __init__(self, idle: deque[Connection]) -> None:
        self._idle = idle
        self._asked: asyncio.Future[int] | None = None
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own is no subclass

    def ask(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; the answer's status, or 0 if there was none."""
        assert self._transport is not None
        self._asked = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._asked

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        lengths = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        if blank and len(body) >= (lengths or [0])[0] and self._asked is not None:
            self._received = b""
            self._idle.append(self)
            self._asked.set_result(int(head[9:12]))
            self._asked = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        if self in self._idle:
            self._idle.remove(self)
        if self._asked is not None:
            self._asked.set_result(0)


async def ask_all(port: int, rate: float, seconds: float) -> dict[str, float]:
    """Ask ``rate`` times a second, and measure ``seconds`` of it after a warm-up."""
    idle: deque[Connection] = deque()
    for _ in range(CONNECTIONS):
        idle.append(await _connect(port, idle))
    counts = Counts()
    waiting = set[asyncio.Task[None]]()
    first = round(WARM_UP_S * rate)
    last = first + round(seconds * rate)
    cpu_began = 0.0
    began = time.monotonic()
    for number in range(last):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if number == first:
            print("begin", flush=True)
            cpu_began = time.process_time()
        counts.sent += number >= first
        asking = _ask(port, idle, number, due, counts if number >= first else Counts())
        task = asyncio.create_task(asking)
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    busy = (time.process_time() - cpu_began) / seconds
    print("end", flush=True)
    if waiting:
        await asyncio.wait(waiting, timeout=DRAIN_S)
    ranked = sorted(counts.latencies_ms)
    return {
        "rate": rate,
        "sent": counts.sent,
        "received": counts.answered,
        "refused": counts.refused,
        "lost": counts.sent - counts.answered - counts.refused,
        "p50_ms": percentile(ranked, 0.5),
        "p99_ms": percentile(ranked, 0.99),
        "max_ms": percentile(ranked, 1.0),
        "busy": busy,
    }


async def _connect(port: int, idle: deque[Connection]) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(idle), "127.0.0.1", port)
    return connection


async def _ask(port: int, idle: deque[Connection], number: int, due: float, counts: Counts) -> None:
    request = (
        f"GET /exotel/answer?CallSid=bench-{number}&{NUMBERS}&Direction=incoming HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n\r\n"
    )
    connection = idle.popleft() if idle else await _connect(port, idle)
    status = await connection.ask(request.encode())
    if status == 200:
        counts.answered += 1
        counts.latencies_ms.append((time.monotonic() - due) * 1000)
    elif status:
        counts.refused += 1


if __name__ == "__main__":
    uvloop.install()
    _, at, per_second, window = sys.argv
    print(json.dumps(asyncio.run(ask_all(int(at), float(per_second), float(window)))))
