"""What a caller said, as words: for finding phrases and digits in it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS = {name: str(digit) for digit, name in enumerate(_NAMES)}
_TIMES = {"double": 2, "triple": 3}
_ONLY_BESIDE_DIGITS = {"oh", "o"}
_APOSTROPHES = re.compile("['’`-]")


def words(text: str) -> list[str]:
    """Lower case, no punctuation; apostrophes and hyphens join (``that's`` is ``thats``), marks
    of Indian scripts stay."""
    folded = _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())
    return "".join(
        character if unicodedata.category(character)[0] in "LMN" else " " for character in folded
    ).split()


def find_phrase(phrase: Sequence[str], said: Sequence[str]) -> tuple[int, int] | None:
    """Where a phrase's words stand together in what was said, as a range of words.

    Gaps between words do not count, so "good bye" is found by ``goodbye``; but a phrase begins
    and ends where a word does, so ``bye`` is not found in "Byers". Nor does a plural: on a phone
    line a final "s" is the first sound to be lost.
    """
    wanted = "".join(map(_singular, phrase))
    for start in range(len(said)):
        joined = ""
        for end in range(start, len(said)):
            joined += _singular(said[end])
            if joined == wanted:
                return start, end + 1
            if not wanted.startswith(joined):
                break
    return None


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word


def spoken_digits(said: Sequence[str]) -> str:
    """The digits in what was said, other words left out: "my number is four seven double one" and
    "47 11" are 4711. ``oh`` counts beside a digit only."""
    digits = ""
    for index, word in enumerate(said):
        before = said[index - 1] if index else ""
        after = said[index + 1] if index + 1 < len(said) else ""
        if word in _ONLY_BESIDE_DIGITS:
            if _is_digits(before) or _is_digits(after) or after in _TIMES:
                digits += "0"
        elif _is_digits(word):
            digits += _digits(word) * (_TIMES.get(before, 1) if len(_digits(word)) == 1 else 1)
    return digits


def only_digits(said: Sequence[str]) -> bool:
    """Whether every word is a digit, or says how often the next one comes."""
    return bool(said) and all(_is_digits(word) or word in _TIMES for word in said)


def _digits(word: str) -> str:
    return _DIGITS.get(word, word)


def _is_digits(word: str) -> bool:
    return word in _DIGITS or (word.isascii() and word.isdigit())
