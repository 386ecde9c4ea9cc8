"""Wire files for the tests of replay: made by a writer of their own, at times of their own."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Sequence
from pathlib import Path

import msgspec

from exobridge.exotel.stream import ExotelStream
from exobridge.simulator.wire import Dialect, FrameWriter, Identity
from exobridge.wire.records import (
    FORMAT,
    Closed,
    Frame,
    Header,
    Named,
    Opened,
    Record,
    Side,
    Webhook,
)
from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat, pcm16
from exobridge_codecs.tones import tone

IDENTITY = Identity("call", "stream", "acme", "leg", "+91*******233", "+91*******233/2")
FRAME_MS = 20
BEGAN = 1_790_000_000.0
"""Unix time of the stream's opening."""


class Call:
    """A call whose caller is silent but for tones, and whose bot is what a test puts in.

    Args:
        audio: Of the stream.
        length_ms: When the caller hangs up, or the recording ends.
    """

    def __init__(self, length_ms: int, audio: AudioFormat | None = None) -> None:
        self._audio = audio or pcm16(8000)
        self._length_ms = length_ms
        self._encode = encoder(self._audio.encoding)
        self._bot = ExotelStream()
        self._records: list[Record] = []
        self._sounds: list[tuple[int, int]] = []
        self._keys: dict[int, str] = {}

    def speaks(self, at_ms: int, ms: int) -> Call:
        """The caller."""
        self._sounds.append((at_ms, at_ms + ms))
        return self

    def presses(self, at_ms: int, key: str) -> Call:
        """The caller."""
        self._keys[at_ms] = key
        return self

    def bot_speaks(self, at_ms: int, ms: int) -> Call:
        """In one chunk, with a mark behind it."""
        if self._bot.started is None:
            self._bot.receive(FrameWriter(self._audio, IDENTITY, Dialect()).start({}))
        payload = self._encode(tone(440, ms, self._audio.sample_rate))
        self._add(at_ms, Side.SERVER, self._bot.send_media(payload, at_ms))
        self._add(at_ms, Side.SERVER, self._bot.send_mark(f"mark-{at_ms}"))
        return self

    def bot_clears(self, at_ms: int) -> Call:
        """It takes back what was not played."""
        self._add(at_ms, Side.SERVER, self._bot.send_clear())
        return self

    def _add(self, ms: float, by: Side, text: str) -> None:
        self._records.append(Frame("s", float(ms), by, text))

    def _caller(self, writer: FrameWriter) -> None:
        self._add(0, Side.EXOTEL, writer.connected())
        self._add(0, Side.EXOTEL, writer.start({"plan": "gold"}))
        rate = self._audio.sample_rate
        loud, silent = tone(330, FRAME_MS, rate), bytes(2 * rate * FRAME_MS // 1000)
        for at_ms in range(0, self._length_ms, FRAME_MS):
            speaks = any(begin <= at_ms < end for begin, end in self._sounds)
            payload = base64.b64encode(self._encode(loud if speaks else silent)).decode()
            if at_ms in self._keys:
                self._add(at_ms + FRAME_MS, Side.EXOTEL, writer.dtmf(self._keys[at_ms]))
            self._add(at_ms + FRAME_MS, Side.EXOTEL, writer.media(payload, at_ms))

    def records(self, webhooks: Sequence[Webhook] = (), closed: Closed | None = None) -> bytes:
        """The file; without ``closed`` the caller hangs up."""
        writer = FrameWriter(self._audio, IDENTITY, Dialect())
        self._caller(writer)
        if closed is None:
            self._add(self._length_ms, Side.EXOTEL, writer.stop("callended"))
            closed = Closed("s", self._length_ms + 1.0, Side.EXOTEL, 1006)
        records = [
            Header(FORMAT, "0.1.0", "3.13.1", Side.SERVER, "call"),
            *webhooks,
            Opened("s", BEGAN),
            Named("s", 1.0, "default"),
            *self._records,
            closed,
        ]
        return b"".join(msgspec.json.encode(record) + b"\n" for record in records)

    def write(
        self, path: Path, webhooks: Sequence[Webhook] = (), closed: Closed | None = None
    ) -> Path:
        """The file, written."""
        path.write_bytes(gzip.compress(self.records(webhooks, closed), 1))
        return path


def webhook(at: float, path: str, body: str = "", **changes: str | int) -> Webhook:
    """A question of Exotel's, ``at`` seconds after the stream was opened."""
    parameters = (("CallSid", "call"), ("CallFrom", "+91*******233"), ("CallTo", "+91*******233/2"))
    asked = Webhook(BEGAN + at, 5.0, "GET", path, parameters, 200, "application/json", body)
    return msgspec.structs.replace(asked, **changes)
