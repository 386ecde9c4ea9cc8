"""The caller's voice: where an utterance begins, how much of it is voice, how long it is silent."""

from __future__ import annotations

from enum import Enum, auto

ONSET_MS = 60
"""Voice needed before a segment of speech begins; one window alone is often a click."""


class Activity(Enum):
    """What the caller does."""

    QUIET = auto()
    ONSET = auto()
    """May be starting to speak."""
    SPEAKING = auto()


class Voice:
    """One caller's, window by window. Positions and lengths are milliseconds of their audio.

    An utterance goes on through pauses, until :meth:`rest`.

    Attributes:
        activity: What the caller does.
        uttering: An utterance is under way, a pause in it included.
        onset_ms: Where it began, or may be beginning.
        voiced_ms: Voice in it.
        end_ms: Where the last voice ended.
        gap_ms: Silence before the voice that is, or was, heard last.
        position_ms: Where the last window ended.
    """

    def __init__(self, start_probability: float, end_probability: float) -> None:
        self.activity = Activity.QUIET
        self.uttering = False
        self.onset_ms = 0.0
        self.voiced_ms = 0.0
        self.end_ms = 0.0
        self.gap_ms = 0.0
        self.position_ms = 0.0
        self._burst_ms = 0.0
        self._start = start_probability
        self._end = end_probability

    @property
    def silent_ms(self) -> float:
        """Since the last voice."""
        return self.position_ms - self.end_ms

    @property
    def speaking(self) -> bool:
        """The caller is in the middle of speech."""
        return self.activity is Activity.SPEAKING

    def hear(self, end_ms: float, probability: float) -> bool:
        """Take one window, ending at ``end_ms``; whether it is voice."""
        window_ms = max(0.0, end_ms - self.position_ms)
        self.position_ms = max(self.position_ms, end_ms)
        if probability < (self._end if self.speaking else self._start):
            return False
        if self.activity is Activity.QUIET:
            self.activity = Activity.ONSET
            self._burst_ms = 0.0
            self.gap_ms = self.position_ms - window_ms - self.end_ms
            if not self.uttering:
                self._begin_at(self.position_ms - window_ms)
        self._burst_ms += window_ms
        self.voiced_ms += window_ms
        self.end_ms = self.position_ms
        return True

    def _begin_at(self, position_ms: float) -> None:
        self.onset_ms = position_ms
        self.voiced_ms = 0.0

    def begins(self) -> bool:
        """Whether there is now enough voice for speech; it is told once."""
        if self.activity is Activity.ONSET and self._burst_ms >= ONSET_MS:
            self.activity = Activity.SPEAKING
            self.uttering = True
            return True
        return False

    def pause(self) -> None:
        """The caller is silent, and may go on with the utterance."""
        self.activity = Activity.QUIET

    def restart(self) -> None:
        """What is said from here on counts as an utterance of its own."""
        self._begin_at(self.position_ms)

    def rest(self) -> None:
        """The utterance is over."""
        self.activity = Activity.QUIET
        self.uttering = False
