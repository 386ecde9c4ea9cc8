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
from dataclasses import dataclass

from exobridge.exotel.stream import BLOCK_BYTES
from exobridge_codecs.codec import encoder
from exobridge_codecs.formats import AudioFormat
from exobridge_codecs.resample import resample

MARK_GRACE_S = 0.5
"""How long after its time an utterance counts as played without its mark."""

CATCH_UP_S = 0.1
"""How far a schedule may lie behind and still be caught up with; further back, it starts anew."""


@dataclass(frozen=True, slots=True)
class PlayoutOptions:
    """How far ahead of the caller's ear we send.

    Attributes:
        chunk_ms: Duration of a chunk, rounded up to a multiple of 320 bytes.
        lead_ms: Most that Exotel holds right after a send; topped up at half of it. 0 sends each
            chunk when it is due.
    """

    chunk_ms: int = 100
    lead_ms: int = 200


@dataclass(frozen=True, slots=True)
class SendMedia:
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
        known_ms: Audio there is so far, the heard included.
        whole: All the utterance's audio is known, so ``known_ms`` is its length.
    """

    utterance: str
    heard_ms: float
    known_ms: float
    whole: bool


@dataclass(slots=True)
class _Utterance:
    name: str
    added: int = 0
    sent: int = 0
    ended: bool = False
    marked: bool = False
    first_at: float | None = None
    play_end: float = 0.0


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
        self._top_up_s = self._lead_s / 2
        self._catch_up_s = max(0.0, CATCH_UP_S - self._top_up_s)
        self._held: deque[tuple[_Utterance, bytes]] = deque()
        self._held_bytes = 0
        self._utterances: dict[str, _Utterance] = {}
        self._feeding: deque[_Utterance] = deque()
        self._play_end = 0.0
        self._paused = False
        self._use(audio_format)

    def set_format(self, audio_format: AudioFormat) -> None:
        """Go on in another encoding or rate; what is held is converted, nothing is lost."""
        before = self._format.sample_rate
        self._use(audio_format)
        if audio_format.sample_rate == before:
            return
        for entry in self._utterances.values():
            entry.sent = entry.sent // 2 * audio_format.sample_rate // before * 2
            entry.added = entry.sent
        for index, (entry, pcm) in enumerate(self._held):
            converted = resample(pcm, before, audio_format.sample_rate)
            self._held[index] = (entry, converted)
            entry.added += len(converted)
        self._held_bytes = sum(len(pcm) for _, pcm in self._held)

    def _use(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._encode: Callable[[bytes], bytes] = encoder(audio_format.encoding)
        wire = audio_format.bytes_per_ms * self._options.chunk_ms
        self._chunk = self._pcm_size(-(-wire // BLOCK_BYTES) * BLOCK_BYTES)
        self._block = self._pcm_size(BLOCK_BYTES)
        self._bytes_per_s = audio_format.sample_rate * 2
        self._chunk_s = self._chunk / self._bytes_per_s

    def _pcm_size(self, wire_bytes: int) -> int:
        return wire_bytes // self._format.sample_bytes * 2

    # -------------------------------------------------------------- in

    def add(self, utterance: str, pcm: bytes) -> None:
        """Queue PCM16 audio at the line's rate; a new name begins an utterance."""
        if not pcm:
            return
        entry = self._entry(utterance)
        entry.added += len(pcm)
        self._held.append((entry, pcm))
        self._held_bytes += len(pcm)

    def end(self, utterance: str) -> None:
        """No more audio of this utterance will come."""
        self._entry(utterance).ended = True

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
        self._paused = False

    def mark_played(self, name: str, now: float) -> Played | None:
        """A mark came back."""
        entry = self._utterances.get(name)
        if entry is None or not entry.marked:
            return None
        # Earlier utterances were played too, but each has its own mark or its own time.
        entry.play_end = min(entry.play_end, now)
        del self._utterances[name]
        return Played(name)

    def clear(self, now: float) -> list[Heard]:
        """Drop everything unplayed, held or sent; the caller must send ``clear`` to Exotel.

        Returns:
            What was heard of each utterance that had not been played whole, in order.
        """
        cut = [self._heard(entry, now) for entry in self._utterances.values()]
        self._utterances.clear()
        self._feeding.clear()
        self._held.clear()
        self._held_bytes = 0
        self._play_end = now
        self._paused = False
        return cut

    def _heard(self, entry: _Utterance, now: float) -> Heard:
        unplayed_s = min(max(0.0, entry.play_end - now), entry.sent / self._bytes_per_s)
        heard_ms = max(0.0, entry.sent / self._bytes_per_s - unplayed_s) * 1000
        known_ms = entry.added * 1000 / self._bytes_per_s
        return Heard(entry.name, min(heard_ms, known_ms), known_ms, entry.ended)

    # -------------------------------------------------------------- state

    @property
    def held_ms(self) -> float:
        """Audio we hold and have not sent."""
        return self._held_bytes * 1000 / self._bytes_per_s

    def due(self, now: float) -> float | None:
        """When :meth:`advance` wants to be called next; ``None``: after the next ``add`` or
        ``end``."""
        wanted: float | None = None
        if self._feeding and not self._paused:
            entry = self._feeding[0]
            available = entry.added - entry.sent
            if entry.ended or available >= self._chunk:
                wanted = max(now, self._play_end - self._top_up_s)
            elif entry.sent and available >= self._block:
                wanted = max(now, self._play_end)
        for entry in self._utterances.values():
            if entry.marked:
                by_clock = entry.play_end + MARK_GRACE_S
                return by_clock if wanted is None else min(wanted, by_clock)
        return wanted

    # -------------------------------------------------------------- out

    def advance(self, now: float) -> list[Out]:
        """Everything that is due at ``now``, in order."""
        out: list[Out] = []
        if self._feeding and not self._paused:
            if self._play_end < now - self._catch_up_s:
                self._play_end = now
            self._feed(now, out)
        if self._utterances:
            self._count_played(now, out)
        return out

    def _feed(self, now: float, out: list[Out]) -> None:
        while self._feeding:
            entry = self._feeding[0]
            begins_at = self._play_end
            if media := self._media_due(entry, now):
                timestamp_ms = round((max(begins_at, now) - self._started_at) * 1000)
                out.append(SendMedia(self._encode(media), timestamp_ms, entry.name))
                entry.play_end = self._play_end
            if not (entry.ended and entry.added == entry.sent):
                return
            entry.marked = True
            entry.play_end = max(entry.play_end, now)
            self._feeding.popleft()
            out.append(SendMark(entry.name))

    def _media_due(self, entry: _Utterance, now: float) -> bytes:
        """All that is due of one utterance, as PCM16: several chunks where we are late."""
        due: list[bytes] = []
        while self._play_end - now <= self._top_up_s or (
            due and self._play_end + self._chunk_s - now <= self._lead_s
        ):
            pcm = self._take(entry, now)
            if not pcm:
                break
            due.append(pcm)
            self._play_end += len(pcm) / self._bytes_per_s
        return due[0] if len(due) == 1 else b"".join(due)

    def _take(self, entry: _Utterance, now: float) -> bytes:
        """The next chunk of an utterance; empty if it has none to give now."""
        available = entry.added - entry.sent
        size = min(available, self._chunk)
        if size < self._chunk and not entry.ended:
            # Its next audio is late. Before the line falls silent, whole blocks go out.
            running_dry = entry.sent and self._play_end <= now
            size = size - size % self._block if running_dry else 0
        if not size:
            return b""
        pcm = self._pull(entry, size)
        return pcm + bytes(-size % self._block) if size % self._block else pcm

    def _pull(self, entry: _Utterance, size: int) -> bytes:
        entry.sent += size
        self._held_bytes -= size
        _, pcm = self._held[0]
        if len(pcm) == size:
            self._held.popleft()
            return pcm
        parts: list[bytes] = []
        while size:
            owner, pcm = self._held.popleft()
            if len(pcm) > size:
                self._held.appendleft((owner, pcm[size:]))
                pcm = pcm[:size]
            parts.append(pcm)
            size -= len(pcm)
        return b"".join(parts)

    def _count_played(self, now: float, out: list[Out]) -> None:
        overdue = [
            name
            for name, entry in self._utterances.items()
            if entry.marked and entry.play_end + MARK_GRACE_S <= now
        ]
        for name in overdue:
            del self._utterances[name]
            out.append(Played(name))
