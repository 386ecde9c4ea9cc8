"""The caller's end of the bot's audio: the playout buffer, the ear behind it, and the tape."""

from __future__ import annotations

from collections.abc import Sequence

from exobridge.simulator.ear import Ear, Utterance
from exobridge.simulator.measure import Clear
from exobridge.simulator.playout import UTTERANCE_GAP_MS, Gap, Heard, Playout
from exobridge_codecs.codec import decoder
from exobridge_codecs.formats import AudioFormat


class Earpiece:
    """Takes the bot's chunks, marks and clears; knows what of them was heard.

    Args:
        audio: The stream's format.
        marks_after_clear: As in :class:`~exobridge.simulator.playout.Playout`.
        record: Keep what was heard.
    """

    def __init__(self, audio: AudioFormat, *, marks_after_clear: bool, record: bool) -> None:
        self.playout = Playout(audio, marks_after_clear=marks_after_clear)
        self.clears: list[Clear] = []
        self.heard: list[Heard] = []
        self.sample_rate = audio.sample_rate
        self._ear = Ear(audio)
        self._audio = audio
        self._record = record

    @property
    def utterances(self) -> Sequence[Utterance]:
        """The bot's utterances so far; the last may still go on."""
        return self._ear.utterances

    @property
    def gaps(self) -> Sequence[Gap]:
        """Where the buffer ran dry in the middle of an utterance."""
        spoken = self._ear.utterances
        return [
            gap
            for gap in self.playout.gaps
            if any(part.start_ms <= gap.at_ms < part.end_ms for part in spoken)
        ]

    @property
    def audible_until_ms(self) -> float:
        """When the bot was last audible; 0 if it never was."""
        return self._ear.audible_until_ms

    def expects_sound(self) -> bool:
        """Whether something audible is buffered."""
        return any(self._ear.is_audible(chunk.audio) for chunk in self.playout.pending)

    def receive(self, now_ms: float, audio: bytes) -> bool:
        """Take a chunk; ``False`` if the buffer is full."""
        return self.playout.receive(now_ms, audio)

    def clear(self, now_ms: float) -> None:
        """Drop what has not been played."""
        self.advance(now_ms)
        dropped = self.playout.clear(now_ms)
        if len(self.clears) < 1000:
            self.clears.append(Clear(now_ms, dropped))
        self._ear.cut(now_ms)

    def advance(self, now_ms: float) -> None:
        """Hear what was played until now."""
        for heard in self.playout.advance(now_ms):
            self._ear.hear(heard)
            if self._record:
                self.heard.append(heard)

    def end(self, now_ms: float) -> float:
        """The stream is over; returns how much audio was never played, in ms."""
        self.advance(now_ms)
        self._ear.flush()
        return self.playout.unplayed_ms(now_ms) if self.expects_sound() else 0.0

    def cut(self, at_ms: float) -> None:
        """What becomes audible after this moment, and after a silence, is a new utterance."""
        self._ear.cut(at_ms)

    def finished(self, now_ms: float) -> int:
        """How many utterances are over."""
        count = len(self.utterances)
        over = count and now_ms - self.audible_until_ms >= UTTERANCE_GAP_MS
        return count if over else max(0, count - 1)

    def pcm(self, start_ms: float, end_ms: float) -> bytes:
        """What was heard between two moments, PCM16, without its gaps; empty if it was not kept."""
        rate, size = self._audio.sample_rate, self._audio.sample_bytes
        first, last = (round(ms * rate / 1000) for ms in (start_ms, end_ms))
        parts: list[bytes] = []
        for heard in reversed(self.heard):
            start, end = heard.start, heard.start + len(heard.audio) // size
            if end <= first:
                break
            if start < last:
                parts.append(heard.audio[max(0, first - start) * size : (last - start) * size])
        return decoder(self._audio.encoding)(b"".join(reversed(parts)))
