"""How many calls may be asked for now. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

WINDOW = timedelta(seconds=60)
"""That calls a minute are counted in."""

BURST = timedelta(seconds=3)
"""The same in small, so that a minute's calls do not all go out in its first second."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server can bear.

    Attributes:
        per_minute: Calls that Exotel is asked for.
        places: Calls that may be under way, those of people who call us counted in; the reserve is
            taken off.
        calls: Conversations there are now.
        at_most: Dials that may be claimed at a time.
    """

    per_minute: int
    places: int
    calls: int = 0
    at_most: int = 100


@dataclass(slots=True)
class Traffic:
    """What is under way, and was asked for of late, by batch; ``None`` are dials by themselves.

    Attributes:
        asked: When Exotel was asked, within the last ``WINDOW``.
        claimed: Dials about to be asked for.
        under_way: Dials that have a call, or may have, those that are claimed included.
        outside: Of all these, those that are no conversation yet.
    """

    asked: list[tuple[str | None, datetime]] = field(
        default_factory=list[tuple["str | None", datetime]]
    )
    claimed: dict[str | None, int] = field(default_factory=dict["str | None", int])
    under_way: dict[str | None, int] = field(default_factory=dict["str | None", int])
    outside: int = 0

    def room(self, limits: Limits, now: datetime) -> int:
        """How many more calls may be claimed in all; 0 or more."""
        times = [at for _, at in self.asked]
        minute = room_in_minute(limits.per_minute, times, now, sum(self.claimed.values()))
        places = limits.places - limits.calls - self.outside
        return max(0, min(minute, places, limits.at_most))

    def room_of(self, batch_id: str, at_once: int, per_minute: int, now: datetime) -> int:
        """How many more of a batch's may be claimed; 0 or more."""
        times = [at for batch, at in self.asked if batch == batch_id]
        minute = room_in_minute(per_minute, times, now, self.claimed.get(batch_id, 0))
        return max(0, min(minute, at_once - self.under_way.get(batch_id, 0)))

    def last_asked(self) -> Mapping[str | None, datetime]:
        """When Exotel was asked last for whom."""
        last: dict[str | None, datetime] = {}
        for batch_id, at in self.asked:
            last[batch_id] = max(at, last.get(batch_id, at))
        return last


def room_in_minute(
    per_minute: int, asked: Iterable[datetime], now: datetime, claimed: int = 0
) -> int:
    """How many more calls may be asked for now; 0 or more.

    Args:
        asked: When it was, of late.
        claimed: Calls about to be asked for.
    """
    times = [at for at in asked if at > now - WINDOW]
    in_burst = sum(at > now - BURST for at in times)
    burst = math.ceil(per_minute * (BURST / WINDOW))
    return max(0, min(per_minute - len(times), burst - in_burst) - claimed)
