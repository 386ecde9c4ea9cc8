"""Times in the spellings that Exotel's webhooks use."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

IST = timezone(timedelta(hours=5, minutes=30), "IST")
"""Exotel's times carry no zone in most spellings; then they are Indian Standard Time."""

_YEARS = range(1971, 9999)
"""Years of times that are meant, and that every zone can tell."""

_LOST_PLUS = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$", re.ASCII)
"""``+05:30`` in a query whose plus nobody encoded comes as a blank."""

_NAMED_IST = re.compile(r"\s*\bIST$", re.IGNORECASE)


def read_time(text: str) -> datetime | None:
    """A time in any spelling Exotel uses; one without a zone is IST.

    ``None`` if it is unreadable or tells no time: ``EndTime`` is always ``1970-01-01 05:30:00``.
    """
    text = _NAMED_IST.sub("", _LOST_PLUS.sub(r"\1+\2", text.strip()))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    if found.year not in _YEARS:
        return None
    return found if found.tzinfo else found.replace(tzinfo=IST)
