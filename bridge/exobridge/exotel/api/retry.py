"""How often and how long Exotel's API is asked, by what is asked for. Pure: times are given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 8.0
"""Between two tries, in seconds, where Exotel names no time itself."""

LONGEST_HOLD = 300.0
"""Most that a ``Retry-After`` holds requests back, in seconds, whatever it says."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RequestKind:
    """A kind of request.

    Attributes:
        seconds: Longest wait for one answer.
        tries: How often it is asked at most.
        total_seconds: Longest wait in all, pauses included.
    """

    seconds: float
    tries: int
    total_seconds: float


READ = RequestKind(seconds=8.0, tries=4, total_seconds=25.0)
"""Changes nothing, and may be asked again."""

CHANGE = RequestKind(seconds=40.0, tries=1, total_seconds=40.0)
"""Changes something, and is never asked again: Exotel may have done it, and a call would be placed
twice. It may take 30 s to be answered."""


def pause(tries: int, chance: float) -> float:
    """How long to wait after so many tries, in seconds: longer each time, and never two alike, so
    that many who failed at once do not all come back at once.

    Args:
        tries: From 1.
        chance: From 0 to 1.
    """
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (tries - 1))
    return longest * (0.5 + chance / 2)


def read_retry_after(value: str, now: datetime, longest: float = LONGEST_HOLD) -> float | None:
    """Seconds from ``now``, ``longest`` at most; ``None``: the header is missing or makes no sense.

    Args:
        value: Seconds, or a date (RFC 9110, section 10.2.3).
        now: Aware.
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), longest)
    try:
        at = parsedate_to_datetime(value)
        seconds = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, seconds), longest)


class Gate:
    """Holds back every request to one account while Exotel wants to be left alone."""

    def __init__(self) -> None:
        self._until = 0.0

    def hold(self, now: float, seconds: float) -> None:
        """Let nobody through for so long. Times are those of the event loop's clock."""
        self._until = max(self._until, now + seconds)

    def left(self, now: float) -> float:
        """Seconds until it opens; 0: it is open."""
        return max(0.0, self._until - now)


_gates: dict[tuple[str, str], Gate] = {}


def gate_of(url: str, sid: str) -> Gate:
    """The gate of this account. All clients in the process share it."""
    return _gates.setdefault((url, sid), Gate())
