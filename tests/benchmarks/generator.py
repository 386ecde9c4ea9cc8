"""Exotel's role, many times: an open loop that sends on schedule whatever comes back.

Each 20 ms frame of PCM16 carries a marker and its number in the audio itself, so that echoed audio
is matched however it was cut. The latency of a frame is its arrival less its scheduled send. The
WebSockets are picows's, in C, so that this side is not the bottleneck; it says how busy it was.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import struct
import sys
import time
from array import array
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, cast

import picows
import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport

# Its signature is partly untyped.
ws_connect: Callable[..., Awaitable[tuple[WSTransport, WSListener]]] = cast(Any, picows).ws_connect

BETWEEN_CALLS_S = 0.005
"""New calls come one after another, unless a rush of calls is what is measured."""
SETTLE_S = 0.5
"""From the last call's start to the first audio: audio that waits for its call to open is played
late for the rest of the call, here as on a telephone."""

FRAME_S = 0.02
FRAME_BYTES = 320
MAGIC = b"\x5a\xa5\x3c\xc3"
_BODY = struct.Struct("<I")
_PADDING = bytes(FRAME_BYTES - len(MAGIC) - _BODY.size)
_PAYLOAD_KEY = b'"payload":"'


@dataclass(frozen=True, slots=True)
class Load:
    """What one run measured.

    Attributes:
        calls: At once.
        sent, received: Frames in the measured window, and how many of them came back.
        p50_ms, p99_ms, p999_ms, max_ms: Latency of those.
        busy: Share of one core this side used.
        late_ms: The latest a frame was sent after its time.
    """

    calls: int
    sent: int
    received: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    busy: float
    late_ms: float


class _Line(WSListener):
    def __init__(self, number: int) -> None:
        self.sid = f"bench{number}"
        self.transport: WSTransport | None = None
        self.arrivals: dict[int, float] = {}
        self.prefix = f'{{"event":"media","stream_sid":"{self.sid}","media":{{"chunk":"'

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        now = time.monotonic()
        message = frame.get_payload_as_bytes()
        begin = message.find(_PAYLOAD_KEY)
        if begin < 0:
            return
        begin += len(_PAYLOAD_KEY)
        audio = binascii.a2b_base64(message[begin : message.index(b'"', begin)])
        at = audio.find(MAGIC)
        while at >= 0:
            number = _BODY.unpack_from(audio, at + len(MAGIC))[0]
            self.arrivals.setdefault(number, now)
            at = audio.find(MAGIC, at + FRAME_BYTES)

    def start(self) -> None:
        assert self.transport is not None
        start = {
            "event": "start",
            "stream_sid": self.sid,
            "start": {
                "stream_sid": self.sid,
                "call_sid": f"call-{self.sid}",
                "from": "09811122233",
                "to": "08047112233",
                "media_format": {
                    "encoding": "base64",
                    "sample_rate": "8000",
                    "bit_rate": "128kbps",
                },
            },
        }
        self.transport.send(WSMsgType.TEXT, b'{"event":"connected"}')
        self.transport.send(WSMsgType.TEXT, json.dumps(start).encode())

    def send(self, number: int) -> None:
        assert self.transport is not None
        audio = MAGIC + _BODY.pack(number) + _PADDING
        payload = binascii.b2a_base64(audio, newline=False).decode("ascii")
        text = f'{self.prefix}{number}","timestamp":"{number * 20}","payload":"{payload}"}}}}'
        self.transport.send(WSMsgType.TEXT, text.encode())

    def stop(self) -> None:
        assert self.transport is not None
        stop = f'{{"event":"stop","stream_sid":"{self.sid}","stop":{{"reason":"callended"}}}}'
        self.transport.send(WSMsgType.TEXT, stop.encode())
        self.transport.disconnect()


async def load(url: str, calls: int, warm_up_s: float, seconds: float, *, rush: bool) -> Load:
    """Run ``calls`` calls, phases spread evenly, and measure ``seconds`` after a warm-up.

    Args:
        rush: All calls start and talk at once, in place of one after another.
    """
    lines: list[_Line] = []
    for number in range(calls):
        _, line = await ws_connect(partial(_Line, number), url)
        assert isinstance(line, _Line)
        line.start()
        lines.append(line)
        await asyncio.sleep(0 if rush else BETWEEN_CALLS_S)
    await asyncio.sleep(0 if rush else SETTLE_S)
    first = round(warm_up_s / FRAME_S)
    last = first + round(seconds / FRAME_S)
    print("ready", flush=True)
    began = time.monotonic() + 0.1
    cpu_began = 0.0
    late = 0.0
    for frame in range(last):
        if frame == first:
            cpu_began = time.process_time()
        for index, line in enumerate(lines):
            due = began + (frame + index / calls) * FRAME_S
            wait = due - time.monotonic()
            if wait > 0.0005:
                await asyncio.sleep(wait)
            elif not index % 20:
                await asyncio.sleep(0)
            if frame >= first:
                late = max(late, time.monotonic() - due)
            line.send(frame)
    busy = (time.process_time() - cpu_began) / seconds
    await asyncio.sleep(1.0)
    latencies = array("d")
    for index, line in enumerate(lines):
        for frame in range(first, last):
            arrived = line.arrivals.get(frame)
            if arrived is not None:
                latencies.append((arrived - began - (frame + index / calls) * FRAME_S) * 1000)
        line.stop()
    await asyncio.sleep(0.2)
    ranked = sorted(latencies) or [float("nan")]

    def percentile(share: float) -> float:
        return round(ranked[min(len(ranked) - 1, int(len(ranked) * share))], 2)

    return Load(
        calls=calls,
        sent=calls * (last - first),
        received=len(latencies),
        p50_ms=percentile(0.5),
        p99_ms=percentile(0.99),
        p999_ms=percentile(0.999),
        max_ms=round(ranked[-1], 2),
        busy=round(busy, 2),
        late_ms=round(late * 1000, 2),
    )


if __name__ == "__main__":
    uvloop.install()
    _, address, count, warm_up, window, manner = sys.argv
    result = asyncio.run(
        load(address, int(count), float(warm_up), float(window), rush=manner == "rush")
    )
    print(json.dumps(asdict(result)))
