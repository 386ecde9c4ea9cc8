"""Times of day: 10:30, 9 am, 21:05, 10.30 a.m., 9am-6pm, 1830 hrs."""

from __future__ import annotations

import re

from exobridge.ear.language import Clock
from exobridge.ear.written import DASH, END, START, Found, Rule

_HALF = r"(?P<{}>[AaPp]\.?[Mm](?:\.|(?![A-Za-z])))"

_SPAN = re.compile(
    rf"{START}(?P<hour>[0-9]{{1,2}})(?:[:.](?P<minute>[0-9]{{2}}))?(?:\s?{_HALF.format('half')})?"
    rf"{DASH}(?P<hour2>[0-9]{{1,2}})(?:[:.](?P<minute2>[0-9]{{2}}))?\s?{_HALF.format('half2')}"
)
_WITH_HALF = re.compile(
    rf"{START}(?P<hour>[0-9]{{1,2}})(?:[:.](?P<minute>[0-9]{{2}}))?\s?{_HALF.format('half')}"
)
_PLAIN = re.compile(
    rf"{START}(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?::(?P<second>[0-9]{{2}})(?:\.[0-9]+)?)?"
    rf"(?:\s?(?:hrs|Z|बजे){END}|\+05:30)?(?![0-9:.]*[0-9]){END}"
)
_PLAIN_SPAN = re.compile(
    rf"{START}(?P<hour>[0-9]{{1,2}})(?::(?P<minute>[0-9]{{2}}))?{DASH}"
    rf"(?P<hour2>[0-9]{{1,2}})(?::(?P<minute2>[0-9]{{2}}))?(?![0-9:]|[.,/-][0-9]){END}"
)
_HOURS = re.compile(rf"{START}(?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})\s?(?:hrs|hours){END}")


def _time(found: Found, number: str = "", half: str = "") -> str | None:
    """One time of day; ``number`` is the suffix of its groups."""
    hour = int(found[f"hour{number}"])
    minute = int(found[f"minute{number}"] or "0")
    if hour > 24 or minute > 59 or (half and not 1 <= hour <= 12):
        return None
    return found.language.clock(Clock(hour % 24, minute, half, found.before))


def _half(written: str) -> str:
    return written.replace(".", "").upper()


def _with_half(found: Found) -> str | None:
    return _and_stop(found, _time(found, "", _half(found["half"])))


def _span(found: Found) -> str | None:
    """From one to the other. In 9-10 am and 11-1 pm, the first is the last such hour before the
    second."""
    half2 = _half(found["half2"])
    half = _half(found["half"]) or _half_before(int(found["hour"]), int(found["hour2"]), half2)
    words = _joined(found, _time(found, "", half), _time(found, "2", half2))
    return _and_stop(found, words)


def _half_before(hour: int, next_hour: int, next_half: str) -> str:
    end = next_hour % 12 + (12 if next_half == "PM" else 0)
    return "AM" if hour % 12 < end <= hour % 12 + 12 else "PM"


def _plain_span(found: Found) -> str | None:
    """A colon on one side is enough."""
    if not (found["minute"] or found["minute2"]):
        return None
    return _joined(found, _time(found), _time(found, "2"))


def _joined(found: Found, first: str | None, second: str | None) -> str | None:
    if first is None or second is None:
        return None
    return f"{first} {found.language.to} {second}"


def _and_stop(found: Found, words: str | None) -> str | None:
    """The stop behind "a.m." ends the sentence too, if it ends there."""
    rest = found.match.string[found.match.end() :][:2]
    stop = found.match[0].endswith(".") and (not rest.strip() or rest[1:].isupper())
    return f"{words}." if words and stop and not words.endswith(".") else words


def _plain(found: Found) -> str | None:
    words = _time(found)
    second = found["second"]
    if words is None or (second and int(second) > 59):
        return None
    if not second or not int(second):
        return words
    language = found.language
    return f"{words} {language.seconds.format(language.cardinal(int(second)))}"


RULES = (
    Rule(_SPAN, _span),
    Rule(_WITH_HALF, _with_half),
    Rule(_PLAIN_SPAN, _plain_span),
    Rule(_PLAIN, _plain),
    Rule(_HOURS, _time),
)
