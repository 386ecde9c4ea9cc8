"""The policy: events and ``now`` in, actions out. The package's docstring tells the rules."""

from __future__ import annotations

from enum import Enum, auto

from exobridge.call.digits import DigitCollector
from exobridge.call.turns.actions import Action, Signal, TakeTurn, TurnOptions
from exobridge.call.turns.end_of_turn import PAUSE_MS, EndOfTurn
from exobridge.call.turns.interruption import (
    BACKCHANNEL_S,
    MIN_VOICE_MS,
    NOISE_OVER_MS,
    Attempt,
    Outcome,
)
from exobridge.call.turns.said import Said
from exobridge.call.turns.segment import Segment
from exobridge.call.turns.vocabulary import Verdict, Vocabulary
from exobridge.call.turns.voice import Activity, Voice
from exobridge_providers.base import CollectDigits
from exobridge_providers.dialogue.words import words

ATTEMPT_S = BACKCHANNEL_S + 0.2
"""Longest time the bot is held back, should the detector tell nothing more."""

GAP_MS = 100
"""Silence in which a turn that is too long may be ended: hardly in the middle of a word."""

GAP_WAIT_MS = 2000
"""Longest wait for that."""

SPECULATION_S = 5.0
"""A turn that has become neither certain nor longer by then is given up."""


class _Answer(Enum):
    """What has become of the turn that was taken."""

    NONE = auto()
    """It is answered, or there was none."""
    UNCERTAIN = auto()
    MADE = auto()
    """It is being made; the bot is not heard yet."""


class TurnPolicy:
    """The turn-taking of one call.

    Args:
        options: The template's.
        now: When the call began.

    Attributes:
        vocabulary: The words that matter, in the language that is spoken now.
        speculative: The dialogue may be asked before a turn is certain.
    """

    def __init__(self, options: TurnOptions, now: float, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.speculative = False
        self._options = options
        self._voice = Voice(options.start_probability, options.end_probability)
        self._segment = Segment()
        self._said = Said()
        self._attempt: Attempt | None = None
        self._holding = False
        self._bot_talking = False
        self._first_line = True
        self._protected = False
        self._protected_until = now
        self._answer = _Answer.NONE
        self._guess = ""
        self._guessed_at = now
        self._end = EndOfTurn(options.end_silence_ms, options.max_end_silence_ms)
        self._overlong = False
        self._keys = DigitCollector()
        self._quiet_since = now

    # -------------------------------------------------------------- the bot

    def bot_started(self, now: float, *, protect_ms: float = 0) -> None:
        """The bot is heard, or is about to be; for ``protect_ms`` nobody interrupts it."""
        self._answered()
        self._bot_talking = True
        self._protected_until = max(self._protected_until, now + protect_ms / 1000)
        self._quiet_since = now

    def protect(self, now: float, *, protected: bool) -> list[Action]:
        """From now on nobody may (or everybody may again) interrupt what the bot says."""
        self._protected = protected
        if protected:
            self._attempt = None
            return self._release()
        keys = self._keys.pending or self._said.digits
        waiting = keys or self._verdict_since(0) is Verdict.INTERRUPTION
        if not waiting or not self._may_interrupt(now):
            return []
        over = self._all_heard and not self._keys.pending
        return self._turn_over(now) if over else [self._interrupt(now)]

    def bot_finished(self, now: float) -> list[Action]:
        """All the bot had to say has been played, or it had nothing to say."""
        self._first_line = False
        self._answered()
        self._fall_silent(now)
        self._keys.start(now)
        actions = self._release()
        self._said.forget_murmurs(now)
        if self._all_heard and not self._keys.pending and self._said.news:
            actions += self._turn_over(now)
        return actions

    def bot_begins(self) -> None:
        """The bot is about to say a line that answers nobody. Who speaks now drops it, as they
        would an answer that is not heard yet."""
        self._answer = _Answer.MADE

    def is_cut(self, now: float) -> None:
        """What the bot says, or would have said, is dropped, and not by the caller: what they said
        is answered later."""
        if self._answer is not _Answer.NONE:
            self._drop_answer()
        self._holding = False
        self._fall_silent(now)

    def may_be_cut(self, now: float) -> bool:
        """Whether the bot can be cut for another line: not where it must be heard, nor while the
        caller has not finished."""
        heard_out = self._protected or now < self._protected_until
        finished = self._all_heard and self._answer is not _Answer.UNCERTAIN
        return finished and not self._keys.pending and not (self._bot_talking and heard_out)

    def _fall_silent(self, now: float) -> None:
        self._bot_talking = self._protected = False
        self._protected_until = now
        self._attempt = None
        self._quiet_since = now

    def _answered(self) -> None:
        """From here on new speech is an interruption, not the rest of the turn before."""
        self._said.answered()
        self._answer = _Answer.NONE

    def _may_interrupt(self, now: float) -> bool:
        options = self._options
        free = options.barge_in and not self._protected and now >= self._protected_until
        return self._bot_talking and free

    # -------------------------------------------------------------- holding back

    def _hold(self) -> Action:
        self._holding = True
        return Signal.PAUSE_BOT

    def _release(self) -> list[Action]:
        if not self._holding or self._answer is _Answer.UNCERTAIN:
            return []
        self._holding = False
        return [Signal.RESUME_BOT]

    def _interrupt(self, now: float) -> Action:
        self._said.forget_murmurs(now if self._attempt is None else self._attempt.since)
        self._said.interrupted = True
        self._fall_silent(now)
        self._holding = False
        return Signal.INTERRUPT_BOT

    def _drop_answer(self) -> Action:
        """The caller has not finished: what was taken belongs to the turn that goes on."""
        self._said.give_back()
        self._answer = _Answer.NONE
        self._attempt = None
        self._holding = False
        return Signal.DROP_ANSWER

    # -------------------------------------------------------------- the caller's voice

    def voice(self, end_ms: float, probability: float, now: float) -> list[Action]:
        """One window of the voice detector, ending at ``end_ms`` of the caller's audio."""
        voiced = self._voice.hear(end_ms, probability)
        return self._voiced(now) if voiced else self._unvoiced(now)

    def _voiced(self, now: float) -> list[Action]:
        voice = self._voice
        self._quiet_since = now
        actions: list[Action] = []
        goes_on = voice.uttering
        if voice.begins():
            if goes_on:
                self._end.went_on(voice.gap_ms)
            else:
                self._end.reset()
            actions.append(self._segment.start(voice.onset_ms, voice.position_ms))
        if not self._overlong:
            actions += self._claim_the_floor(now)
        if self._too_long_ms >= GAP_WAIT_MS:
            actions += self._end_for_the_caller()
        return actions

    @property
    def _too_long_ms(self) -> float:
        """How much longer than it may be the turn is that the caller speaks; -1: it is not."""
        voice = self._voice
        over_ms = voice.position_ms - voice.onset_ms - self._options.max_turn_seconds * 1000
        return over_ms if voice.speaking and over_ms >= 0 else -1

    @property
    def _cut_short(self) -> bool:
        """The turn that was ended for the caller is not answered yet."""
        return bool(self._segment.finals_due) or self._answer is not _Answer.NONE

    def _end_for_the_caller(self) -> list[Action]:
        self._overlong = True
        actions = self._segment.finalize(self._voice.end_ms)
        self._voice.rest()
        return actions

    def _claim_the_floor(self, now: float) -> list[Action]:
        if self._answer is _Answer.UNCERTAIN:
            return [self._drop_answer()] if self._voice.speaking else []
        if not self._may_interrupt(now) and self._answer is _Answer.NONE:
            return []
        actions: list[Action] = []
        attempt = self._attempt
        if attempt is None:
            attempt = self._attempt = self._new_attempt(now)
            actions.append(self._hold())
        if attempt.on_voice(self._voice, self._segment, now) is Outcome.TAKE:
            return [*actions, self._take_floor(now)]
        return actions + self._segment.peek_into(self._voice.position_ms, now)

    def _new_attempt(self, now: float) -> Attempt:
        spoken_s = (self._voice.position_ms - self._voice.onset_ms) / 1000
        return Attempt(
            now - spoken_s, len(self._said), self._options.barge_in_ms, audible=self._bot_talking
        )

    def _unvoiced(self, now: float) -> list[Action]:
        voice = self._voice
        if voice.silent_ms >= NOISE_OVER_MS and not self._cut_short:
            self._overlong = False
        if self._attempt is not None:
            return self._attempt_pauses(self._attempt, now)
        if voice.activity is Activity.QUIET and not voice.uttering:
            return []
        self._quiet_since = now
        if voice.silent_ms >= GAP_MS and self._too_long_ms >= 0:
            return self._end_for_the_caller()
        if voice.silent_ms >= self._end.needed_ms:
            return self._silence_over(now)
        if voice.silent_ms >= PAUSE_MS:
            return self._pause(now)
        return []

    def _pause(self, now: float) -> list[Action]:
        voice = self._voice
        if not voice.uttering:
            voice.rest()  # it was a click
        elif voice.speaking and voice.voiced_ms >= MIN_VOICE_MS:
            return self._ask(now)
        return []

    def _ask(self, now: float) -> list[Action]:
        self._voice.pause()
        return self._segment.ask(self._voice.position_ms, now)

    @property
    def unasked_end_ms(self) -> float | None:
        """Where the voice ended whose text has not been asked for; ``None``: there is none."""
        return self._voice.end_ms if self._segment.open else None

    def no_peek(self) -> list[Action]:
        """The recogniser does not answer ``Peek``."""
        return self._segment.no_peek(self._voice.end_ms)

    def _silence_over(self, now: float) -> list[Action]:
        voice, segment = self._voice, self._segment
        if voice.voiced_ms < MIN_VOICE_MS and not segment.partial:
            return self._forget_voice()
        if segment.open:
            voice.pause()
            return segment.finalize(voice.end_ms)
        if segment.finals_due or self._keys.pending:  # the turn is over when the keys are
            return []
        return self._turn_over(now)

    def _forget_voice(self) -> list[Action]:
        """What was heard was no speech."""
        self._voice.rest()
        self._attempt = None
        return [*self._segment.drop(), *self._release()]

    # -------------------------------------------------------------- an interruption, or none

    def _take_floor(self, now: float) -> Action:
        return self._interrupt(now) if self._bot_talking else self._drop_answer()

    def _attempt_pauses(self, attempt: Attempt, now: float) -> list[Action]:
        match attempt.on_silence(self._voice, self._segment, now):
            case Outcome.ASK:
                return self._ask(now)
            case Outcome.NOISE:
                return self._forget_voice()
            case Outcome.PASS if self._segment.open and attempt.doubtful:
                # The final text is seldom far, and the bot is not heard meanwhile.
                return self._segment.finalize(self._voice.end_ms)
            case Outcome.PASS:
                return self._pass(attempt, now)
            case Outcome.TAKE:
                return [self._take_floor(now)]
            case Outcome.WAIT:
                return []

    def _pass(self, attempt: Attempt, now: float) -> list[Action]:
        """It was no interruption; words that may be an early answer are kept."""
        self._attempt = None
        if attempt.verdict is Verdict.BACKCHANNEL:
            self._pass_over(attempt.texts, now)
        actions = self._segment.finalize(self._voice.end_ms)
        self._voice.rest()
        return [*actions, *self._release()]

    def _pass_over(self, texts: int, now: float) -> None:
        """The texts from the given one on are backchannels."""
        if self._bot_talking:
            self._said.murmur(texts, now)
        else:
            self._said.forget(texts)

    def _verdict(self, text: str) -> Verdict:
        return self.vocabulary.verdict(text, early=self._first_line)

    def _verdict_since(self, texts: int) -> Verdict:
        return self._verdict(f"{self._said.since(texts)} {self._segment.partial}")

    def _weigh(self, texts: int, now: float) -> list[Action]:
        """Words came, the given text the first of them, while the bot has the floor."""
        verdict = self._verdict_since(texts)
        if self._attempt is not None:
            lasting = f"{self._said.since(texts)} {self._segment.lasting}"
            sure = self._verdict(lasting) is Verdict.INTERRUPTION
            outcome = self._attempt.on_words(verdict, self._voice, self._segment, sure=sure)
            return [self._take_floor(now)] if outcome is Outcome.TAKE else []
        if verdict is Verdict.BACKCHANNEL:
            self._pass_over(texts, now)
        if verdict is Verdict.INTERRUPTION and self._may_interrupt(now):
            return [self._interrupt(now)]
        return []

    # -------------------------------------------------------------- the caller's words

    def partial(self, text: str, now: float) -> list[Action]:
        """The words so far of what is being said; they replace the partial before."""
        segment = self._segment
        if not segment.open and not segment.finals_due:  # it is late: its final came
            return []
        actions = segment.take_partial(text, now)
        self._learn()
        if self._attempt is not None:
            return actions + self._weigh(self._attempt.texts, now)
        if segment.settled:
            actions += self._speculate(f"{self._said.text} {text}", now)
        return actions

    def eager_end(self, text: str, now: float) -> list[Action]:
        """The recogniser takes the turn to be over, probably; these are all its words."""
        self._end.eager = True
        self._learn()
        return self._speculate(f"{self._said.text} {text}", now, all_known=True)

    def resumed(self) -> list[Action]:
        """The recogniser hears the caller go on after an ``eager_end``."""
        self._end.eager = False
        self._learn()
        return [self._drop_answer()] if self._answer is _Answer.UNCERTAIN else []

    def final(
        self, text: str, now: float, *, finalized: bool, end_of_turn: bool = False
    ) -> list[Action]:
        """Text of the caller that will not change any more.

        Args:
            finalized: It answers ``Finalize``.
            end_of_turn: The recogniser takes the turn to be over.
        """
        if finalized:
            self._segment.take_final()
        else:
            self._segment.forget_words()
        texts = len(self._said) if self._attempt is None else self._attempt.texts
        if text:
            self._said.add(text)
            self._quiet_since = now
        self._learn()
        actions: list[Action] = []
        if self._bot_talking or self._attempt is not None or self._answer is _Answer.MADE:
            actions += self._weigh(texts, now)
        if self._bot_talking or self._keys.pending:
            return actions
        if end_of_turn or (finalized and self._is_over()):
            return actions + self._turn_over(now)
        if finalized and self._segment.known:
            actions += self._speculate(self._said.text, now)
        return actions

    def _is_over(self) -> bool:
        """No text is awaited, and the caller has been silent for long enough."""
        if self._segment.finals_due:
            return False
        silent = self._voice.silent_ms >= self._end.needed_ms and not self._segment.open
        return silent or (self._overlong and self._answer is _Answer.NONE)

    def _learn(self) -> None:
        """The words say how much silence ends the turn."""
        text = f"{self._said.new_text} {self._segment.partial}"
        self._end.learn(self.vocabulary.ending(text))

    # -------------------------------------------------------------- the caller's keys

    def collect(self, rules: CollectDigits) -> None:
        """The dialogue asks for keys.

        Raises:
            ProviderError: No caller could follow these rules.
        """
        self._keys.collect(rules)
        if self._all_quiet():  # the greeting is over
            self._keys.start(self._quiet_since)

    def digit(self, digit: str, now: float) -> list[Action]:
        """The caller pressed a key."""
        if self._keys.superfluous(digit, now):
            return []
        actions: list[Action] = []
        self._quiet_since = now
        if self._may_interrupt(now):
            actions.append(self._interrupt(now))
        elif self._answer is not _Answer.NONE:
            actions.append(self._drop_answer())
        return actions + self._keyed(self._keys.press(digit, now), now)

    def _keyed(self, digits: str | None, now: float) -> list[Action]:
        """A number is over, or not yet; one that was asked for may be empty."""
        if digits is None:
            return []
        self._said.press(digits)
        if self._said.news:
            return self._turn_over(now)
        self._taken(now)
        return [TakeTurn("", "", interrupted=False)]

    # -------------------------------------------------------------- the turn

    def _speculate(self, text: str, now: float, *, all_known: bool = False) -> list[Action]:
        """All words are known before the silence is long enough: the answer may be made."""
        text = text.strip()
        awaited = self._segment.finals_due and not all_known
        busy = self._bot_talking or self._answer is not _Answer.NONE or awaited
        keys = self._keys.pending or self._said.digits
        if not self.speculative or busy or keys or not text:
            return []
        if self._end.goes_on or self._is_harmless(text):
            return []
        self._answer = _Answer.UNCERTAIN
        self._guess = text
        self._guessed_at = now
        return [self._hold(), TakeTurn(text, "", self._said.interrupted, certain=False)]

    def _turn_over(self, now: float) -> list[Action]:
        self._end_utterance()
        if self._answer is _Answer.UNCERTAIN:
            if words(self._said.text) == words(self._guess) and not self._said.digits:
                return self._be_certain(now)
            return [self._drop_answer(), *self._take_turn(now)]
        if self._bot_talking and self._said.news:
            if not self._may_interrupt(now):
                return []
            return [self._interrupt(now), *self._take_turn(now)]
        if self._answer is _Answer.MADE and self._said.news:
            return [self._drop_answer(), *self._take_turn(now)]
        return self._take_turn(now)

    def _end_utterance(self) -> None:
        if self._segment.open:  # what follows in it is of the next turn
            self._voice.restart()
        else:
            self._voice.rest()

    def _take_turn(self, now: float) -> list[Action]:
        said = self._said
        if not said.digits and self._is_harmless(said.text):
            said.forget(0)
        if not said.news:
            return self._nothing_said()
        turn = TakeTurn(said.text, said.digits, said.interrupted)
        self._taken(now)
        return [turn]

    def _is_harmless(self, text: str) -> bool:
        """The text came too late to stop an interruption that was none."""
        verdict = self._verdict(text)
        return self._said.interrupted and verdict is Verdict.BACKCHANNEL

    def _nothing_said(self) -> list[Action]:
        self._attempt = None
        released = self._release()
        if not self._said.interrupted or self._bot_talking:
            return released
        self._said.interrupted = False
        return [*released, Signal.GO_ON]

    def _be_certain(self, now: float) -> list[Action]:
        self._taken(now)
        return [Signal.CERTAIN, *self._release()]

    def _taken(self, now: float) -> None:
        self._keys.stop()
        self._said.take()
        self._answer = _Answer.MADE
        self._first_line = False
        self._end.eager = False
        self._quiet_since = now

    # -------------------------------------------------------------- time

    def due(self) -> float | None:
        """When :meth:`tick` wants to be called next."""
        times = [
            self._keys.due() if self._keys_count() else None,
            self._leftover_at(),
            self._idle_at(),
            self._attempt.since + ATTEMPT_S if self._attempt is not None else None,
            self._guessed_at + SPECULATION_S if self._answer is _Answer.UNCERTAIN else None,
        ]
        return min((time for time in times if time is not None), default=None)

    @property
    def _all_heard(self) -> bool:
        """The caller is silent, and all they said is known."""
        awaited = self._segment.open or self._segment.finals_due
        return not awaited and self._voice.activity is Activity.QUIET

    def _all_quiet(self) -> bool:
        return self._all_heard and not self._bot_talking and self._answer is _Answer.NONE

    def _keys_count(self) -> bool:
        """The caller may press the next key; a first one is awaited only in silence."""
        return self._keys.pending or self._all_quiet()

    @property
    def caller_speaking(self) -> bool:
        """The caller speaks, or what they said is not known yet."""
        return not self._all_heard

    @property
    def nobody_speaks(self) -> bool:
        """It is nobody's turn, and nothing is awaited."""
        return self._all_quiet() and not self._keys.asked and not self._keys.pending

    @property
    def is_free(self) -> bool:
        """It is nobody's turn, and no words or keys wait to become one; a first key may be
        awaited."""
        waits = self._keys.pending or self._said.news or self._voice.uttering
        return self._all_quiet() and not waits

    def _idle_at(self) -> float | None:
        if self._keys.asked or not self._all_quiet():
            return None
        return self._quiet_since + self._options.idle_seconds

    def _leftover_at(self) -> float | None:
        """When words and keys are taken that nothing else turned into a turn."""
        if not self._said.news or self._keys.pending or not self._all_quiet():
            return None
        return self._quiet_since + self._end.needed_ms / 1000

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        leftover_at, idle_at = self._leftover_at(), self._idle_at()
        if self._keys_count() and (digits := self._keys.tick(now)) is not None:
            return self._keyed(digits, now)
        if leftover_at is not None and now >= leftover_at:
            return self._turn_over(now)
        if self._attempt is not None and now >= self._attempt.since + ATTEMPT_S:
            # Who still speaks is not to be cut short in the middle of a word.
            speaks = self._voice.speaking and self._voice.voiced_ms >= MIN_VOICE_MS
            return [self._take_floor(now)] if speaks else self._pass(self._attempt, now)
        if self._answer is _Answer.UNCERTAIN and now >= self._guessed_at + SPECULATION_S:
            return [self._drop_answer()]
        if idle_at is not None and now >= idle_at:
            self._quiet_since = now
            return [Signal.IDLE]
        return []
