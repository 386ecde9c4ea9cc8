"""Where a sentence of the bot ends, for text that is whole and for text that still comes in.

A full stop, a question or exclamation mark ends one where white space follows, so numbers
(``3.5``), times (``10.30``) and addresses (``exotel.com``) stay whole. A danda, and the full stop
and question mark of Urdu, end one whatever follows; a line break always does. Quotes, brackets and
stars of markup that close right behind the mark belong to the sentence.

A full stop after an abbreviation, an initial or a list's number does not end one. In doubt it does
not either: a sentence that goes on too long is spoken a little later, one that was cut is spoken
wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSERS = "\"'”’»)\\]}*_"

_MARK = re.compile(
    rf"\n"
    rf"|(?<![।॥۔؟])[।॥۔؟]++[{_CLOSERS}]*+(?=.)"
    rf"|(?<![.?!])[.?!]++[{_CLOSERS}]*+(?=\s)",
    re.DOTALL,
)
"""What may end a sentence. Each part asks for the character behind it, so that text that still
comes in cannot undo an end. None is tried twice: a line of a thousand dots costs nothing."""

_OPENERS = "\"'“‘«([{*_"

_TITLES = """
dr mr mrs ms prof smt shri sri kum adv capt col gen lt maj sgt hon rev st ca er pvt
e.g i.e viz vs cf aka
डॉ डा प्रो श्री कु रु रू नं क्र ডা ডাঃ রু মো ডঃ ડૉ પ્રો રૂ નં ਡਾ ਪ੍ਰੋ ਰੁ ଡା ଡଃ
திரு டாக்டர் ரூ எண் డా డాక్టర్ రూ నం ಡಾ ಪ್ರೊ ರೂ ನಂ ഡോ രൂ നം
"""
_MEASURES = """
no nos rs re inr fig sec ch art vol ext pp approx est tel ph mob etc ltd co inc corp dept govt
min max hr hrs mins secs ave rd a.m p.m jan feb mar apr jun jul aug sep sept oct nov dec
"""

_BEFORE_A_NAME = frozenset(_TITLES.split())
"""Their full stop never ends a sentence."""

_BEFORE_A_NUMBER = frozenset(_MEASURES.split())
"""Their full stop does not end a sentence where a digit or a lower-case letter comes next."""

_NO_SPACE = re.compile(r"\S")
_LONGEST_WORD = 40
"""Characters that are looked at before a full stop; no abbreviation is as long."""


def next_end(text: str, start: int = 0) -> int | None:
    """Where the first sentence of ``text[start:]`` ends, behind its mark.

    Returns:
        A place in ``text``; ``None`` if there is no end, or none that is certain before more text
        has come.
    """
    for mark in _MARK.finditer(text, start):
        ends = mark[0][0] != "." or _full_stop_ends(text, start, mark)
        if ends is None:
            return None
        if ends:
            return mark.end()
    return None


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each sentence of a whole text, without the white space around it."""
    start = 0
    while start < len(text):
        end = next_end(text, start) or len(text)
        inner = text[start:end]
        if sentence := inner.strip():
            begin = start + inner.index(sentence)
            yield begin, begin + len(sentence)
        start = end


def _full_stop_ends(text: str, start: int, mark: re.Match[str]) -> bool | None:
    """Whether this full stop ends a sentence that began at ``start``; ``None``: not known yet."""
    if mark[0].startswith(".."):
        return False
    word = _word_before(text, start, mark.start())
    lower = word.lower()
    if lower in _BEFORE_A_NUMBER:
        following = _NO_SPACE.search(text, mark.end())
        return None if following is None else not (following[0].isdigit() or following[0].islower())
    last_part = lower.rpartition(".")[2]
    if lower in _BEFORE_A_NAME or (len(last_part) == 1 and last_part.isalpha()):
        return False
    is_list_number = word.isdigit() and not text[start : mark.start() - len(word)].strip()
    return not is_list_number


def _word_before(text: str, start: int, end: int) -> str:
    before = text[max(start, end - _LONGEST_WORD) : end]
    return "" if not before or before[-1].isspace() else before.split()[-1].lstrip(_OPENERS)
