"""The clock: opening hours, expiring tokens and the record of calls live by it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import httpx

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.doctor.tls import Place, addresses_of

WRITTEN = datetime(2025, 1, 1, tzinfo=UTC)
"""This code is younger."""
MAX_OFF_S = 30.0
ASK_SECONDS = 2.0
WATCHED_S = 0.2
MAX_JUMP_S = 0.1
INDIA = "Asia/Kolkata"
SET_THE_CLOCK = "Let the system keep the time: timedatectl set-ntp true"


async def look(case: Case) -> list[Finding]:
    """Whether it is right, goes evenly, and knows India's time."""
    steady = asyncio.create_task(_steady())
    return [await _time(case), await steady, _zone()]


async def _time(case: Case) -> Finding:
    now = datetime.now(UTC)
    if now < WRITTEN:
        return error("clock.time", f"it is {now:%Y-%m-%d} by this machine's clock", SET_THE_CLOCK)
    if case.scope.offline:
        return ok("clock.time", f"{now:%Y-%m-%d %H:%M:%S} UTC, compared with no other clock")
    asked = [case.exotel_url]
    if case.settings.public_url:
        asked.append(case.settings.public_url)
    for url in asked:
        if (off := await seconds_off(url)) is not None:
            return _judged(off, url)
    return info("clock.time", f"{now:%Y-%m-%d %H:%M:%S} UTC; no other clock could be asked")


def _judged(off: float, url: str) -> Finding:
    host = httpx.URL(url).host
    if abs(off) > MAX_OFF_S:
        ahead = "ahead of" if off > 0 else "behind"
        found = f"this machine's clock is {abs(off):.0f} s {ahead} that of {host}"
        return warning("clock.time", found, SET_THE_CLOCK)
    return ok("clock.time", f"within {MAX_OFF_S:.0f} s of the clock of {host}")


async def seconds_off(url: str) -> float | None:
    """By how much our clock is ahead of the ``Date`` header of a host (RFC 9110, section 6.6.1);
    ``None``: it has none, or does not answer."""
    try:
        await addresses_of(Place.of(url), ASK_SECONDS)
        async with httpx.AsyncClient(timeout=ASK_SECONDS) as http:
            response = await http.head(url)
        theirs = parsedate_to_datetime(response.headers["date"])
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError, OSError):
        return None
    if theirs.tzinfo is None:
        return None
    return (datetime.now(UTC) - theirs).total_seconds()


async def _steady() -> Finding:
    wall, monotonic = time.time(), time.monotonic()
    await asyncio.sleep(WATCHED_S)
    jump = (time.time() - wall) - (time.monotonic() - monotonic)
    if abs(jump) > MAX_JUMP_S:
        found = f"the time of day jumped by {jump:+.2f} s while it was watched"
        return warning("clock.steady", found, SET_THE_CLOCK)
    return ok("clock.steady", "the time of day goes as evenly as the system's timer")


def _zone() -> Finding:
    try:
        offset = datetime.now(ZoneInfo(INDIA)).strftime("%z")
    except (KeyError, OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return error("clock.timezone", f"{INDIA} is not known here", "pip install tzdata")
    return ok("clock.timezone", f"it is UTC{offset} there")
