"""Exotel's API, asked with the account's credentials. Only with ``--online``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, error, info, ok, warning
from exobridge.exotel.api import (
    ActiveStreams,
    ExoPhone,
    ExotelApi,
    ExotelError,
    ExotelStatusError,
)
from exobridge.exotel.api.retry import RequestKind
from exobridge.numbers import mask, normalise
from exobridge.settings import Settings

AnswerT = TypeVar("AnswerT")

ONCE = RequestKind(seconds=6.0, tries=1, total_seconds=6.0)
"""Somebody waits for the findings."""


async def look(case: Case) -> list[Finding]:
    """Whether the credentials are good, the numbers the account's, and its streams enough."""
    if not case.scope.online:
        return []
    settings = case.settings.model_copy(update={"exotel_api_url": case.exotel_url})
    api = ExotelApi.of(settings, read=ONCE)
    if api is None:
        found = "cannot be asked: key, token or SID is not set"
        cure = "Set EXOTEL_API_KEY, EXOTEL_API_TOKEN and EXOTEL_SID."
        return [error("exotel.account", found, cure)]
    async with api:
        phones, streams = await asyncio.gather(
            _tried(api.exophones()), _tried(api.active_streams())
        )
    if isinstance(phones, ExotelError):
        return [_refused(phones)]
    return [
        ok("exotel.account", f"{case.exotel_url} takes the credentials"),
        *_numbers(settings, phones),
        _streams(settings, streams),
    ]


async def _tried(question: Awaitable[AnswerT]) -> AnswerT | ExotelError:
    try:
        return await question
    except ExotelError as problem:
        return problem


def _refused(problem: ExotelError) -> Finding:
    passes = problem.retryable and isinstance(problem, ExotelStatusError)
    kind = warning if passes else error
    return kind("exotel.account", problem.problem, problem.cure)


def _numbers(settings: Settings, phones: list[ExoPhone]) -> Iterator[Finding]:
    theirs = {number for phone in phones if (number := normalise(phone.phone_number))}
    ours = set(settings.numbers.entries or {})
    if missing := sorted(ours - theirs):
        found = f"not of this account: {', '.join(map(mask, missing))}"
        yield warning("exotel.numbers", found, "Correct EXOTEL_NUMBERS, or EXOTEL_SID.")
    else:
        yield ok("exotel.numbers", f"all of EXOTEL_NUMBERS are of this account ({len(theirs)})")
    if ours and (unused := sorted(theirs - ours)):
        found = f"not in EXOTEL_NUMBERS: {', '.join(map(mask, unused))}"
        yield info("exotel.numbers", found, "A call to one of them is refused if it gets here.")


def _streams(settings: Settings, streams: ActiveStreams | ExotelError) -> Finding:
    if isinstance(streams, ExotelError):
        cure = "The account's own limit is not heeded; ask Exotel how many streams it may have."
        return info("exotel.streams", streams.problem, cure)
    if streams.limit is None:
        return info("exotel.streams", f"{streams.active} open; their limit is not told")
    found = f"{streams.active} of {streams.limit} are open"
    if streams.free == 0:
        cure = "No call can be taken until one ends; ask Exotel for more."
        return warning("exotel.streams", found, cure)
    if streams.limit < settings.max_calls:
        found = f"{found}; MAX_CALLS is {settings.max_calls}"
        cure = "Calls above the account's limit are refused; for more, ask Exotel."
        return info("exotel.streams", found, cure)
    return ok("exotel.streams", found)
