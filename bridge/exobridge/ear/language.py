"""What a language must know to read out what is written in digits and signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

MAX_CARDINAL_DIGITS = 15
"""A longer number is read digit by digit: nobody counts in a crore of crores."""


class Noun(NamedTuple):
    """A word after one, and after any other number."""

    one: str
    many: str


class Currency(NamedTuple):
    """A currency and its hundredth part."""

    unit: Noun
    hundredth: Noun


class Clock(NamedTuple):
    """A time of day.

    Attributes:
        hour: 0 to 23, or 1 to 12 with a ``half``.
        minute: 0 to 59.
        half: ``"AM"``, ``"PM"``, or empty.
        before: The text before it, some words.
    """

    hour: int
    minute: int
    half: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Words and grammar of one language.

    Attributes:
        stop: Ends a sentence.
        digits: Names of 0 to 9.
        letters: Capital letters, ``A`` to ``Z``, one by one.
        cardinal: A whole number, 0 or more.
        ordinal: Its place: first, second.
        day: A day of the month, 1 to 31.
        year: A year of four digits.
        decade: The ten years from such a year on.
        clock: A time of day.
        fraction: Numerator and denominator.
        mixed: A whole number of 1 or more, numerator and denominator.
        scaled: A number as it is written, with a scale behind it: 2.5, ``lakh``.
        out_of: A score and its highest: 4 of 5.
        point: Before decimals.
        joined: Between rupees and paise.
        to: From one to the other.
        by: Of a fraction that has no name.
        per: For each.
        each: What is paid for by the month, by the person, where it is not as in English.
        always: 24/7.
        seconds: Of a time of day, after its minutes; ``{}`` is the number.
        signs: Words for single signs.
        months: January to December.
        weekdays: Monday to Sunday.
        scales: By ``hundred``, ``thousand``, ``lakh``, ``crore``, ``million`` and ``billion``.
        currencies: By ISO 4217 code.
        units: By their usual short form.
    """

    stop: str
    digits: tuple[str, ...]
    letters: Callable[[str], str]
    cardinal: Callable[[int], str]
    ordinal: Callable[[int], str]
    day: Callable[[int], str]
    year: Callable[[int], str]
    decade: Callable[[int], str]
    clock: Callable[[Clock], str]
    fraction: Callable[[int, int], str]
    mixed: Callable[[int, int, int], str]
    scaled: Callable[[str, str], str]
    out_of: Callable[[str, str], str]
    point: str
    joined: str
    to: str
    by: str
    per: str
    each: Mapping[str, str]
    always: str
    seconds: str
    signs: Mapping[str, str]
    months: tuple[str, ...]
    weekdays: tuple[str, ...]
    scales: Mapping[str, str]
    currencies: Mapping[str, Currency]
    units: Mapping[str, Noun]

    def spelled(self, digits: str) -> str:
        """One word a digit; any length."""
        return " ".join(self.digits[int(digit)] for digit in digits)

    def in_groups(self, digits: str) -> str:
        """One word a digit, in groups as telephone numbers and codes are said: a comma is a short
        pause."""
        return ", ".join(self.spelled(group) for group in _groups(digits))

    def number(self, written: str) -> str:
        """A number in ASCII digits, with commas and a decimal point maybe."""
        whole, point, decimals = written.replace(",", "").partition(".")
        if len(whole) > MAX_CARDINAL_DIGITS or (whole.startswith("0") and len(whole) > 1):
            words = self.in_groups(whole)
        else:
            words = self.cardinal(int(whole or "0"))
        return f"{words} {self.point} {self.spelled(decimals)}" if point else words


def counted(noun: Noun, written: str) -> str:
    """The form of a noun after a number."""
    return noun.one if written == "1" else noun.many


def _groups(digits: str) -> list[str]:
    """Fives or fours where they come out even, else threes; no digit is left alone."""
    size = next((size for size in (5, 4) if len(digits) % size == 0), 3)
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups
