"""Exotel's media stream, one side of one WebSocket, without any I/O.

Text frames in, typed events out; actions in, text frames out. No await, no clock, no audio: what
the bytes mean is told by :mod:`exobridge.exotel.detection`. Nothing that comes in raises; a frame
that cannot be read is counted and dropped, and the call goes on.

Sources: Exotel's Voicebot applet and AgentStream documents, and frames reported from live calls.
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

import msgspec

from exobridge.exotel.messages import (
    BadFrameError,
    Connected,
    Dtmf,
    Event,
    Ignored,
    MarkPlayed,
    Media,
    Started,
    Stopped,
    decode,
)

HELD_FRAMES = 50
"""Media frames kept that come before ``start`` (one second of 20 ms frames)."""

HELD_BYTES = 100_000
"""Most bytes of them: the largest chunk that Exotel documents."""

BLOCK_BYTES = 320
"""Every chunk to Exotel is a multiple of this; another size leaves a hole of 20 ms."""


class Phase(Enum):
    """How far the stream is."""

    OPENING = auto()
    STREAMING = auto()
    STOPPED = auto()


@dataclass(slots=True)
class Counters:
    """Plain integers, read when they are asked for.

    Attributes:
        received: Frames in.
        media_received: Media frames in that carried the caller's audio.
        bad: Frames that could not be read.
        ignored: Unknown events, inbound ``clear``, the bot's own audio.
        misplaced: Readable frames at a wrong time: a second ``start``, media after ``stop``, media
            of another stream, media before ``start`` beyond what is held, or never followed by one.
        sent: Frames out.
        media_sent: Media frames out.
        bytes_received: The caller's audio, in the stream's encoding; ``bytes_sent`` ours.
    """

    received: int = 0
    media_received: int = 0
    bad: int = 0
    ignored: int = 0
    misplaced: int = 0
    sent: int = 0
    media_sent: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0


class ExotelStream:
    """The protocol of one stream.

    Feed every text frame to :meth:`receive`; send what the ``send_*`` methods return, in order.
    These are for a stream that has started and not stopped: a frame to Exotel needs the stream's
    id, and "nothing can be sent after ``stop``".
    """

    def __init__(self) -> None:
        self.phase = Phase.OPENING
        self.started: Started | None = None
        self.counters = Counters()
        self._connected = Connected()
        self._held: list[Media] = []
        self._held_bytes = 0
        self._stream_sid = ""
        self._address = '"stream_sid":""'

    # -------------------------------------------------------------- Exotel → bot

    def receive(self, message: str | bytes) -> Sequence[Event]:
        """Read one frame.

        Returns:
            The events to act on, in order; often one, sometimes none. ``start`` is followed by the
            media that came before it.
        """
        counters = self.counters
        counters.received += 1
        try:
            event = decode(message)
        except BadFrameError:
            counters.bad += 1
            return ()
        if type(event) is Media and self.phase is Phase.STREAMING:
            if event.stream_sid and event.stream_sid != self._stream_sid:
                counters.misplaced += 1
                return ()
            counters.media_received += 1
            counters.bytes_received += len(event.payload)
            return (event,)
        return self._receive_rarely(event)

    def _receive_rarely(self, event: Event) -> Sequence[Event]:
        match event:
            case Ignored():
                self.counters.ignored += 1
                return ()
            case Media() if self.phase is Phase.OPENING:
                self._hold(event)
                return ()
            case Connected() if self.phase is Phase.OPENING:
                self._connected = event
                return (event,)
            case Started() if self.phase is Phase.OPENING:
                return self._start(event)
            case Stopped() if self.phase is not Phase.STOPPED:
                self.phase = Phase.STOPPED
                self.counters.misplaced += len(self._held)
                self._held = []
                return (event,)
            case Dtmf() | MarkPlayed() if self.phase is Phase.STREAMING:
                return (event,)
            case _:
                self.counters.misplaced += 1
                return ()

    def _hold(self, media: Media) -> None:
        # Media before `start` is reported from live calls; losing it loses the caller's first word.
        room = self._held_bytes + len(media.payload) <= HELD_BYTES
        if not room or len(self._held) >= HELD_FRAMES:
            self.counters.misplaced += 1
            return
        self._held.append(media)
        self._held_bytes += len(media.payload)

    def _start(self, event: Started) -> Sequence[Event]:
        if not event.custom_parameters and self._connected.custom_parameters:
            event = replace(event, custom_parameters=self._connected.custom_parameters)
        if not event.stream_sid:
            told = (media.stream_sid for media in self._held if media.stream_sid)
            event = replace(event, stream_sid=next(told, ""))
        self.started = event
        self.phase = Phase.STREAMING
        self._stream_sid = event.stream_sid
        self._address = f'"stream_sid":{_quoted(event.stream_sid)}'
        held = [media for media in self._held if media.stream_sid in ("", event.stream_sid)]
        self.counters.media_received += len(held)
        self.counters.bytes_received += sum(len(media.payload) for media in held)
        self.counters.misplaced += len(self._held) - len(held)
        self._held = []
        return (event, *held)

    # -------------------------------------------------------------- bot → Exotel

    def send_media(self, payload: bytes, timestamp_ms: int) -> str:
        """A chunk of audio as a text frame.

        Args:
            payload: Audio in the stream's encoding, a multiple of ``BLOCK_BYTES`` long.
            timestamp_ms: Where the chunk begins on the stream's time line.
        """
        counters = self.counters
        counters.sent += 1
        counters.media_sent += 1
        counters.bytes_sent += len(payload)
        # Joined, not built from dicts: it costs a quarter of an encoder's time. Some streams are
        # reported to end early without sequence number, chunk and timestamp.
        return (
            f'{{"event":"media",{self._address},"sequence_number":"{counters.sent}",'
            f'"media":{{"chunk":"{counters.media_sent}","timestamp":"{timestamp_ms}","payload":"'
            f'{binascii.b2a_base64(payload, newline=False).decode("ascii")}"}}}}'
        )

    def send_mark(self, name: str) -> str:
        """Ask to be told when everything sent so far has been played."""
        self.counters.sent += 1
        return f'{{"event":"mark",{self._address},"mark":{{"name":{_quoted(name)}}}}}'

    def send_clear(self) -> str:
        """Drop everything that was sent and has not been played."""
        self.counters.sent += 1
        return f'{{"event":"clear",{self._address}}}'


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
