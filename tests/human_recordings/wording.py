"""Two texts as words that can be compared: what was said, and what was understood.

Both are written in the same way first, so that only what was heard differently counts:

* lower case, no punctuation;
* a number is its digits, each a word, however it was written: "500", "five hundred" and "5 0 0" are
  the same, and so are "1234" and "one two three four" ("point" and "dot" stay words);
* a contraction is its two words: "I'm" is "i am", "cannot" is "can not";
* words that are written in one piece or in two are written in two, spellings of two countries in
  one way (``SAME``), and letters said one by one in one piece: "P. B. X." is "pbx";
* the signs that a recogniser writes for words are words: ``#`` is "pound", ``*`` is "star".

Nothing else is forgiven: "too" for "two", "parties" for "party's" and a lost "s" are errors. (The
digits of "four six" and of "forty six" are the same.)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SIGNS = {"#": "pound", "*": "star", "&": "and", "@": "at", "%": "percent", "+": "plus"}

SAME = {
    "login": "log in",
    "logon": "log on",
    "voicemail": "voice mail",
    "mailbox": "mail box",
    "touchtone": "touch tone",
    "keypad": "key pad",
    "reenter": "re enter",
    "reentered": "re entered",
    "rerecord": "re record",
    "callback": "call back",
    "telemarketers": "tele marketers",
    "blacklist": "black list",
    "keywords": "key words",
    "prepending": "pre pending",
    "voiceover": "voice over",
    "okay": "ok",
    "dialled": "dialed",
    "dialling": "dialing",
    "canceled": "cancelled",
    "thru": "through",
    "kilobyte": "kilo byte",
    "kilobit": "kilo bit",
    "goodbye": "good bye",
    "cannot": "can not",
}
"""Ways to write the same sounds."""

_CONTRACTED = (
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(it|that|there|what|who|he|she|here|where)'s\b"), r"\1 is"),
)
_GROUPED = re.compile(r"(?<=\d),(?=\d{2,3}\b)")
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_DOT = re.compile(r"(?<=[a-z]{2})\.(?=[a-z]{2})")
_ABBREVIATION = re.compile(r"\b([a-z])\.(?=[a-z]\b)|\b([a-z])\.(?=\s|$)")
_SPELLED = re.compile(r"\b[a-z](?: [a-z]\b)+")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_ROUND = "twenty thirty forty fifty sixty seventy eighty ninety"
_ONES = {word: value for value, word in enumerate(_SMALL.split())}
_TENS = {word: 10 * value for value, word in enumerate(_ROUND.split(), 2)}
_UNITS = frozenset({*_ONES, *_TENS})
_SCALES = {"thousand": 1000, "lakh": 100_000, "million": 1_000_000, "crore": 10_000_000}


def words_of(text: str) -> list[str]:
    """The words of a text, in the one way of writing them."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    for sign, word in SIGNS.items():
        text = text.replace(sign, f" {word} ")
    for contracted, whole in _CONTRACTED:
        text = contracted.sub(whole, text)
    text = _POINT.sub(" point ", _GROUPED.sub("", text))
    text = _DOT.sub(" dot ", _ABBREVIATION.sub(r"\1\2", text))
    words = [found[0].replace("'", "") for found in _WORD.finditer(text)]
    same = " ".join(SAME.get(word, word) for word in words)
    return list(_with_digits(_SPELLED.sub(_joined, same).split()))


def _joined(letters: re.Match[str]) -> str:
    return letters[0].replace(" ", "")


def _with_digits(words: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(words):
        if words[at].isdecimal():
            yield from words[at]
            at += 1
        elif _unit_at(words, at):
            value, at = _number(words, at)
            yield from str(value)
        else:
            yield words[at]
            at += 1


def _number(words: Sequence[str], at: int) -> tuple[int, int]:
    """The number that begins at a word, and where it ends: "eighty five hundred", "two thousand
    and five"; of "four six" it is the four."""
    total = group = 0
    below = max(_SCALES.values()) + 1
    """The next scale has to be smaller than the last."""
    room = True
    """There is room for a number below a hundred."""
    while at < len(words):
        word = words[at]
        scale = _SCALES.get(word, 0)
        if room and _unit_at(words, at):
            value, at = _below_hundred(words, at)
            group, room = group + value, False
        elif (
            room
            and group + total
            and word == "and"
            and _UNITS.issuperset(words[at + 1 : at + 2] or [""])
        ):
            at += 1
        elif word == "hundred" and 0 < group < 100:
            group, room, at = group * 100, True, at + 1
        elif group and 0 < scale < below:
            total, group, below, room, at = total + group * scale, 0, scale, True, at + 1
        else:
            break
    return total + group, at


def _unit_at(words: Sequence[str], at: int) -> bool:
    return at < len(words) and words[at] in _UNITS


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int]:
    if words[at] in _TENS:
        tens = _TENS[words[at]]
        if at + 1 < len(words) and 0 < _ONES.get(words[at + 1], 0) < 10:
            return tens + _ONES[words[at + 1]], at + 2
        return tens, at + 1
    return _ONES[words[at]], at + 1


@dataclass(frozen=True, slots=True)
class WordErrors:
    """How a text differs from what was said.

    Attributes:
        said: Words that were said.
        changed: Of these, understood as another word; ``lost``: not at all.
        added: Words that nobody said.
    """

    said: int = 0
    changed: int = 0
    lost: int = 0
    added: int = 0

    @property
    def rate(self) -> float:
        """Word error rate: all errors by the words said; may be above 1."""
        return (self.changed + self.lost + self.added) / max(1, self.said)

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.said + other.said,
            self.changed + other.changed,
            self.lost + other.lost,
            self.added + other.added,
        )


def word_errors(said: Sequence[str], heard: Sequence[str]) -> WordErrors:
    """The fewest errors that make ``heard`` of ``said`` (Levenshtein's distance, of words)."""
    # Each cell: errors, changed, lost, added; ties go to the fewest changes.
    row = [(column, 0, 0, column) for column in range(len(heard) + 1)]
    for number, word in enumerate(said, 1):
        before, row = row, [(number, 0, number, 0)]
        for column, other in enumerate(heard, 1):
            errors, changed, lost, added = before[column - 1]
            if word == other:
                row.append(before[column - 1])
                continue
            change = (errors + 1, changed + 1, lost, added)
            errors, changed, lost, added = before[column]
            lose = (errors + 1, changed, lost + 1, added)
            errors, changed, lost, added = row[-1]
            add = (errors + 1, changed, lost, added + 1)
            row.append(min(change, lose, add))
    _, changed, lost, added = row[-1]
    return WordErrors(len(said), changed, lost, added)
