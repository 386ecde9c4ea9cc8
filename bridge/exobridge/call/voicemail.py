"""Who answered a call that we placed: a human, or a machine that records or offers a menu.

A human says a word or two and waits. A machine talks on: its greeting is longer, it says what
machines say, and it ends in a beep. All rules are here, pure; the clock is the caller's audio, in
milliseconds. Nothing is decided for a caller who keeps silent, and once it is clear that a human
answered only a machine's words can change that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from exobridge.call.beep import BeepDetector
from exobridge.call.machine_words import says_machine

LEAST_VOICE_MS = 120.0
"""Less voice than this is a noise, no word."""

LONGEST_WINDOW_MS = 100.0
"""What the detector has skipped beyond this was not judged."""


class Why(StrEnum):
    """What gave a machine away."""

    MONOLOGUE = "monologue"
    WORDS = "words"
    BEEP = "beep"


@dataclass(frozen=True, slots=True)
class Human:
    """A human answered."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine answered. A :class:`Beep` or :class:`NoBeep` follows."""

    why: Why


@dataclass(frozen=True, slots=True)
class Beep:
    """The machine records, since ``at_ms`` of the audio. Nothing follows."""

    at_ms: float


@dataclass(frozen=True, slots=True)
class NoBeep:
    """The machine fell silent without a beep, or talks on without end. Nothing follows."""


Event = Human | Machine | Beep | NoBeep


@dataclass(frozen=True, slots=True)
class VoicemailOptions:
    """How it is told.

    Attributes:
        start_probability: Of the voice detector, from which a window is voiced.
        opening_ms: A greeting begins within this; what begins later answers something.
        pause_ms: A pause that ends what was being said.
        monologue_ms: More voice than this without such a pause is a machine's.
        silence_ms: A machine silent for so long makes no beep.
        watch_ms: What is no machine until then is none.
        beep_ms: Longest wait for the beep, from when the machine was known.
    """

    start_probability: float = 0.5
    opening_ms: float = 3000
    pause_ms: float = 1000
    monologue_ms: float = 4000
    silence_ms: float = 4000
    watch_ms: float = 40_000
    beep_ms: float = 30_000


class Voicemail:
    """The first seconds of one outgoing call.

    Args:
        sample_rate: Of the frames, in hertz.
    """

    def __init__(self, options: VoicemailOptions, sample_rate: int) -> None:
        self._options = options
        self._beeps = BeepDetector(sample_rate)
        self._heard_ms = 0.0
        self._begun_ms: float | None = None
        self._voiced_ms = 0.0
        self._last_voice_ms = 0.0
        self._spoken = False
        self._human = False
        self._machine_ms: float | None = None
        self.over = False
        """There will be no more events: frames, voice and words need not be handed in."""

    def frame(self, pcm: bytes) -> list[Event]:
        """One frame of 20 ms, PCM16."""
        if self.over or (self._human and self._machine_ms is None):
            self._beeps.skip()
            return []
        at_ms = self._beeps.push(pcm)
        return [] if at_ms is None else self._beep(at_ms)

    def words(self, text: str) -> list[Event]:
        """The caller's words so far, or at last."""
        known = self.over or self._machine_ms is not None
        return [] if known or not says_machine(text) else [self._machine(Why.WORDS)]

    def voice(self, end_ms: float, probability: float) -> list[Event]:
        """A window of the voice detector, which ends at ``end_ms``."""
        if self.over:
            return []
        length_ms = min(end_ms - self._heard_ms, LONGEST_WINDOW_MS)
        self._heard_ms = end_ms
        if probability >= self._options.start_probability:
            return self._voiced(end_ms, length_ms)
        return self._unvoiced(end_ms)

    def _voiced(self, end_ms: float, length_ms: float) -> list[Event]:
        if self._begun_ms is None:
            self._begun_ms = end_ms - length_ms
        self._voiced_ms += length_ms
        self._spoken |= self._voiced_ms >= LEAST_VOICE_MS
        self._last_voice_ms = end_ms
        opening = self._begun_ms <= self._options.opening_ms
        if opening and self._voiced_ms > self._options.monologue_ms and not self._decided:
            return [self._machine(Why.MONOLOGUE)]
        return self._limits(end_ms)

    def _unvoiced(self, end_ms: float) -> list[Event]:
        return self._limits(end_ms) or self._pause(end_ms)

    def _pause(self, end_ms: float) -> list[Event]:
        if self._begun_ms is None or end_ms - self._last_voice_ms < self._options.pause_ms:
            return []
        if self._beeps.undecided:  # the pause may be a beep
            return []
        voiced_ms, self._voiced_ms, self._begun_ms = self._voiced_ms, 0.0, None
        short = LEAST_VOICE_MS <= voiced_ms <= self._options.monologue_ms
        if not short or self._decided:
            return []
        self._human = True
        return [Human()]

    @property
    def _decided(self) -> bool:
        return self._human or self._machine_ms is not None

    def _limits(self, end_ms: float) -> list[Event]:
        if self._machine_ms is None:
            self.over = end_ms >= self._options.watch_ms
            return []
        silent_since = max(self._machine_ms, self._last_voice_ms)
        silent = end_ms - silent_since >= self._options.silence_ms
        if not silent and end_ms - self._machine_ms < self._options.beep_ms:
            return []
        self.over = True
        return [NoBeep()]

    def _machine(self, why: Why) -> Machine:
        self._machine_ms = self._heard_ms
        return Machine(why)

    def _beep(self, at_ms: float) -> list[Event]:
        """A beep, of a machine if one is known or was talking just before."""
        if self._machine_ms is not None:
            self.over = True
            return [Beep(at_ms)]
        if not self._spoken:
            return []
        self.over = True
        return [self._machine(Why.BEEP), Beep(at_ms)]
