"""What can be seen of a stream from outside: then, in the file, and now, while it is played. Pure.

Both are looked at in the same way: the bot's audio goes through the playout buffer of a simulated
Exotel, so that times are those at the caller's ear, in ms since ``start``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any

from exobridge.exotel.messages import BadFrameError, Media, Started, Stopped, decode
from exobridge.replay.script import End, end_ms, end_of, format_of, started_of
from exobridge.simulator.bot import BotClear, BotMark, BotMedia, parse
from exobridge.simulator.earpiece import Earpiece
from exobridge.simulator.rules import MAX_LEAD_MS, STOP_GRACE_MS, Breach, Rule, ViolationLog
from exobridge.wire.reading import Stream
from exobridge.wire.records import Frame, Side
from exobridge_codecs.formats import AudioFormat, Encoding, pcm16

_BY_PACE = {
    8: AudioFormat(Encoding.MULAW, 8000),
    16: pcm16(8000),
    32: pcm16(16_000),
    48: pcm16(24_000),
}
"""Formats by their bytes a millisecond."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bot was audible; ms since ``start``."""

    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A stream.

    Attributes:
        encoding, sample_rate: Of what the bot sent; ``None``: too little to tell.
        greeting_ms: When the bot was first audible; ``None``: never.
        spans: The bot's speech.
        marks: How many it asked to be given back.
        clears_ms: When it took back what was not played.
        ended_by: Who ended the stream.
        close_code: Of a stream that the server ended.
        duration_ms: Its length.
        broken: How often each rule of Exotel's was broken.
    """

    encoding: str | None = None
    sample_rate: int | None = None
    greeting_ms: float | None = None
    spans: tuple[Span, ...] = ()
    marks: int = 0
    clears_ms: tuple[float, ...] = ()
    ended_by: End = End.NETWORK
    close_code: int | None = None
    duration_ms: float = 0.0
    broken: tuple[tuple[Rule, int], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As JSON values; times have one decimal."""
        return {
            "encoding": self.encoding,
            "sample_rate": self.sample_rate,
            "greeting_ms": None if self.greeting_ms is None else round(self.greeting_ms, 1),
            "spans_ms": [[round(span.start_ms, 1), round(span.end_ms, 1)] for span in self.spans],
            "marks": self.marks,
            "clears_ms": [round(at, 1) for at in self.clears_ms],
            "ended_by": str(self.ended_by),
            "close_code": self.close_code,
            "duration_ms": round(self.duration_ms, 1),
            "violations": {str(rule): count for rule, count in self.broken},
        }


def see(stream: Stream) -> Seen:
    """Look at a whole stream."""
    started = started_of(stream)
    eyes = _Eyes(format_of(stream), started.stream_sid if started is not None else "")
    for frame in stream.frames:
        eyes.look(frame)
    ended_by = end_of(stream)
    return eyes.seen(
        ended_by,
        stream.closed.code if stream.closed is not None and ended_by is End.SERVER else None,
        end_ms(stream),
        sent_format(stream),
    )


class _Eyes:
    def __init__(self, audio: AudioFormat, stream_sid: str) -> None:
        self._stream_sid = stream_sid
        self._earpiece = Earpiece(audio, marks_after_clear=True, record=False)
        self._log = ViolationLog()
        self._marks = 0
        self._clears: list[float] = []
        self._start_ms = 0.0
        self._stopped_ms: float | None = None
        self._led_too_far = False

    def look(self, frame: Frame) -> None:
        """Take the next frame."""
        if frame.by is Side.EXOTEL:
            self._from_exotel(frame)
        else:
            self._from_server(frame.text, frame.ms - self._start_ms)

    def _from_exotel(self, frame: Frame) -> None:
        try:
            event = decode(frame.text)
        except BadFrameError:
            return
        if isinstance(event, Started):
            self._start_ms = frame.ms
        elif isinstance(event, Stopped):
            self._stopped_ms = frame.ms - self._start_ms

    def _from_server(self, text: str, now: float) -> None:
        self._earpiece.advance(now)
        parsed = parse(text, self._stream_sid)
        for breach in parsed.breaches:
            self._log.add(breach, now)
        match parsed.frame:
            case BotMedia(audio):
                self._media(audio, now)
            case BotMark():
                self._marks += 1
            case BotClear():
                self._earpiece.clear(now)
                self._clears.append(now)
            case None:
                pass

    def _media(self, audio: bytes, now: float) -> None:
        if self._stopped_ms is not None:
            if now > self._stopped_ms + STOP_GRACE_MS:
                self._log.add(Breach(Rule.AUDIO_AFTER_STOP), now)
            return
        if not self._earpiece.receive(now, audio):
            self._log.add(Breach(Rule.BUFFER_FULL), now)
        leads = self._earpiece.playout.unplayed_ms(now) > MAX_LEAD_MS
        if leads and not self._led_too_far:
            self._log.add(Breach(Rule.LEAD_TOO_LONG), now)
        self._led_too_far = leads

    def seen(
        self, ended_by: End, close_code: int | None, end_ms: float, sent: AudioFormat | None
    ) -> Seen:
        """All of it, of a stream that ended."""
        ended = max(0.0, end_ms - self._start_ms)
        if self._earpiece.end(ended) and ended_by is End.SERVER:
            self._log.add(Breach(Rule.CLOSED_BEFORE_PLAYED), ended)
        spans = tuple(Span(each.start_ms, each.end_ms) for each in self._earpiece.utterances)
        return Seen(
            encoding=None if sent is None else str(sent.encoding),
            sample_rate=None if sent is None else sent.sample_rate,
            greeting_ms=spans[0].start_ms if spans else None,
            spans=spans,
            marks=self._marks,
            clears_ms=tuple(self._clears),
            ended_by=ended_by,
            close_code=close_code,
            duration_ms=ended,
            broken=tuple(sorted(self._log.counts.items())),
        )


def sent_format(stream: Stream) -> AudioFormat | None:
    """The encoding and rate of what the server sent, by its chunks' sizes and timestamps;
    ``None``: too little, or it writes none."""
    paces: list[float] = []
    last: Media | None = None
    for frame in stream.by(Side.SERVER):
        try:
            event = decode(frame.text)
        except BadFrameError:
            continue
        if isinstance(event, Media) and event.timestamp_ms is not None:
            if last is not None and last.timestamp_ms is not None:
                ms = event.timestamp_ms - last.timestamp_ms
                if 0 < ms <= 1000:
                    paces.append(len(last.payload) / ms)
            last = event
    return _BY_PACE.get(round(median(paces) / 8) * 8) if paces else None
