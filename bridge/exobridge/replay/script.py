"""The caller's side of a kept stream, made ready to be played again. Pure.

Everything is sent as it came, at its time, but for the marks: these are given back when what the
bot says *now* has been played.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from exobridge.errors import ExobridgeError
from exobridge.exotel.detection import FormatDetector
from exobridge.exotel.messages import BadFrameError, Event, MarkPlayed, Media, Started, decode
from exobridge.wire.reading import Stream
from exobridge.wire.records import Side
from exobridge_codecs.formats import AudioFormat, pcm16

SILENT_FRAME_MS = 20
"""Frames of what is sent where the recording has ended and the bot has not."""

_MASKED = re.compile(r"\+([0-9]{1,3})(\*{2,12})([0-9]{3})(?:/([0-9]{1,3}))?(?![0-9*])")


class ReplayError(ExobridgeError):
    """A recording that cannot be played; the message says why."""


class End(StrEnum):
    """Who ended a stream."""

    CALLER = "caller"
    """Exotel said ``stop``."""
    SERVER = "server"
    NETWORK = "network"
    """The socket was gone without a word, or the recording ends before it."""


@dataclass(frozen=True, slots=True)
class Names:
    """What stands in place of what was kept.

    Attributes:
        ids: By the id that was kept.
        numbers: By the mask; one that is not named gets a number made of its mask.
    """

    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    numbers: Mapping[str, str] = field(default_factory=dict[str, str])

    def value(self, text: str) -> str:
        """A whole value: an id, or a text with masked numbers in it."""
        return self.ids.get(text) or self.unmasked(text)

    def unmasked(self, text: str) -> str:
        """A text, with a number in place of each mask."""
        return _MASKED.sub(lambda match: self.numbers.get(match[0]) or _number(match), text)

    def frame(self, text: str) -> str:
        """A frame."""
        for before, after in self.ids.items():
            text = text.replace(json.dumps(before), json.dumps(after))
        return self.unmasked(text) if "**" in text else text


def _number(mask: re.Match[str]) -> str:
    """A number that looks like the mask: ``+91*******233`` is ``+919000000233``, and
    ``+91*******233/2`` is ``+919000002233``."""
    country, stars, last, which = mask.groups(default="")
    return f"+{country}{f'9{which.zfill(len(stars) - 1)}'[: len(stars)]}{last}"


@dataclass(frozen=True, slots=True)
class Script:
    """What is played.

    Attributes:
        frames: What is sent, each ``ms`` after the socket was opened.
        stream_sid: As it is played.
        audio: Of the stream.
        end: Who ended the stream then.
        end_ms: When the recording ends.
    """

    frames: tuple[tuple[float, str], ...]
    stream_sid: str
    audio: AudioFormat
    end: End
    end_ms: float

    def silence(self, number: int) -> str:
        """The frame of silence with this number, from 0, after the recording."""
        ms = SILENT_FRAME_MS
        payload = self.audio.silence(ms * self.audio.bytes_per_ms)
        sequence = str(len(self.frames) + number + 1)
        media = {
            "chunk": sequence,
            "timestamp": str(round(self.end_ms) + number * ms),
            "payload": base64.b64encode(payload).decode(),
        }
        head = {"event": "media", "sequence_number": sequence, "stream_sid": self.stream_sid}
        return json.dumps({**head, "media": media})

    def mark(self, name: str) -> str:
        """The frame that gives a mark back."""
        return json.dumps({"event": "mark", "stream_sid": self.stream_sid, "mark": {"name": name}})


def script_of(stream: Stream, names: Names) -> Script:
    """The script of a stream.

    Raises:
        ReplayError: It has no ``start``, so there was no call.
    """
    started = started_of(stream)
    if started is None:
        raise ReplayError("the stream has no `start` event: there was no call to be played again")
    frames = tuple(
        (frame.ms, names.frame(frame.text))
        for frame in stream.by(Side.EXOTEL)
        if not isinstance(_event(frame.text), MarkPlayed)
    )
    return Script(
        frames,
        names.value(started.stream_sid),
        format_of(stream),
        end_of(stream),
        end_ms(stream),
    )


def started_of(stream: Stream) -> Started | None:
    """A stream's ``start``."""
    for frame in stream.by(Side.EXOTEL):
        event = _event(frame.text)
        if isinstance(event, Started):
            return event
    return None


def format_of(stream: Stream) -> AudioFormat:
    """The encoding and rate of a stream, by all of the caller's frames."""
    detector: FormatDetector | None = None
    for frame in stream.by(Side.EXOTEL):
        event = _event(frame.text)
        if isinstance(event, Started) and detector is None:
            detector = FormatDetector(event.media_format, frame.ms)
        elif isinstance(event, Media) and detector is not None:
            detector.observe(event, frame.ms)
            if detector.settled:
                break
    if detector is None:
        return pcm16(8000)
    detector.expire(detector.deadline_ms)
    return pcm16(8000) if detector.decision is None else detector.decision.format


def end_of(stream: Stream) -> End:
    """Who ended a stream: the first who said so."""
    if any('"stop"' in frame.text for frame in stream.by(Side.EXOTEL)[-3:]):
        return End.CALLER
    closed = stream.closed
    return End.SERVER if closed is not None and closed.by is Side.SERVER else End.NETWORK


def end_ms(stream: Stream) -> float:
    """When a stream ended; for one that breaks off, its last frame."""
    last = stream.frames[-1].ms if stream.frames else 0.0
    return stream.closed.ms if stream.closed is not None else last


def _event(text: str) -> Event | None:
    try:
        return decode(text)
    except BadFrameError:
        return None
