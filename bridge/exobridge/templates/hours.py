"""Opening hours: spans of wall-clock time on days of the week, in an IANA time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, PlainValidator

from exobridge.templates.table import Table
from exobridge.validation import wrong

DAY_MINUTES = 24 * 60
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Span(NamedTuple):
    """From ``start`` up to, not including, ``end``, in minutes since the day's midnight.

    ``end`` is above 1440 where the span crosses midnight: ``22:00-02:00`` is 1320 to 1560.
    """

    start: int
    end: int


def _span(value: object) -> Span:
    match [_minutes(part) for part in str(value).split("-")]:
        case [int(start), int(end)] if start < DAY_MINUTES and start != end:
            return Span(start, end if end > start else end + DAY_MINUTES)
        case _:
            raise wrong("is no span of opening hours", 'Write it like "09:00-18:30".')


def _minutes(clock: str) -> int | None:
    hours, colon, minutes = clock.strip().partition(":")
    well_formed = colon and len(minutes) == 2 and (hours + minutes).isascii()
    if not (well_formed and hours.isdigit() and minutes.isdigit()):
        return None
    total = int(hours) * 60 + int(minutes)
    return total if int(minutes) < 60 and total <= DAY_MINUTES else None


def _apart(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    in_order = tuple(sorted(spans))
    for earlier, later in pairwise(in_order):
        if later.start < earlier.end:
            raise wrong("two spans overlap", "Join them into one.")
    return in_order


def _closed_date(value: object) -> date:
    try:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong("is no date", 'Write it like "2026-01-26".') from None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise wrong("is no IANA time zone", 'Write it like "Asia/Kolkata".') from None
    return name


Day = Annotated[
    tuple[Annotated[Span, PlainValidator(_span)], ...],
    AfterValidator(_apart),
    Field(strict=False),
]


class Hours(Table):
    """The ``[hours]`` table. A day that is not named is closed.

    Attributes:
        timezone: IANA name; all spans are its wall-clock time, daylight saving included.
        mon: Spans of Monday, and so on to ``sun``.
        closed_dates: Days on which nothing opens. A span belongs to the day it begins on: the
            hours after midnight of the evening before are not touched.
    """

    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Kolkata"
    mon: Day = ()
    tue: Day = ()
    wed: Day = ()
    thu: Day = ()
    fri: Day = ()
    sat: Day = ()
    sun: Day = ()
    closed_dates: Annotated[
        frozenset[Annotated[date, PlainValidator(_closed_date)]], Field(strict=False)
    ] = frozenset()

    @property
    def week(self) -> tuple[tuple[Span, ...], ...]:
        """The spans, Monday first."""
        return (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans that begin on this day."""
        return () if day in self.closed_dates else self.week[day.weekday()]


def is_open(hours: Hours | None, now: datetime) -> bool:
    """Whether calls are taken at ``now``; without hours always.

    Args:
        hours: The template's table, or ``None``.
        now: With a time zone, any.

    Raises:
        ValueError: ``now`` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    if hours is None:
        return True
    local = now.astimezone(ZoneInfo(hours.timezone))
    today, minute = local.date(), local.hour * 60 + local.minute
    yesterday = today - timedelta(days=1)
    return any(start <= minute < end for start, end in hours.on(today)) or any(
        minute < end - DAY_MINUTES for _, end in hours.on(yesterday)
    )
