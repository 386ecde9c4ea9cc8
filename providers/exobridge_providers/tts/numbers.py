"""Numbers as English words, counted the Indian way: thousand, lakh, crore."""

from __future__ import annotations

_SMALL = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = [
    "zero",
    "ten",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
]
_SCALES = ((10_000_000, "crore"), (100_000, "lakh"), (1000, "thousand"), (100, "hundred"))


def number_words(number: int) -> str:
    """A whole number, 0 or more: 120500 is "one lakh twenty thousand five hundred"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return f"{_TENS[tens]} {_SMALL[ones]}" if ones else _TENS[tens]
    for scale, word in _SCALES:
        if number >= scale:
            count, rest = divmod(number, scale)
            words = f"{number_words(count)} {word}"
            return f"{words} {number_words(rest)}" if rest else words
    raise ValueError("a number of words is not negative")


def digit_words(digits: str) -> str:
    """One word a digit, in groups of up to five, as telephone numbers are said: a comma is a
    short pause."""
    words = [_SMALL[int(digit)] for digit in digits]
    size = 5 if len(words) % 5 == 0 else 4 if len(words) % 4 == 0 else 3
    groups = [" ".join(words[at : at + size]) for at in range(0, len(words), size)]
    return ", ".join(groups)
