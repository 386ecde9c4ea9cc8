"""Written English as it is to be spoken: what a synthesiser would read wrongly, put into words.

Telephone and other long numbers digit by digit, rupees in lakhs and crores, dates with the day
first; signs that nobody speaks (markdown, emoji) are left out. All the rest stays as it is.
"""

from __future__ import annotations

import re
import unicodedata

from exobridge_providers.tts.numbers import digit_words, number_words

_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]

_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_LINE_START = re.compile(r"^\s*(?:#{1,6}\s+|[-*+•]\s+|>\s+)", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*{1,3}|`{1,3}|~~|(?<!\w)_{1,3}(?=\w)|(?<=\w)_{1,3}(?!\w))")
_INVISIBLE = frozenset("\u200b\u200d\ufe0e\ufe0f\u20e3")
_SPOKEN_SIGNS = frozenset("°©®")

_RUPEES = re.compile(
    r"(?:₹|\bRs\.?|\bINR)\s?(\d[\d,]*)(?:\.(\d{1,2}))?(?:/-)?(?![\d,]*\d)", re.IGNORECASE
)
# Without a year both parts have two digits: 24/7 and 1/2 are no dates.
_DATE = re.compile(
    r"(?<![\d/.-])(?:(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})|(\d\d)/(\d\d))(?![\d/-]|\.\d)"
)
_LAKHS = re.compile(r"(?<![\d,.])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
_PHONE = re.compile(r"(?<![\w.,])(\+?)(\d{1,5}(?:[ -]\d{2,5}){1,4}|\d{5,})(?![\w]|[.,]\d)")
_LEADING_ZERO = re.compile(r"(?<![\w.,:/-])0\d+(?![\w]|[.,:/-]\d)")
_GAPS = re.compile(r"[ \t]{2,}")


def speakable(text: str) -> str:
    """``text`` as words for an English synthesiser; may be empty."""
    text = _LINK.sub(r"\1", text)
    text = _LINE_START.sub("", text)
    text = _EMPHASIS.sub("", text)
    text = "".join(filter(_is_spoken, text))
    text = _RUPEES.sub(_rupees, text)
    text = _DATE.sub(_date, text)
    text = _LAKHS.sub(lambda found: number_words(int(found[0].replace(",", ""))), text)
    text = _PHONE.sub(_phone, text)
    text = _LEADING_ZERO.sub(lambda found: digit_words(found[0]), text)
    return _GAPS.sub(" ", text).strip()


def _is_spoken(character: str) -> bool:
    if character in _INVISIBLE or "\U0001f3fb" <= character <= "\U0001f3ff":
        return False
    return character in _SPOKEN_SIGNS or unicodedata.category(character) not in ("So", "Cs", "Co")


def _rupees(found: re.Match[str]) -> str:
    rupees, paise = int(found[1].replace(",", "")), int((found[2] or "0").ljust(2, "0"))
    if rupees >= 10**12:
        return f"{digit_words(str(rupees))} rupees"
    parts: list[str] = []
    if rupees or not paise:
        parts.append(f"{number_words(rupees)} rupee{'' if rupees == 1 else 's'}")
    if paise:
        parts.append(f"{number_words(paise)} paise")
    return " ".join(parts)


def _date(found: re.Match[str]) -> str:
    day, month = int(found[1] or found[4]), int(found[2] or found[5])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return found[0]
    year = f" {found[3]}" if found[3] else ""
    return f"{day} {_MONTHS[month - 1]}{year}"


def _phone(found: re.Match[str]) -> str:
    plus, number = found[1], found[2]
    groups = re.split("[ -]", number)
    if len(number) - len(groups) + 1 < 5 or (not plus and _is_range(groups)):
        return found[0]
    spoken = ", ".join(digit_words(group) for group in _as_dialled(plus, groups))
    return f"plus {spoken}" if plus else spoken


def _as_dialled(plus: str, groups: list[str]) -> list[str]:
    """An Indian number written in one piece has its country code apart."""
    whole = groups[0]
    if plus and len(groups) == 1 and whole.startswith("91") and len(whole) == 12:
        return ["91", whole[2:]]
    return groups


def _is_range(groups: list[str]) -> bool:
    """Two years, say: 2024-2026 is no telephone number."""
    return len(groups) == 2 and len(groups[0]) == len(groups[1]) <= 4
