"""What the caller said and pressed that is in no answered turn yet."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

MAX_DIGITS = 64

ANSWER_IN_TIME_S = 1.0
"""A backchannel so shortly before the end of the bot's words answers them; so shortly before an
interruption, it is its beginning."""


@dataclass(slots=True)
class _Text:
    text: str
    murmured_at: float = inf


@dataclass(frozen=True, slots=True)
class _Taken:
    """What the turn under way holds: the first ``texts``, and keys."""

    texts: int = 0
    digits: str = ""
    interrupted: bool = False


_NOTHING_TAKEN = _Taken()


class Said:
    """The caller's words and keys.

    Attributes:
        interrupted: They were said or pressed into the bot's turn.
        digits: Keys that are in no turn yet.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self.digits = ""
        self._texts: list[_Text] = []
        self._taken = _NOTHING_TAKEN

    def __len__(self) -> int:
        return len(self._texts)

    def since(self, index: int) -> str:
        """The texts from the given one on."""
        return " ".join(each.text for each in self._texts[index:])

    @property
    def text(self) -> str:
        """All that the next turn would hold."""
        return self.since(0)

    @property
    def new_text(self) -> str:
        """What is in no turn yet."""
        return self.since(self._taken.texts)

    @property
    def news(self) -> bool:
        """There are words or keys that are in no turn yet."""
        return len(self._texts) > self._taken.texts or bool(self.digits)

    def add(self, text: str) -> None:
        """Words that will not change any more."""
        self._texts.append(_Text(text))

    def press(self, digit: str) -> None:
        """A key; the last ``MAX_DIGITS`` are kept."""
        self.digits = (self.digits + digit)[-MAX_DIGITS:]

    # -------------------------------------------------------------- backchannels

    def murmur(self, index: int, now: float) -> None:
        """The texts from the given one on were backchannels: no turn, or an answer in time."""
        for each in self._texts[index:]:
            each.murmured_at = now

    def forget(self, index: int) -> None:
        """The texts from the given one on mean nothing."""
        del self._texts[index:]

    def forget_murmurs(self, now: float) -> None:
        """Drop the backchannels that came too long ago to be a part of what is said now."""
        self._texts = [each for each in self._texts if now - each.murmured_at <= ANSWER_IN_TIME_S]
        for each in self._texts:
            each.murmured_at = inf

    # -------------------------------------------------------------- turns

    def take(self) -> None:
        """All of it is in the turn under way."""
        self._taken = _Taken(len(self._texts), self.digits, self.interrupted)
        self.digits = ""
        self.interrupted = False

    def give_back(self) -> None:
        """The turn under way is not answered: what it held belongs to the next."""
        self.digits = (self._taken.digits + self.digits)[-MAX_DIGITS:]
        self.interrupted |= self._taken.interrupted
        self._taken = _NOTHING_TAKEN

    def answered(self) -> None:
        """The turn under way is answered."""
        del self._texts[: self._taken.texts]
        self._taken = _NOTHING_TAKEN
