"""What is played to the caller, and when: pure, with ``now`` given.

We hold the audio; Exotel holds only a lead, so that an interruption takes effect at once and what
is held back can still be resumed. Times are seconds of any steady clock.

    add / end ──▶ queue ──▶ advance(now) ──▶ SendMedia, SendMark ──▶ Exotel ──▶ mark_played
                                         └─▶ Played

A chunk is a multiple of 320 bytes; the last one of an utterance is padded with silence. After each
utterance a mark asks to be told when it has been played. Marks may be late or never come, so a
wall-clock estimate of the playout runs beside them and counts an utterance as played when its time
is well over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from exobridge.exotel.stream import BLOCK_BYTES
from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.resample import resample

MAX_HELD_BYTES = 32 * 1024 * 1024
"""Audio kept of one utterance, PCM16: half an hour at 8 kHz. What a provider sends beyond is
dropped: without a bound its bug would take the memory of every call."""

MARK_GRACE_S = 0.5
"""How long after its time an utterance counts as played without its mark."""

CATCH_UP_S = 0.1
"""How far a schedule without a lead may lie behind and still be caught up with; further back, it
starts anew. With a lead there is nothing to catch up with: it was used up, and is built again."""

RUNNING_DRY_S = 0.02
"""How long before the line falls silent less than a chunk is sent, where more is late."""

_ROUNDING_S = 1e-6


@dataclass(frozen=True, slots=True)
class PlayoutOptions:
    """How far ahead of the caller's ear we send.

    Attributes:
        chunk_ms: Duration of a chunk, rounded up to a multiple of 320 bytes.
        lead_ms: Most that Exotel holds right after a send (but never less than one chunk); topped
            up at half of it, or a little later where a chunk is longer than that half. 0 sends each
            chunk when it is due.
    """

    chunk_ms: int = 100
    lead_ms: int = 200


class SendMedia(msgspec.Struct, frozen=True, gc=False):
    """A chunk of an utterance, encoded; it begins ``timestamp_ms`` after the stream did."""

    payload: bytes
    timestamp_ms: int
    utterance: str


@dataclass(frozen=True, slots=True)
class SendMark:
    """A mark named ``name``."""

    name: str


@dataclass(frozen=True, slots=True)
class Played:
    """The caller has heard all of this utterance."""

    utterance: str


Out = SendMedia | SendMark | Played


@dataclass(frozen=True, slots=True)
class Heard:
    """How much of an utterance reached the caller's ear before it was cut.

    Attributes:
        heard_ms: Played, by the wall clock and the marks.
        sent_ms: Handed to Exotel, the heard included.
        known_ms: Audio there is so far, the sent included.
        whole: All the utterance's audio is known, so ``known_ms`` is its length.
    """

    utterance: str
    heard_ms: float
    sent_ms: float
    known_ms: float
    whole: bool


@dataclass(slots=True)
class _Utterance:
    """Sizes are bytes of PCM16 at the line's rate; ``play_end`` is when the last sample that was
    sent has been played, padding apart."""

    name: str
    held: deque[bytes | memoryview] = field(default_factory=deque[bytes | memoryview])
    added: int = 0
    sent: int = 0
    ended: bool = False
    marked: bool = False
    play_end: float = 0.0

    @property
    def unsent(self) -> int:
        return self.added - self.sent

    def pull(self, size: int) -> bytes:
        """The next ``size`` bytes, which are there."""
        self.sent += size
        held = self.held
        if len(held[0]) == size:
            return bytes(held.popleft())
        parts: list[bytes | memoryview] = []
        while size:
            pcm = held.popleft()
            if len(pcm) > size:
                pcm = memoryview(pcm)  # a line of seconds is cut into chunks without copying it
                held.appendleft(pcm[size:])
                pcm = pcm[:size]
            parts.append(pcm)
            size -= len(pcm)
        return b"".join(parts)


class Playout:
    """The playout of one call.

    Args:
        audio_format: Of the line, both encoding and rate.
        started_at: When the stream began; timestamps count from there.
        options: Chunk and lead.
    """

    def __init__(
        self, audio_format: AudioFormat, started_at: float, options: PlayoutOptions
    ) -> None:
        self._options = options
        self._started_at = started_at
        self._lead_s = options.lead_ms / 1000
        self._utterances: dict[str, _Utterance] = {}
        self._feeding: deque[_Utterance] = deque()
        self._play_end = 0.0
        self._at_rest = True
        self._paused = False
        self._use(audio_format)

    def set_format(self, audio_format: AudioFormat) -> None:
        """Go on in another encoding or rate; what is held is converted, nothing is lost."""
        before = self._format.sample_rate
        self._use(audio_format)
        if audio_format.sample_rate == before:
            return
        for entry in self._utterances.values():
            held = resample(b"".join(entry.held), before, audio_format.sample_rate)
            entry.held = deque([held] if held else [])
            entry.sent = entry.sent // 2 * audio_format.sample_rate // before * 2
            entry.added = entry.sent + len(held)

    def _use(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._encode: Callable[[bytes], bytes] = encoder(audio_format.encoding)
        wire = audio_format.bytes_per_ms * self._options.chunk_ms
        self._chunk = self._pcm_size(-(-wire // BLOCK_BYTES) * BLOCK_BYTES)
        self._block = self._pcm_size(BLOCK_BYTES)
        self._bytes_per_s = audio_format.sample_rate * 2
        self._chunk_s = self._chunk / self._bytes_per_s
        self._top_up_s = max(0.0, min(self._lead_s / 2, self._lead_s - self._chunk_s))
        self._dry_s = min(self._top_up_s, RUNNING_DRY_S)
        self._catch_up_s = 0.0 if self._top_up_s else CATCH_UP_S

    def _pcm_size(self, wire_bytes: int) -> int:
        return wire_bytes // self._format.sample_bytes * 2

    # -------------------------------------------------------------- in

    def begin(self, utterance: str) -> None:
        """An utterance whose audio comes later. Utterances are played in the order they were
        begun; one that is not ended holds up those after it."""
        self._entry(utterance)

    def add(self, utterance: str, pcm: bytes) -> None:
        """Queue PCM16 audio at the line's rate, whole samples; a new name begins an utterance.
        What comes after the utterance's end, or beyond ``MAX_HELD_BYTES``, is dropped."""
        if not pcm:
            return
        entry = self._entry(utterance)
        if not entry.ended and entry.unsent + len(pcm) <= MAX_HELD_BYTES:
            entry.added += len(pcm)
            entry.held.append(pcm)

    def end(self, utterance: str) -> None:
        """No more audio of this utterance will come."""
        self._entry(utterance).ended = True

    def discard(self, utterance: str) -> None:
        """Forget an utterance that will have no audio. One that has some is to be ended."""
        entry = self._utterances.get(utterance)
        if entry is not None and not entry.added and not entry.ended:
            del self._utterances[utterance]
            self._feeding.remove(entry)

    def _entry(self, name: str) -> _Utterance:
        entry = self._utterances.get(name)
        if entry is None:
            entry = self._utterances[name] = _Utterance(name)
            self._feeding.append(entry)
        return entry

    def pause(self) -> None:
        """Stop feeding. What Exotel holds plays on."""
        self._paused = True

    def resume(self) -> None:
        """Go on with the first sample that was not sent."""
        self._at_rest = self._at_rest or self._paused
        self._paused = False

    def mark_played(self, name: str) -> list[Played]:
        """A mark came back: what was sent before it has been played too.

        Returns:
            The utterances that are over now, in order; none if the mark is unknown.
        """
        entry = self._utterances.get(name)
        if entry is None or not entry.marked:
            return []
        names = list(self._utterances)
        over = names[: names.index(name) + 1]
        for utterance in over:
            del self._utterances[utterance]
        return [Played(utterance) for utterance in over]

    def clear(self, now: float) -> list[Heard]:
        """Drop everything unplayed, held or sent; the caller must send ``clear`` to Exotel if
        anything was sent.

        Returns:
            What was heard of each utterance that had not been played whole, in order.
        """
        cut = [self._heard(entry, now) for entry in self._utterances.values()]
        self._utterances.clear()
        self._feeding.clear()
        self._play_end = now
        self._at_rest = True
        self._paused = False
        return cut

    def _heard(self, entry: _Utterance, now: float) -> Heard:
        sent_ms = self._ms(entry.sent)
        unplayed_ms = max(0.0, entry.play_end - now) * 1000
        heard_ms = max(0.0, sent_ms - unplayed_ms)
        return Heard(entry.name, heard_ms, sent_ms, self._ms(entry.added), entry.ended)

    def _ms(self, size: int) -> float:
        return size * 1000 / self._bytes_per_s

    # -------------------------------------------------------------- state

    @property
    def held_ms(self) -> float:
        """Audio we hold and have not sent."""
        return self._ms(sum(entry.unsent for entry in self._feeding))

    def due(self, now: float) -> float | None:
        """When :meth:`advance` wants to be called next, not before ``now``; ``None``: after the
        next call of another method. An ``advance`` at that time makes progress."""
        wanted, by_clock = self._feed_at(), self._played_by()
        if wanted is None or (by_clock is not None and by_clock < wanted):
            wanted = by_clock
        return now if wanted is not None and wanted < now else wanted

    def _feed_at(self) -> float | None:
        if self._paused or not self._feeding:
            return None
        entry = self._feeding[0]
        if entry.ended and not entry.unsent:
            return 0.0
        if entry.ended or entry.unsent >= self._chunk:
            return self._play_end - self._top_up_s
        if entry.sent and entry.unsent >= self._block:
            return self._play_end - self._dry_s
        return None

    def _played_by(self) -> float | None:
        """When the first utterance that waits for its mark counts as played without it."""
        for first in self._utterances.values():
            return first.play_end + MARK_GRACE_S if first.marked else None
        return None

    # -------------------------------------------------------------- out

    def advance(self, now: float) -> list[Out]:
        """Everything that is due at ``now``, in order."""
        out: list[Out] = []
        if self._feeding and not self._paused:
            self._feed(now, out)
        if self._utterances:
            self._count_played(now, out)
        return out

    def _feed(self, now: float, out: list[Out]) -> None:
        # After a rest there is nothing to catch up with: the line was silent on purpose.
        if self._play_end < now - (0.0 if self._at_rest else self._catch_up_s):
            self._play_end = now
        while self._feeding:
            entry = self._feeding[0]
            begins_at = max(self._play_end, now)
            if media := self._media_due(entry, now):
                self._at_rest = False
                timestamp_ms = round((begins_at - self._started_at) * 1000)
                out.append(SendMedia(self._encode(media), timestamp_ms, entry.name))
            if not entry.ended or entry.unsent:
                return
            entry.marked = True
            entry.play_end = max(entry.play_end, now)
            self._feeding.popleft()
            out.append(SendMark(entry.name))
        self._at_rest = True

    def _media_due(self, entry: _Utterance, now: float) -> bytes:
        """All that is due of one utterance, as PCM16: several chunks where there is room for them
        in the lead, or where we are late."""
        due: list[bytes] = []
        room_until = now + self._lead_s - self._chunk_s + _ROUNDING_S
        while self._play_end - self._top_up_s <= now or (due and self._play_end <= room_until):
            pcm = self._take(entry, now)
            if not pcm:
                break
            padding = -len(pcm) % self._block
            due.append(pcm + bytes(padding) if padding else pcm)
            self._play_end += (len(pcm) + padding) / self._bytes_per_s
            entry.play_end = self._play_end - padding / self._bytes_per_s
        return due[0] if len(due) == 1 else b"".join(due)

    def _take(self, entry: _Utterance, now: float) -> bytes:
        """The next chunk of an utterance; empty if it has none to give now."""
        size = min(entry.unsent, self._chunk)
        if size < self._chunk and not entry.ended:
            # Its next audio is late. Before the line falls silent, whole blocks go out.
            running_dry = entry.sent and self._play_end - self._dry_s <= now
            size = size - size % self._block if running_dry else 0
        return entry.pull(size) if size else b""

    def _count_played(self, now: float, out: list[Out]) -> None:
        while (by := self._played_by()) is not None and by <= now:
            name = next(iter(self._utterances))
            del self._utterances[name]
            out.append(Played(name))
