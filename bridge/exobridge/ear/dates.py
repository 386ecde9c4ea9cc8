"""Dates, with the day before the month: 12/03/2026, 2026-11-21, 21 Nov, Nov 21st, 2026."""

from __future__ import annotations

import re

from exobridge.ear.language import Language
from exobridge.ear.written import END, INSIDE, Found, Rule

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = "Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LAST_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

_START = rf"(?<![{INSIDE}/.-])"
_END = rf"{END}(?![-/][0-9]|\.[0-9])"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_UNTIL = r"(?:\s?[-–]\s?(?P<until>[0-9]{1,2})(?:st|nd|rd|th)?)?"
# With a capital only: "may 5 people come in" is no date. A stop may be the sentence's own.
_NAME = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?"
    r"|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b(?:\.(?=\s?[a-z0-9,]))?"
)
_YEAR = r"(?P<year>(?:19|20)[0-9]{2})"

_NUMERIC = re.compile(
    rf"{_START}(?P<first>[0-9]{{1,2}})(?P<sep>[-/.])(?P<second>[0-9]{{1,2}})(?P=sep)"
    rf"(?P<year>(?:19|20)[0-9]{{2}}|[0-9]{{2}}){_END}"
)
_ISO = re.compile(
    rf"{_START}(?P<year>(?:19|20)[0-9]{{2}})(?P<sep>[-/])(?P<second>[0-9]{{2}})(?P=sep)"
    rf"(?P<first>[0-9]{{2}})(?P<time>T(?=[0-9]{{2}}:[0-9]{{2}}))?(?(time)|{_END})"
)
_NO_YEAR = re.compile(rf"{_START}(?P<first>[0-9]{{1,2}})/(?P<second>[0-9]{{1,2}}){_END}")
_DAY_FIRST = re.compile(
    rf"{_START}{_DAY}{_UNTIL}(?:\s|-|\sof\s)?{_NAME}"
    rf"(?:(?:,?\s|-){_YEAR}|-(?P<short>[0-9]{{2}}))?{_END}"
)
_MONTH_FIRST = re.compile(rf"(?<![{INSIDE}]){_NAME}\s{_DAY}{_UNTIL}(?:,?\s{_YEAR})?{_END}")
_MONTH_ONLY = re.compile(rf"(?<![{INSIDE}]){_NAME}(?:,?\s|-){_YEAR}{_END}")
_WEEKDAY = re.compile(
    rf"(?<![{INSIDE}])(?P<name>{_WEEKDAYS})\b\.?"
    rf"(?:(?=,?\s[0-9])|\s?[-–]\s?(?P<until>{_WEEKDAYS})\b)"
)
_DATE_AHEAD = re.compile(
    r"(?:\b(?:on|by|till|until|from|before|after|since|due|dated?|to)|तारीख|दिनांक)[\s:]*$",
    re.IGNORECASE,
)


def _numeric(found: Found) -> str | None:
    """Two digits of a year count only after slashes and hyphens: 1.2.26 may be a version."""
    year = found["year"]
    if len(year) == 2:
        if found["sep"] == ".":
            return None
        year = f"20{year}"
    return _date(found.language, int(found["first"]), int(found["second"]), year)


def _iso(found: Found) -> str | None:
    date = _date(found.language, int(found["first"]), int(found["second"]), found["year"])
    return f"{date}, " if date and found["time"] else date


def _no_year(found: Found) -> str | None:
    """1/2 is a half: without a year a date has a zero in front, a day above the month, or a word
    that leads to one."""
    first, second = found["first"], found["second"]
    if not (
        "0" in (first[0], second[0])
        or (len(second) == 2 and int(first) > int(second))
        or _DATE_AHEAD.search(found.before)
    ):
        return None
    return _date(found.language, int(first), int(second), "")


def _date(language: Language, day: int, month: int, year: str) -> str | None:
    """``None`` if there is no such day. With a month above 12 the two have changed places."""
    if month > 12 and year:
        day, month = month, day
    if not (1 <= month <= 12 and 1 <= day <= _LAST_DAYS[month - 1]):
        return None
    words = f"{language.day(day)} {language.months[month - 1]}"
    return f"{words} {language.year(int(year))}" if year else words


def _named(found: Found) -> str | None:
    """The month is a word."""
    language = found.language
    month = _MONTHS.index(found["month"][:3].lower())
    days = [int(day) for day in (found["day"], found["until"]) if day]
    if not all(1 <= day <= _LAST_DAYS[month] for day in days):
        return None
    said = f" {language.to} ".join(map(language.day, days))
    words = f"{said} {language.months[month]}"
    year = found["year"] or (found["short"] and f"20{found['short']}")
    return f"{words} {language.year(int(year))}" if year else words


def _month_only(found: Found) -> str:
    month = _MONTHS.index(found["month"][:3].lower())
    return f"{found.language.months[month]} {found.language.year(int(found['year']))}"


def _weekday(found: Found) -> str:
    days = [found[group][:3].lower() for group in ("name", "until") if found[group]]
    return f" {found.language.to} ".join(found.language.weekdays[_DAYS.index(day)] for day in days)


RULES = (
    Rule(_WEEKDAY, _weekday),
    Rule(_ISO, _iso),
    Rule(_NUMERIC, _numeric),
    Rule(_DAY_FIRST, _named),
    Rule(_MONTH_FIRST, _named),
    Rule(_MONTH_ONLY, _month_only),
    Rule(_NO_YEAR, _no_year),
)
