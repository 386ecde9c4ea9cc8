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
  (``DropAnswer``) and the next turn holds both parts, keys included.
* An interruption without words (a cough) leaves the floor to the bot: ``GoOn``.
* Keys end with ``#`` or a pause; what is said meanwhile belongs to the same turn.
* A turn longer than ``max_turn_seconds`` is ended for the caller. Until the next pause their voice
  then neither interrupts nor drops the answer, so that the bot gets a word in; it is transcribed.
* Nobody may interrupt while ``barge_in`` is off: keys and words that come while the bot talks wait.
* Words that no event turns into a turn (the voice was too low for the detector, say) are taken when
  all has been quiet for ``end_silence_ms``.
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
    end_silence_ms: int = 400
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


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the turn under way holds: the first ``texts`` of what was said, and keys."""

    texts: int = 0
    digits: str = ""
    interrupted: bool = False


_NOTHING_TAKEN = _Taken()


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
        self._floor_ms = 0.0
        """Voice since the last turn was taken: only this can take the floor."""
        self._last_voice_ms = 0.0
        self._position_ms = 0.0
        self._overlong = False
        self._bot_talking = False
        self._paused = False
        self._resume_owed = False
        self._interrupted = False
        self._answering = False
        self._finals_due = 0
        self._said: list[str] = []
        self._digits = ""
        self._digits_until: float | None = None
        self._taken = _NOTHING_TAKEN
        self._quiet_since = now

    # -------------------------------------------------------------- the bot

    @property
    def caller_speaking(self) -> bool:
        """The caller is in the middle of a segment of speech."""
        return self._voice is _Voice.SPEAKING

    def bot_started(self, now: float) -> None:
        """The bot is heard, or is about to be."""
        self._answered()
        self._bot_talking = True
        self._quiet_since = now

    def bot_finished(self, now: float) -> None:
        """All the bot had to say has been played, or it had nothing to say."""
        self._answered()
        # The feed must not stay closed for what the bot says next.
        self._resume_owed |= self._paused
        self._fall_silent(now)

    def _fall_silent(self, now: float) -> None:
        self._bot_talking = False
        self._paused = False
        self._quiet_since = now

    def _answered(self) -> None:
        """From here on new speech is an interruption, not the rest of the turn before."""
        del self._said[: self._taken.texts]
        self._taken = _NOTHING_TAKEN
        self._answering = False

    # -------------------------------------------------------------- the caller's voice

    def voice(self, end_ms: float, probability: float, now: float) -> list[Action]:
        """One window of the voice detector, ending at ``end_ms`` of the caller's audio."""
        length_ms = max(0.0, end_ms - self._position_ms)
        self._position_ms = max(self._position_ms, end_ms)
        owed = self._owed()
        if self._bot_talking and not self._options.barge_in:
            return owed + self._forget_voice()
        threshold = self._options.start_probability
        if self._voice is _Voice.SPEAKING:
            threshold = self._options.end_probability
        if probability >= threshold:
            return owed + self._voiced(length_ms, now)
        return owed + self._unvoiced(now)

    def _voiced(self, length_ms: float, now: float) -> list[Action]:
        actions: list[Action] = []
        if self._voice is _Voice.QUIET:
            self._voice = _Voice.ONSET
            self._onset_ms = self._position_ms - length_ms
            self._voiced_ms = self._floor_ms = 0.0
        self._voiced_ms += length_ms
        self._floor_ms += length_ms
        self._last_voice_ms = self._position_ms
        self._quiet_since = now
        if self._voice is _Voice.ONSET and self._voiced_ms >= ONSET_MS:
            self._voice = _Voice.SPEAKING
            actions.append(StartSegment(self._onset_ms))
        if not self._overlong:
            actions += self._claim_the_floor(now)
        if self._position_ms - self._onset_ms >= self._options.max_turn_seconds * 1000:
            self._overlong = self.caller_speaking
            actions += self._end_segment()
        return actions

    def _claim_the_floor(self, now: float) -> list[Action]:
        enough = self.caller_speaking and self._floor_ms >= self._options.barge_in_ms
        if enough and self._bot_talking:
            return [self._interrupt(now)]
        if enough and self._answering:
            return [self._drop_answer()]
        if self._bot_talking and not self._paused:
            self._paused = True
            return [Signal.PAUSE_BOT]
        return []

    def _interrupt(self, now: float) -> Action:
        self._fall_silent(now)
        self._interrupted = True
        return Signal.INTERRUPT_BOT

    def _drop_answer(self) -> Action:
        """The caller has not finished: what was taken belongs to the turn that goes on."""
        self._digits = (self._taken.digits + self._digits)[-MAX_DIGITS:]
        self._interrupted |= self._taken.interrupted
        self._taken = _NOTHING_TAKEN
        self._answering = False
        return Signal.DROP_ANSWER

    def _unvoiced(self, now: float) -> list[Action]:
        silent_ms = self._position_ms - self._last_voice_ms
        if silent_ms >= SHORT_NOISE_MS:
            self._overlong = False
        if self._voice is _Voice.QUIET:
            return []
        self._quiet_since = now
        if self._paused and silent_ms >= SHORT_NOISE_MS:
            return self._forget_voice()
        if silent_ms >= self._options.end_silence_ms:
            return self._end_segment()
        return []

    def _end_segment(self) -> list[Action]:
        # What took the floor is asked for its words, however short it was.
        speech_ms = min(MIN_VOICE_MS, self._options.barge_in_ms)
        if not self.caller_speaking or self._paused or self._voiced_ms < speech_ms:
            return self._forget_voice()
        self._voice = _Voice.QUIET
        self._finals_due += 1
        return [Finalize(self._last_voice_ms)]

    def _forget_voice(self) -> list[Action]:
        """What was heard was no speech, or came when nobody listens."""
        actions: list[Action] = [DropSegment()] if self.caller_speaking else []
        self._voice = _Voice.QUIET
        if self._paused:
            self._paused = False
            actions.append(Signal.RESUME_BOT)
        return actions

    def _owed(self) -> list[Action]:
        owed, self._resume_owed = self._resume_owed, False
        return [Signal.RESUME_BOT] if owed else []

    # -------------------------------------------------------------- the caller's words and keys

    def final(
        self, text: str, now: float, *, finalized: bool, end_of_turn: bool = False
    ) -> list[Action]:
        """Text of the caller that will not change any more.

        Args:
            finalized: It answers ``Finalize``.
            end_of_turn: The recogniser takes the turn to be over.
        """
        owed = self._owed()
        if text:
            self._said.append(text)
            self._quiet_since = now
        if finalized:
            self._finals_due = max(0, self._finals_due - 1)
        elif not end_of_turn:
            return owed
        going_on = self._finals_due or (self.caller_speaking and not self._overlong)
        if self._digits_until is not None or (going_on and not end_of_turn):
            return owed
        return owed + self._turn_over(now)

    def digit(self, digit: str, now: float) -> list[Action]:
        """The caller pressed a key."""
        actions = self._owed()
        self._quiet_since = now
        if self._bot_talking and self._options.barge_in:
            actions.append(self._interrupt(now))
        elif self._answering:
            actions.append(self._drop_answer())
        if digit == "#" and self._digits:
            return actions + self._turn_over(now)
        self._digits = (self._digits + digit)[-MAX_DIGITS:]
        self._digits_until = now + DIGITS_WAIT_S
        return actions

    def _turn_over(self, now: float) -> list[Action]:
        self._digits_until = None
        if not self._has_news:
            if not self._interrupted or self._bot_talking:
                return []
            self._interrupted = False
            return [Signal.GO_ON]
        actions: list[Action] = []
        if self._bot_talking:
            if not self._options.barge_in:
                return []
            # The recogniser heard a whole turn in what was too short to interrupt by voice.
            actions.append(self._interrupt(now))
        elif self._answering:
            actions.append(self._drop_answer())
        return [*actions, self._take_turn(now)]

    @property
    def _has_news(self) -> bool:
        """Words or keys that are in no turn yet."""
        return len(self._said) > self._taken.texts or bool(self._digits)

    def _take_turn(self, now: float) -> TakeTurn:
        turn = TakeTurn(" ".join(self._said), self._digits, self._interrupted)
        self._taken = _Taken(len(self._said), self._digits, self._interrupted)
        self._digits = ""
        self._interrupted = False
        self._answering = True
        self._floor_ms = 0.0
        self._quiet_since = now
        return turn

    # -------------------------------------------------------------- time

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        owed_at = self._quiet_since if self._resume_owed else None
        times = [owed_at, self._digits_until, self._leftover_at(), self._idle_at()]
        return min((time for time in times if time is not None), default=None)

    def _all_quiet(self) -> bool:
        busy = self._bot_talking or self._answering or self._finals_due
        return not busy and self._voice is _Voice.QUIET

    def _idle_at(self) -> float | None:
        return self._quiet_since + self._options.idle_seconds if self._all_quiet() else None

    def _leftover_at(self) -> float | None:
        """When words and keys are taken that nothing else turned into a turn."""
        if not self._has_news or self._digits_until is not None or not self._all_quiet():
            return None
        return self._quiet_since + self._options.end_silence_ms / 1000

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        owed = self._owed()
        leftover_at = self._leftover_at()
        if self._digits_until is not None and now >= self._digits_until:
            return owed + self._turn_over(now)
        if leftover_at is not None and now >= leftover_at:
            return owed + self._turn_over(now)
        idle_at = self._idle_at()
        if idle_at is not None and now >= idle_at:
            self._quiet_since = now
            return [*owed, Signal.IDLE]
        return owed
