"""A caller, a bot and a recogniser, in words: what the tests of the policy are written in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from exobridge.call.turns import Action, Peek, TakeTurn, TurnOptions, TurnPolicy, vocabulary

WINDOW_MS = 20
OPTIONS = TurnOptions(end_silence_ms=500)


@dataclass
class Caller:
    """``ms`` is the clock, ``heard_ms`` the caller's audio.

    Unrealistic in that the detector's windows are judged at the moment they end.

    Attributes:
        on_demand: The recogniser answers ``Peek``; else it is told at once that it does not.
    """

    options: TurnOptions = OPTIONS
    language: str = "en-IN"
    min_words: int = 2
    on_demand: bool = False
    speculative: bool = False
    ms: float = 0.0
    heard_ms: float = 0.0
    actions: list[Action] = field(default_factory=list[Action])

    def __post_init__(self) -> None:
        known = vocabulary(self.language, self.min_words, (), ())
        self.policy = TurnPolicy(self.options, self.now, known)
        self.policy.speculative = self.speculative

    @property
    def now(self) -> float:
        return self.ms / 1000

    def _do(self, actions: list[Action]) -> list[Action]:
        done: list[Action] = []
        for action in actions:
            if isinstance(action, Peek) and not self.on_demand:
                done += self._do(self.policy.no_peek())
            else:
                done.append(action)
                self.actions.append(action)
        return done

    # ---------------------------------------------------------- the caller's audio

    def windows(self, milliseconds: float, probability: float) -> list[Action]:
        """Windows of the detector; as a call does, time is looked at in between."""
        done: list[Action] = []
        end = self.heard_ms + milliseconds
        while self.heard_ms + WINDOW_MS <= end:
            self.ms += WINDOW_MS
            self.heard_ms += WINDOW_MS
            done += self._do(self.policy.voice(self.heard_ms, probability, self.now))
            done += self._do(self._due())
        return done

    def _due(self) -> list[Action]:
        due = self.policy.due()
        return self.policy.tick(self.now) if due is not None and due <= self.now else []

    def speaks(self, milliseconds: float) -> list[Action]:
        return self.windows(milliseconds, 0.9)

    def silent(self, milliseconds: float) -> list[Action]:
        return self.windows(milliseconds, 0.05)

    def waits(self, seconds: float) -> list[Action]:
        """Time without any window of the detector."""
        done: list[Action] = []
        end = self.ms + seconds * 1000
        while (due := self.policy.due()) is not None and due * 1000 <= end:
            self.ms = max(self.ms, due * 1000)
            done += self._do(self.policy.tick(self.now))
        self.ms = end
        return done

    # ---------------------------------------------------------- the recogniser

    def heard(
        self, text: str, *, finalized: bool = True, end_of_turn: bool = False
    ) -> list[Action]:
        """Its text."""
        return self._do(
            self.policy.final(text, self.now, finalized=finalized, end_of_turn=end_of_turn)
        )

    def partly(self, text: str) -> list[Action]:
        """Its text so far."""
        return self._do(self.policy.partial(text, self.now))

    def says(self, text: str, milliseconds: float = 600) -> list[Action]:
        """Speaks and pauses; the recogniser answers, and the silence becomes long enough."""
        done = [*self.speaks(milliseconds), *self.silent(200), *self.heard(text)]
        return done + self.silent(1200)

    # ---------------------------------------------------------- keys and the bot

    def presses(self, *digits: str) -> list[Action]:
        return [each for digit in digits for each in self._do(self.policy.digit(digit, self.now))]

    def bot_starts(self, protect_ms: float = 0) -> None:
        self.policy.bot_started(self.now, protect_ms=protect_ms)

    def bot_ends(self) -> list[Action]:
        return self._do(self.policy.bot_finished(self.now))

    def protect(self, *, protected: bool) -> list[Action]:
        return self._do(self.policy.protect(self.now, protected=protected))


def call(
    *,
    on_demand: bool = False,
    speculative: bool = False,
    language: str = "en-IN",
    min_words: int = 2,
    **options: Any,
) -> Caller:
    return Caller(
        replace(OPTIONS, **options),
        language=language,
        min_words=min_words,
        on_demand=on_demand,
        speculative=speculative,
    )


def bot_talking(**settings: Any) -> Caller:
    started = call(**settings)
    started.bot_starts()
    started.silent(400)
    return started


def turns(actions: list[Action]) -> list[TakeTurn]:
    return [action for action in actions if isinstance(action, TakeTurn)]


def taken(text: str, digits: str = "", *, interrupted: bool = False) -> TakeTurn:
    return TakeTurn(text, digits, interrupted)
