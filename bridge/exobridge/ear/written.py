"""How numbers are written, and rules that find them.

Rules run one after the other over a whole text. What one has put into words holds no digit, so
that no later rule meets it again. Every pattern is bounded, or consumes what it has matched: the
time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from exobridge.ear.language import Language

INSIDE = r"\w\u0900-\u0963"
"""What stands inside a word, for a character class: ``\\w`` alone misses the vowel signs of
Devanagari."""

NUMBER = (
    r"(?:(?>[0-9]{1,2}(?:,[0-9]{2}){1,5},[0-9]{3}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?!,?[0-9])|[0-9]++)"
    r"(?:\.[0-9]++)?+(?!\.?[0-9])"
)
"""A whole or decimal number with Indian commas, western ones, or none."""

START = rf"(?<![{INSIDE}])(?<![{INSIDE}][-/.,:])"
"""A number begins here: not in the middle of a word, a code or a date."""
END = rf"(?![{INSIDE}])"
DASH = r"\s?[-–—]\s?"

_CONTEXT = 60


@dataclass(frozen=True, slots=True)
class Found:
    """One place where a rule's pattern matches."""

    match: re.Match[str]
    language: Language

    def __getitem__(self, group: str) -> str:
        """The text of a group; empty if it took no part, or the pattern has none of that name."""
        return (self.match[group] or "") if group in self.match.re.groupindex else ""

    @property
    def before(self) -> str:
        """The end of the text before it."""
        start = self.match.start()
        return self.match.string[max(0, start - _CONTEXT) : start]


@dataclass(frozen=True, slots=True)
class Rule:
    """Something written in digits or signs.

    Attributes:
        pattern: Finds it.
        say: Its words, or ``None``: it only looks like one, and is left to the next rule.
    """

    pattern: re.Pattern[str]
    say: Callable[[Found], str | None]


def apply(rules: Iterable[Rule], text: str, language: Language) -> str:
    """``text`` with what the rules find put into words."""
    for rule in rules:
        text = rule.pattern.sub(partial(_said, rule.say, language), text)
    return text


_IN_WORD = re.compile(rf"[{INSIDE}]")


def _said(say: Callable[[Found], str | None], language: Language, match: re.Match[str]) -> str:
    """The words, with a space where they would grow together with the next ones."""
    words = say(Found(match, language))
    if words is None:
        return match[0]
    text, start, end = match.string, match.start(), match.end()
    if text.startswith(".", end):
        words = words.removesuffix(".")
    before = " " if _IN_WORD.match(text[max(0, start - 1) : start]) else ""
    after = " " if _IN_WORD.match(text, end) else ""
    return f"{before}{words}{after}"
