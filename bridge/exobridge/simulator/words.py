"""Whether words were said, in a text that a recogniser wrote. Pure.

Case, punctuation and the way words and numbers are written do not count: "950" is "nine hundred and
fifty", "4711" is "four seven one one" too, and "good-bye" is "goodbye". Between slashes stands a
regular expression.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import accumulate

from exobridge.ear.english import number_words

_REGEX = re.compile(r"/(.+)/", re.DOTALL)
_LARGEST = 10**15  # beyond it a run of digits is no number that anybody says


def as_regex(phrase: str) -> re.Pattern[str] | None:
    """The pattern of a phrase between slashes; ``None`` for plain words.

    Raises:
        re.error: It is no regular expression.
    """
    found = _REGEX.fullmatch(phrase)
    return re.compile(found[1], re.IGNORECASE) if found else None


def contains(text: str, phrase: str) -> bool:
    """Whether the words of ``phrase`` stand side by side in ``text``; never, if it has none. A
    regular expression is looked for in the text as it is."""
    if (regex := as_regex(phrase)) is not None:
        return regex.search(text) is not None
    return any(
        _stands_in(heard, wanted)
        for wanted in _readings(phrase)
        if wanted
        for heard in _readings(text)
    )


def word_error(said: str, heard: str) -> float:
    """Word error rate: the fewest words changed, left out or put in, per word said (0: none)."""
    return min(
        _edits(reference.split(), hypothesis.split()) / max(1, len(reference.split()))
        for reference in _readings(said)
        for hypothesis in _readings(heard)
    )


def _edits(reference: list[str], hypothesis: list[str]) -> int:
    """Words to be changed, left out or put in, to make the one of the other."""
    row = list(range(len(hypothesis) + 1))
    for index, word in enumerate(reference, start=1):
        previous, row[0] = row[0], index
        for column, other in enumerate(hypothesis, start=1):
            cost = min(row[column] + 1, row[column - 1] + 1, previous + (word != other))
            previous, row[column] = row[column], cost
    return row[-1]


def _stands_in(heard: str, wanted: str) -> bool:
    """Whether the letters stand side by side, from the beginning of a word to the end of one."""
    edges = {0, *accumulate(map(len, heard.split()))}
    letters, searched = heard.replace(" ", ""), wanted.replace(" ", "")
    at = letters.find(searched)
    while at >= 0:
        if at in edges and at + len(searched) in edges:
            return True
        at = letters.find(searched, at + 1)
    return False


def _readings(text: str) -> set[str]:
    """The words with a space between: numbers as amounts, and digit by digit."""
    return {_words(text, number) for number in (_amount, _digits)}


def _words(text: str, number: Callable[[str], str]) -> str:
    text = re.sub(r"(?<=\d),(?=\d)", "", text.casefold())
    text = re.sub(r"[0-9]+", lambda found: f" {number(found[0])} ", text)
    text = "".join(_letter(character) for character in text)
    return " ".join(word for word in text.split() if word != "and")


def _letter(character: str) -> str:
    """Vowel signs of Indian scripts are marks, and stay; an apostrophe parts no word."""
    if character in "'’":
        return ""
    return character if unicodedata.category(character)[0] in "LMN" else " "


def _amount(digits: str) -> str:
    value = int(digits) if len(digits) < 16 else _LARGEST
    return number_words(value) if value < _LARGEST else _digits(digits)


def _digits(digits: str) -> str:
    return " ".join(number_words(int(digit)) for digit in digits)
