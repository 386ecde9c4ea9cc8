"""What can go wrong on the line between Exotel and a server.

Pure: which faults there are, and the times by which they act. :mod:`exobridge.simulator.link` and
:mod:`exobridge.simulator.handshake` carry them out. Times are milliseconds since the start event.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from exobridge.simulator.playout import Playout
from exobridge.simulator.timeline import Entry, Kind, Party
from exobridge.simulator.wire import FrameWriter


class Try(StrEnum):
    """What becomes of one try at the WebSocket handshake."""

    WELL = "well"
    UNREACHED = "unreached"
    """The connection does not come about."""
    CUT = "cut"
    """It is reset in the middle of the request."""
    UNHEARD = "unheard"
    """The server completes it, and the connection is reset before its answer is read."""


class Odd(StrEnum):
    """Frames of Exotel's that a server has to bear: none of them changes anything."""

    UNKNOWN = "unknown"
    """An event that nobody knows."""
    CLEAR = "clear"
    """``clear``, which is the bot's."""
    CONNECTED = "connected"
    """``connected`` once more."""
    START = "start"
    """``start`` once more."""
    OUTBOUND = "outbound"
    """The bot's own audio: ``"track": "outbound"``."""
    FOREIGN = "foreign"
    """Audio of another stream."""
    NO_JSON = "no-json"
    NO_OBJECT = "no-object"
    NO_AUDIO = "no-audio"
    """``media`` whose payload is no base64."""
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class OddFrame:
    """One of them, and when it is sent."""

    at_ms: float
    odd: Odd


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing arrives at the server for ``ms``; then everything that was held up does, at once."""

    at_ms: float
    ms: float


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What goes wrong on one stream's line; nothing, by default.

    Attributes:
        tries: What becomes of each try at the handshake, in order; those behind go well.
        handshake_delay_ms: How late the first try is made.
        early_frames: Media frames of silence before ``start``.
        delay_ms: From here to the server, of every frame after ``start``.
        return_delay_ms: From the server to here.
        jitter_ms: At most so much more, drawn for each frame; their order is kept.
        stalls: In the order of their times.
        payload_bytes: The caller's audio is cut anew into payloads of these sizes, by turns; odd
            ones cut a sample of PCM16 in two. Empty: as it comes.
        odd_frames: In the order of their times.
        lost_marks: Of every so many marks the last is never returned: 1 loses all, 0 none.
        late_marks_ms: How late marks are returned.
        reset_at_ms: The connection is reset, without ``stop`` and without a close frame.
        half_open_at_ms: From then on nothing is sent and nothing read, and nobody closes.
        half_open_for_ms: Until the connection is given up, which the server does not learn either.
        seed: Of the jitter.
    """

    tries: tuple[Try, ...] = ()
    handshake_delay_ms: float = 0
    early_frames: int = 0
    delay_ms: float = 0
    return_delay_ms: float = 0
    jitter_ms: float = 0
    stalls: tuple[Stall, ...] = ()
    payload_bytes: tuple[int, ...] = ()
    odd_frames: tuple[OddFrame, ...] = ()
    lost_marks: int = 0
    late_marks_ms: float = 0
    reset_at_ms: float | None = None
    half_open_at_ms: float | None = None
    half_open_for_ms: float = 6000
    seed: int = 0

    @property
    def slow(self) -> bool:
        """Whether anything arrives at the server later than it is sent."""
        return bool(self.delay_ms or self.jitter_ms or self.stalls)


NO_FAULTS = LineFaults()


class Way:
    """One direction of the line: when does arrive what is sent now?

    Args:
        delay_ms: Of each frame.
        jitter_ms: At most so much more.
        stalls: Times in which nothing arrives.
        seed: Of the jitter.
    """

    def __init__(
        self, delay_ms: float, jitter_ms: float, stalls: tuple[Stall, ...], seed: int
    ) -> None:
        self._delay_ms = delay_ms
        self._jitter_ms = jitter_ms
        self._stalls = stalls
        self._random = random.Random(seed).random
        self._last_ms = 0.0

    def arrives(self, now_ms: float) -> float:
        """When; never before what was sent earlier."""
        at_ms = now_ms + self._delay_ms + self._jitter_ms * self._random()
        for stall in self._stalls:
            if stall.at_ms <= at_ms < stall.at_ms + stall.ms:
                at_ms = stall.at_ms + stall.ms
        self._last_ms = max(self._last_ms, at_ms)
        return self._last_ms


class Marks:
    """The marks that a playout buffer returns: some are late, some never come.

    Args:
        playout: Knows when each is due.
    """

    def __init__(self, playout: Playout, faults: LineFaults = NO_FAULTS) -> None:
        self._playout = playout
        self._late_ms = faults.late_marks_ms
        self._every = faults.lost_marks
        self._late: deque[tuple[float, str]] = deque()
        self._count = 0
        self.lost = 0

    def due(self, now_ms: float) -> list[str]:
        """The marks to be returned now, in order; none is given twice."""
        for name in self._playout.due_marks(now_ms):
            self._count += 1
            if self._every and self._count % self._every == 0:
                self.lost += 1
            else:
                self._late.append((now_ms + self._late_ms, name))
        names: list[str] = []
        while self._late and self._late[0][0] <= now_ms:
            names.append(self._late.popleft()[1])
        return names

    def next_ms(self) -> float | None:
        """When to ask again, if nothing changes."""
        times = [self._playout.next_mark_ms(), self._late[0][0] if self._late else None]
        return min((at_ms for at_ms in times if at_ms is not None), default=None)


class Cutter:
    """Cuts the caller's audio anew into payloads of other sizes; loses nothing, adds nothing.

    Args:
        sizes: Bytes of each payload, by turns.
        bytes_per_ms: Of the audio.
    """

    def __init__(self, sizes: tuple[int, ...], bytes_per_ms: float) -> None:
        self._sizes = sizes
        self._bytes_per_ms = bytes_per_ms
        self._held = bytearray()
        self._cut = 0  # payloads
        self._gone = 0  # bytes

    def take(self, audio: bytes) -> list[tuple[bytes, int]]:
        """The payloads that are full now, each with its time."""
        self._held += audio
        found: list[tuple[bytes, int]] = []
        while len(self._held) >= (size := self._sizes[self._cut % len(self._sizes)]):
            found.append((bytes(self._held[:size]), int(self._gone / self._bytes_per_ms)))
            del self._held[:size]
            self._cut += 1
            self._gone += size
        return found


def odd_text(odd: Odd, writer: FrameWriter, start: Callable[[], str]) -> str:
    """A frame that changes nothing.

    Args:
        odd: Which.
        writer: Of the stream.
        start: Writes its start event again.
    """
    match odd:
        case Odd.CONNECTED:
            return writer.connected()
        case Odd.START:
            return start()
        case Odd.OUTBOUND:
            return _media({"track": "outbound", "chunk": "1", "timestamp": "0", "payload": _LOUD})
        case Odd.FOREIGN:
            return _media({"chunk": "1", "timestamp": "0", "payload": _LOUD}, "another-stream")
        case Odd.NO_AUDIO:
            return _media({"chunk": "1", "timestamp": "0", "payload": "no base64 ###"})
        case _:
            return _FIXED[odd]


def entries(
    faults: LineFaults, tries: int, until_ms: float = -1, lost: int = 0
) -> tuple[Entry, ...]:
    """What went wrong, for a timeline.

    Args:
        faults: What was to go wrong.
        tries: At the handshake.
        until_ms: When the stream ended; below 0: there was none.
        lost: Marks that were not returned.
    """
    found = [
        _entry(0, f"handshake {_FATES[each]}") for each in faults.tries[:tries] if _FATES[each]
    ]
    if faults.handshake_delay_ms:
        found.append(_entry(0, "handshake late", f"{faults.handshake_delay_ms:.0f} ms"))
    if until_ms >= 0:
        found += _standing(faults)
        found += [each for each in _passing(faults) if each.at_ms <= until_ms]
    if lost:
        found.append(_entry(until_ms, "marks lost", str(lost)))
    return tuple(found)


def excuse(found: Iterable[Entry]) -> bool:
    """Whether a server can do nothing about a stream in which this went wrong: its line broke, fell
    silent for a while, or could not be opened. All else it has to bear."""
    labels = [each.label for each in found]
    fates = {f"handshake {fate}" for fate in _FATES.values() if fate}
    return any(label in _BREAKS or label in fates for label in labels)


def _standing(faults: LineFaults) -> list[Entry]:
    """Those that last as long as the stream."""
    lasting = (
        ("media before start", faults.early_frames, "frames"),
        ("frames late", faults.delay_ms, "ms to the server"),
        ("answers late", faults.return_delay_ms, "ms from it"),
        ("jitter", faults.jitter_ms, "ms at most"),
        ("marks late", faults.late_marks_ms, "ms"),
    )
    found = [_entry(0, label, f"{much:.0f} {unit}") for label, much, unit in lasting if much]
    if faults.payload_bytes:
        sizes = ", ".join(map(str, faults.payload_bytes))
        found.append(_entry(0, "payloads cut anew", f"{sizes} bytes"))
    return found


def _passing(faults: LineFaults) -> list[Entry]:
    """Those with a time."""
    found = [_entry(each.at_ms, "odd frame", str(each.odd)) for each in faults.odd_frames]
    found += [
        replace(_entry(each.at_ms, _STALLED), until_ms=each.at_ms + each.ms)
        for each in faults.stalls
    ]
    if faults.half_open_at_ms is not None:
        found.append(_entry(faults.half_open_at_ms, _HALF_OPEN, "nothing is sent or read"))
    if faults.reset_at_ms is not None:
        found.append(_entry(faults.reset_at_ms, _RESET))
    return found


def _entry(at_ms: float, label: str, detail: str = "") -> Entry:
    return Entry(at_ms, Party.EXOTEL, Party.SERVER, Kind.FAULT, label, detail)


_STALLED, _HALF_OPEN, _RESET = "line stalled", "half-open", "connection reset"
_BREAKS = (_STALLED, _HALF_OPEN, _RESET)

_FATES = {
    Try.WELL: "",
    Try.UNREACHED: "does not reach the server",
    Try.CUT: "cut off",
    Try.UNHEARD: "answered in vain",
}
_LOUD = "f4B/gH+Af4B/gH+Af4B/gH+Af4B/gH+Af4B/gH+Af4A="
_FIXED = {
    Odd.UNKNOWN: '{"event":"quality","quality":{"mos":"4.1"}}',
    Odd.CLEAR: '{"event":"clear"}',
    Odd.NO_JSON: '{"event":"media","media":{"payl',
    Odd.NO_OBJECT: '["media"]',
    Odd.EMPTY: "",
}


def _media(media: dict[str, str], stream_sid: str = "") -> str:
    named = {"stream_sid": stream_sid} if stream_sid else {}
    return json.dumps({"event": "media", **named, "media": media})
