"""When it is the caller's turn: what they wait for, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from exobridge.simulator.ear import Utterance
from exobridge.simulator.steps import CallerLine, Patience

_GREETING = (-1.0, -1.0)


class BotSound(Protocol):
    """What the caller can tell of the bot."""

    @property
    def utterances(self) -> Sequence[Utterance]:
        """The bot's utterances so far; the last may still go on."""
        ...

    @property
    def audible_until_ms(self) -> float:
        """When the bot was last audible."""
        ...

    def expects_sound(self) -> bool:
        """Whether something audible is buffered."""
        ...


def answer_to(line: CallerLine, utterances: Sequence[Utterance]) -> Utterance | None:
    """The utterance that answers ``line``: it began after the caller did, and was still audible
    after the caller had finished."""
    return _outlasting((line.voiced_from_ms, line.voiced_to_ms), utterances)


def _outlasting(
    began_ended: tuple[float, float], utterances: Sequence[Utterance]
) -> Utterance | None:
    began_ms, ended_ms = began_ended
    for utterance in utterances:
        if utterance.start_ms > began_ms and utterance.end_ms > ended_ms:
            return utterance
    return None


class Waiting:
    """What the caller waits for: at first a greeting.

    Args:
        patience: How long.

    Attributes:
        since_ms: When the caller's current step began.
        lines: How many lines the caller has said.
        timeouts: Each time the caller waited in vain, as a sentence.
    """

    def __init__(self, patience: Patience) -> None:
        self.since_ms = 0.0
        self.lines = 0
        self.timeouts: list[str] = []
        self._patience = patience
        # Whatever of the bot began after the first and outlasts the second time; None: nothing.
        self._owed: tuple[float, float] | None = _GREETING

    def for_answer_to(self, line: CallerLine) -> None:
        """Wait for an answer."""
        self.lines += 1
        self._owed = (line.voiced_from_ms, line.voiced_to_ms)

    def for_the_rest(self, line: CallerLine) -> None:
        """Wait for the bot to go on with what ``line`` was said into."""
        self._owed = (-1.0, line.voiced_to_ms)

    def for_something_new(self, now_ms: float) -> None:
        """Wait for something that the bot has not begun to say yet."""
        self._owed = (now_ms, now_ms)

    def for_nothing(self) -> None:
        """Wait for no answer."""
        self._owed = None

    def next_turn(self, bot: BotSound) -> Utterance | None:
        """What is waited for, once it has begun; or else the next thing that the bot says."""
        return _outlasting(self._owed or (self.since_ms, self.since_ms), bot.utterances)

    def has_gone_on(self, for_ms: float, now_ms: float, bot: BotSound) -> bool:
        """Whether that turn has gone on for so long (from the caller's last word, if that was
        later), or was waited for in vain."""
        if (turn := self.next_turn(bot)) is None:
            return self.in_vain(now_ms, bot)
        counted_from = max(turn.start_ms, self._owed[1] if self._owed else 0.0)
        return now_ms >= counted_from + for_ms

    def is_over(self, now_ms: float, bot: BotSound) -> bool:
        """Whether what is waited for was said and the bot has finished; or it was waited for in
        vain."""
        if (
            (self._owed is None or self.next_turn(bot) is not None)
            and now_ms - bot.audible_until_ms >= self._patience.bot_done_ms
            and not bot.expects_sound()
        ):
            return True
        return self.in_vain(now_ms, bot)

    def in_vain(self, now_ms: float, bot: BotSound) -> bool:
        """Whether patience is over; it is then noted."""
        if not self.is_past_patience(now_ms, bot):
            return False
        waited = now_ms - max(self.since_ms, bot.audible_until_ms)
        after = f"after line {self.lines}" if self.lines else "before the first line"
        self.timeouts.append(f"the bot was not heard for {waited / 1000:.1f} s {after}")
        return True

    def is_past_patience(self, now_ms: float, bot: BotSound) -> bool:
        """Whether nothing was heard of the bot for as long as patience lasts."""
        waited = now_ms - max(self.since_ms, bot.audible_until_ms)
        return waited >= self._patience.bot_timeout_ms
