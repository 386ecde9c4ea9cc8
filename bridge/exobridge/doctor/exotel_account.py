"""Exotel's API, asked with the account's credentials, where there are any. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from exobridge.doctor.case import Case
from exobridge.doctor.finding import Finding, Level, error, info, ok, warning
from exobridge.exophones import as_found, found_of
from exobridge.exophones.troubles import troubles_of
from exobridge.exotel.api import (
    ActiveStreams,
    ExoPhone,
    ExotelApi,
    ExotelError,
    ExotelStatusError,
    UnauthorisedError,
)
from exobridge.exotel.api.retry import RequestKind
from exobridge.numbers import mask
from exobridge.setting_checks import EXOTEL_REGIONS
from exobridge.settings import Settings

AnswerT = TypeVar("AnswerT")

ONCE = RequestKind(seconds=6.0, tries=1, total_seconds=6.0)
"""Somebody waits for the findings."""


async def look(case: Case, regions: Mapping[str, str] = EXOTEL_REGIONS) -> list[Finding]:
    """Whether the credentials are good, the numbers the account's and assigned, and its streams
    enough.

    Args:
        regions: Where the account may be instead, by name.
    """
    settings = case.settings.model_copy(update={"exotel_api_url": case.exotel_url})
    api = ExotelApi.of(settings, read=ONCE)
    if api is None:
        return [_no_credentials()] if case.scope.online else []
    async with api:
        phones, streams = await asyncio.gather(
            _tried(api.exophones()), _tried(api.active_streams())
        )
    if isinstance(phones, ExotelError):
        elsewhere = await _elsewhere(settings, phones, regions)
        return [_refused(phones), *elsewhere]
    return [
        ok("exotel.account", f"{case.exotel_url} takes the credentials"),
        *_numbers(case, phones),
        *_flows(case, phones),
        _streams(settings, streams),
    ]


def _no_credentials() -> Finding:
    found = "cannot be asked: key, token or SID is not set"
    cure = "Set EXOTEL_API_KEY, EXOTEL_API_TOKEN and EXOTEL_SID."
    return error("exotel.account", found, cure)


async def _elsewhere(
    settings: Settings, problem: ExotelError, regions: Mapping[str, str]
) -> list[Finding]:
    """Where the credentials are good, if not here: an account is of one region."""
    here = settings.exotel_api_url
    if not isinstance(problem, UnauthorisedError) or here not in regions.values():
        return []
    for name, url in regions.items():
        if url == here:
            continue
        api = ExotelApi.of(settings.model_copy(update={"exotel_api_url": url}), read=ONCE)
        assert api is not None
        async with api:
            if not isinstance(await _tried(api.active_streams()), ExotelError):
                found = f"the credentials are good at {url}, and not at {here}"
                return [error("exotel.region", found, f"EXOTEL_API_URL={name}")]
    return []


async def _tried(question: Awaitable[AnswerT]) -> AnswerT | ExotelError:
    try:
        return await question
    except ExotelError as problem:
        return problem


def _refused(problem: ExotelError) -> Finding:
    passes = problem.retryable and isinstance(problem, ExotelStatusError)
    kind = warning if passes else error
    return kind("exotel.account", problem.problem, problem.cure)


def _numbers(case: Case, phones: list[ExoPhone]) -> Iterator[Finding]:
    theirs = {found.number for found in found_of(phones)}
    ours = set(case.book.entries or {})
    if missing := sorted(ours - theirs):
        found = f"not of this account: {', '.join(map(mask, missing))}"
        yield warning("exotel.numbers", found, "Correct the numbers, or EXOTEL_SID.")
    else:
        yield ok("exotel.numbers", f"all our numbers are of this account ({len(theirs)})")
    if ours and (unused := sorted(theirs - ours)):
        found = f"of this account, and nobody answers for them: {', '.join(map(mask, unused))}"
        yield info("exotel.numbers", found, "A call to one of them is refused if it gets here.")


def _flows(case: Case, phones: list[ExoPhone]) -> Iterator[Finding]:
    """Which flow each number has; what stands in a flow is not told."""
    templates, now = case.templates or {}, datetime.now(UTC)
    found = {each.number: each for each in found_of(phones)}
    fine: list[str] = []
    for own in case.numbers:
        seen = as_found(own, found.get(own.number))
        if not seen.in_account or seen.template is None:
            continue
        troubles = [each for each in troubles_of(seen, templates, now) if each.about == "flow"]
        for each in troubles:
            told = f"{mask(own.number)}: {each.found}"
            yield Finding("exotel.flows", Level(each.level), told, each.cure)
        if not troubles:
            fine.append(f"{mask(own.number)}={seen.flow_app_id}")
    if fine:
        hint = "the API does not tell which URLs their applets ask, but see what was asked of us"
        yield ok("exotel.flows", f"{', '.join(fine)}; {hint}")


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
