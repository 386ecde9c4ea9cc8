"""What the words of the caller say: of an interruption, and of the end of a turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from functools import lru_cache

from exobridge.call.turns.phrases import Phrases
from exobridge.languages import Language, language
from exobridge_providers.dialogue.words import words

WHOLE_NUMBERS = frozenset({10, 12, 16})
"""Digits in a telephone number, the same with its country code, and a card's number. A shorter one
may be the first half of these."""

ANNOUNCERS = frozenset(
    {"number", "code", "pincode", "pin", "otp", "id", "नंबर", "नम्बर", "कोड", "पिन", "ओटीपी"}
)
"""Words before digits that are dictated, whichever Indian language they stand in."""

ANNOUNCED_DIGITS = 4
"""An announced number that is shorter has not been said to its end: "my order number is 47" may be
how a recogniser wrote "four, seven", and a pause after it is one of dictation."""

DICTATED_DIGITS = 5
"""A number of so many digits is dictated, even where the recogniser wrote it as one."""


class Verdict(Enum):
    """What words spoken into the bot's are."""

    NO_WORDS = auto()
    BACKCHANNEL = auto()
    UNSURE = auto()
    """Not enough to interrupt, and yet maybe an answer that came early."""
    INTERRUPTION = auto()


class Ending(Enum):
    """How the words of a turn end."""

    OPEN = auto()
    """In a way that clearly goes on."""
    PLAIN = auto()
    WHOLE = auto()
    """In a way that is clearly over."""


class Vocabulary:
    """The words that matter in one language, and those that a template adds.

    Args:
        known: The language's.
        min_words: Words that interrupt, where they are not all backchannels.
        backchannels: More of them.
        interruptions: More words or phrases that interrupt alone.
    """

    def __init__(
        self,
        known: Language,
        *,
        min_words: int = 2,
        backchannels: Iterable[str] = (),
        interruptions: Iterable[str] = (),
    ) -> None:
        more, alone = frozenset(backchannels), frozenset(interruptions)
        self._min_words = min_words
        self._backchannels = Phrases((known.backchannels - alone) | more)
        self._interruptions = Phrases((known.interruptions - more) | alone)
        # The caller's "hello?" as the bot begins to speak asks for nothing; later it does.
        murmurs = (known.backchannels | known.greetings) - alone
        self._early_backchannels = Phrases(murmurs | more)
        self._goes_on = Phrases(known.goes_on)
        self._whole = Phrases(known.whole)
        self._digit_words = frozenset(word for name in known.digits for word in words(name))

    def verdict(self, text: str, *, early: bool = False) -> Verdict:
        """What words spoken into the bot's are; ``early``: into its first line."""
        backchannels = self._early_backchannels if early else self._backchannels
        said = words(text)
        if not said:
            return Verdict.NO_WORDS
        at, others = 0, False
        while at < len(said):
            passed = backchannels.size_at(said, at)
            if self._interruptions.size_at(said, at) > passed:
                return Verdict.INTERRUPTION
            others |= not passed
            at += passed or 1
        if not others:
            return Verdict.BACKCHANNEL
        return Verdict.INTERRUPTION if _count(said) >= self._min_words else Verdict.UNSURE

    def ending(self, text: str) -> Ending:
        """How the words of a turn end."""
        stripped = text.rstrip()
        said = words(stripped)
        if stripped.endswith("?"):
            # Recognisers put it behind a fragment, too: "What are your?"
            return Ending.PLAIN if self._goes_on.ends(said) else Ending.WHOLE
        if self._whole.ends(said):
            return Ending.WHOLE
        if stripped.endswith((",", "…", "...", "-")) or self._goes_on.ends(said):
            return Ending.OPEN
        return self._number_ending(said)

    def _number_ending(self, said: Sequence[str]) -> Ending:
        digits = one_by_one = 0
        before = said
        for at, word in reversed(list(enumerate(said))):
            size = len(word) if word.isdecimal() else int(word in self._digit_words)
            if not size:
                break
            before = said[:at]
            digits += size
            one_by_one += size == 1
        if 0 < digits < ANNOUNCED_DIGITS and not ANNOUNCERS.isdisjoint(before[-3:]):
            return Ending.OPEN
        if one_by_one < 2 and digits < DICTATED_DIGITS:
            return Ending.PLAIN
        return Ending.WHOLE if digits in WHOLE_NUMBERS else Ending.OPEN


def _count(said: Sequence[str]) -> int:
    """Words, and each digit of a number as one."""
    return sum(len(word) if word.isdecimal() else 1 for word in said)


@lru_cache(maxsize=256)
def vocabulary(
    tag: str, min_words: int, backchannels: tuple[str, ...], interruptions: tuple[str, ...]
) -> Vocabulary:
    """The vocabulary for a BCP-47 tag; made once for all calls of a template."""
    return Vocabulary(
        language(tag),
        min_words=min_words,
        backchannels=backchannels,
        interruptions=interruptions,
    )
