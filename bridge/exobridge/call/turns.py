"""Whose turn it is: every rule of turn-taking, pure, in one place.

Events and ``now`` in, actions out. Positions (``..._ms``) are milliseconds of the caller's audio;
``now`` is seconds of any steady clock.

The caller is quiet, may be starting to speak, or speaks:

* The first voiced window while the bot talks stops the feed at once (``PauseBot``): holding back
  can be undone, and up to the lead of audio plays on at Exotel, so a short noise goes unheard.
* Voice that adds up to ``barge_in_ms`` is an interruption (``InterruptBot``). Voice that ends
  before is not, and the bot goes on with the first sample it held back (``ResumeBot``).
* Silence of ``end_silence_ms`` ends the caller's turn: ``Finalize`` asks for the text, and the text
  makes the turn (``TakeTurn``). Less than ``MIN_VOICE_MS`` of voice was a noise.
* A caller who goes on before the bot is heard has not finished: the answer under way is dropped
  (``DropAnswer``) and the next turn holds both parts.
* An interruption without words (a cough) leaves the floor to the bot: ``GoOn``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

MIN_VOICE_MS = 120
"""Less voice than this is no speech."""

ONSET_MS = 60
"""Voice needed before a segment of speech begins; one window alone is often a click."""

SHORT_NOISE_MS = 250
"""Silence after which a voice too short to interrupt has ended, and the bot goes on."""

DIGITS_WAIT_S = 1.5
"""Pause after a key that ends the caller's digits; ``#`` ends them at once."""

MAX_DIGITS = 64


@dataclass(frozen=True, slots=True)
class TurnOptions:
    """The template's ``[turns]``, ``[vad]`` and ``limits.idle_seconds``."""

    start_probability: float = 0.5
    end_probability: float = 0.35
    end_silence_ms: int = 500
    barge_in: bool = True
    barge_in_ms: int = 200
    max_turn_seconds: float = 30.0
    idle_seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class StartSegment:
    """The caller speaks, since ``from_ms``."""

    from_ms: float


@dataclass(frozen=True, slots=True)
class DropSegment:
    """It was no speech."""


@dataclass(frozen=True, slots=True)
class Finalize:
    """The caller has stopped; the last voice ended at ``voice_end_ms``."""

    voice_end_ms: float


class Signal(Enum):
    """Actions that need no more than their name; the module's docstring says what they are."""

    PAUSE_BOT = auto()
    RESUME_BOT = auto()
    INTERRUPT_BOT = auto()
    DROP_ANSWER = auto()
    GO_ON = auto()
    IDLE = auto()


@dataclass(frozen=True, slots=True)
class TakeTurn:
    """The caller's turn is over; the dialogue answers it.

    Attributes:
        text: What was said, maybe empty if keys were pressed.
        digits: Keys pressed, without the closing ``#``.
        interrupted: The caller spoke, or pressed a key, into the bot's last turn.
    """

    text: str
    digits: str
    interrupted: bool


Action = StartSegment | DropSegment | Finalize | TakeTurn | Signal


class _Voice(Enum):
    QUIET = auto()
    ONSET = auto()
    SPEAKING = auto()


class TurnPolicy:
    """The turn-taking of one call.

    Args:
        options: The template's.
        now: When the call began.
    """

    def __init__(self, options: TurnOptions, now: float) -> None:
        self._options = options
        self._voice = _Voice.QUIET
        self._onset_ms = 0.0
        self._voiced_ms = 0.0
        self._last_voice_ms = 0.0
        self._position_ms = 0.0
        self._bot_talking = False
        self._paused = False
        self._interrupted = False
        self._answering = False
        self._awaiting_text = False
        self._said: list[str] = []
        self._digits = ""
        self._digits_until: float | None = None
        self._quiet_since = now

    # -------------------------------------------------------------- the bot

    @property
    def caller_speaking(self) -> bool:
        """The caller is in the middle of a segment of speech."""
        return self._voice is _Voice.SPEAKING

    def bot_started(self, now: float) -> None:
        """The bot is heard, or is about to be."""
        self._bot_talking = True
        self._quiet_since = now
        if self._answering:
            # From here on new speech is an interruption, not the rest of the turn before.
            self._answering = False
            self._said.clear()

    def bot_finished(self, now: float) -> None:
        """All the bot had to say has been played, or it had nothing to say."""
        if self._answering:
            self._said.clear()
        self._bot_talking = False
        self._paused = False
        self._answering = False
        self._quiet_since = now

    # -------------------------------------------------------------- the caller

    def voice(self, end_ms: float, probability: float, now: float) -> list[Action]:
        """One window of the voice detector, ending at ``end_ms`` of the caller's audio."""
        length_ms = max(0.0, end_ms - self._position_ms)
        self._position_ms = end_ms
        if self._bot_talking and not self._options.barge_in:
            return self._forget_voice()
        threshold = self._options.start_probability
        if self._voice is _Voice.SPEAKING:
            threshold = self._options.end_probability
        if probability >= threshold:
            return self._voiced(end_ms, length_ms, now)
        return self._unvoiced(end_ms, now)

    def _voiced(self, end_ms: float, length_ms: float, now: float) -> list[Action]:
        actions: list[Action] = []
        if self._voice is _Voice.QUIET:
            self._voice = _Voice.ONSET
            self._onset_ms = end_ms - length_ms
            self._voiced_ms = 0.0
            if self._bot_talking and not self._paused:
                self._paused = True
                actions.append(Signal.PAUSE_BOT)
        self._voiced_ms += length_ms
        self._last_voice_ms = end_ms
        self._quiet_since = now
        if self._voice is _Voice.ONSET and self._voiced_ms >= ONSET_MS:
            self._voice = _Voice.SPEAKING
            actions.append(StartSegment(self._onset_ms))
        if self._voice is _Voice.SPEAKING and self._voiced_ms >= self._options.barge_in_ms:
            actions += self._take_the_floor(now)
        if end_ms - self._onset_ms >= self._options.max_turn_seconds * 1000:
            actions += self._end_segment()
        return actions

    def _take_the_floor(self, now: float) -> list[Action]:
        if self._bot_talking:
            return [self._interrupt(now)]
        if self._answering:
            self._answering = False
            return [Signal.DROP_ANSWER]
        return []

    def _interrupt(self, now: float) -> Action:
        self.bot_finished(now)
        self._interrupted = True
        return Signal.INTERRUPT_BOT

    def _unvoiced(self, end_ms: float, now: float) -> list[Action]:
        if self._voice is _Voice.QUIET:
            return []
        self._quiet_since = now
        silent_ms = end_ms - self._last_voice_ms
        if self._paused and silent_ms >= SHORT_NOISE_MS:
            return self._forget_voice()
        if silent_ms >= self._options.end_silence_ms:
            return self._end_segment()
        return []

    def _end_segment(self) -> list[Action]:
        too_short = self._voiced_ms < MIN_VOICE_MS or self._paused
        if self._voice is not _Voice.SPEAKING or too_short:
            return self._forget_voice()
        self._voice = _Voice.QUIET
        self._awaiting_text = True
        return [Finalize(self._last_voice_ms)]

    def _forget_voice(self) -> list[Action]:
        """What was heard was no speech, or came when nobody listens."""
        speaking = self._voice is _Voice.SPEAKING
        self._voice = _Voice.QUIET
        actions: list[Action] = [DropSegment()] if speaking else []
        return actions + self._resume()

    def _resume(self) -> list[Action]:
        if not self._paused:
            return []
        self._paused = False
        return [Signal.RESUME_BOT]

    def final(
        self, text: str, now: float, *, finalized: bool, end_of_turn: bool = False
    ) -> list[Action]:
        """Text of the caller that will not change any more.

        Args:
            finalized: It answers ``Finalize``.
            end_of_turn: The recogniser takes the turn to be over.
        """
        if text:
            self._said.append(text)
        if finalized:
            self._awaiting_text = False
        elif not end_of_turn:
            return []
        if self.caller_speaking and not end_of_turn:
            return []
        return self._turn_over(now)

    def _turn_over(self, now: float) -> list[Action]:
        if self._said or self._digits:
            digits, self._digits, self._digits_until = self._digits, "", None
            interrupted, self._interrupted = self._interrupted, False
            actions: list[Action] = []
            if self._bot_talking:
                # The recogniser heard a whole turn in what was too short to interrupt by voice.
                actions.append(self._interrupt(now))
                self._interrupted, interrupted = False, True
            self._answering = True
            self._quiet_since = now
            return [*actions, TakeTurn(" ".join(self._said), digits, interrupted)]
        if self._interrupted:
            self._interrupted = False
            return [Signal.GO_ON]
        return []

    def digit(self, digit: str, now: float) -> list[Action]:
        """The caller pressed a key."""
        actions: list[Action] = []
        self._quiet_since = now
        if self._bot_talking and self._options.barge_in:
            actions.append(self._interrupt(now))
        elif self._answering:
            self._answering = False
            actions.append(Signal.DROP_ANSWER)
        if digit == "#" and self._digits:
            return actions + self._turn_over(now)
        self._digits = (self._digits + digit)[-MAX_DIGITS:]
        self._digits_until = now + DIGITS_WAIT_S
        return actions

    # -------------------------------------------------------------- time

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        times = [self._idle_at(), self._digits_until]
        return min((time for time in times if time is not None), default=None)

    def _idle_at(self) -> float | None:
        busy = self._bot_talking or self._answering or self._awaiting_text
        if busy or self._voice is not _Voice.QUIET:
            return None
        return self._quiet_since + self._options.idle_seconds

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        if self._digits_until is not None and now >= self._digits_until:
            if not self._bot_talking:
                return self._turn_over(now)
            self._digits_until = now + DIGITS_WAIT_S  # nobody may interrupt: after the bot
        idle_at = self._idle_at()
        if idle_at is not None and now >= idle_at:
            self._quiet_since = now
            return [Signal.IDLE]
        return []
