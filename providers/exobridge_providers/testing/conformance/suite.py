"""How checks are run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from exobridge_providers.base import AnyOptions
from exobridge_providers.registry import Kind, create
from exobridge_providers.testing.cases import VendorCase, case
from exobridge_providers.testing.conformance.check import Check, Result
from exobridge_providers.testing.conformance.checks import CHECKS
from exobridge_providers.testing.conformance.stage import LIMIT_SECONDS, Speech, Stage, letters

CHECK_SECONDS = 60.0
"""Longest time that a check may take; one that takes longer has failed."""


async def run_check(
    case: VendorCase, check: Check, *, limit_seconds: float = LIMIT_SECONDS
) -> None:
    """One check, with a fake and a plugin of its own.

    Args:
        limit_seconds: Longest wait for any one thing that is promised.

    Raises:
        AssertionError: The promise is broken; it says which, and how.
    """
    await _kept(check, Stage.of_case(case, check.options, limit_seconds))


async def run_check_without_fake(
    kind: Kind, name: str, check: Check, options: AnyOptions, speech: Speech
) -> None:
    """One check of a plugin that needs no vendor.

    Raises:
        AssertionError: As above.
    """
    await _kept(check, Stage.alone(kind, create(kind, name, options), speech))


async def _kept(check: Check, staging: AbstractAsyncContextManager[Stage]) -> None:
    try:
        async with asyncio.timeout(CHECK_SECONDS), staging as stage:
            await check.run(stage)
    except AssertionError:
        raise
    except Exception as error:  # whatever a plugin raises
        late = isinstance(error, TimeoutError)
        how = f"it takes longer than {CHECK_SECONDS:g} s" if late else f"it raises {error!r}"
        raise AssertionError(f"broken promise: a plugin {check.promise}; {how}") from error


async def run_all(
    kind: Kind,
    name: str,
    tell: Callable[[Result], None] = lambda result: None,
    *,
    options: AnyOptions | None = None,
    speech: Speech | None = None,
) -> list[Result]:
    """Every check of a plugin, one after the other.

    With a fake of its vendor (:func:`~exobridge_providers.testing.cases.case`) all of them are run;
    a plugin that works without a network is asked for what can be seen without. A plugin that
    needs a network and brings no fake cannot be judged: its checks are skipped.

    Args:
        tell: Is told each result at once.
        options: Of the plugin's.
        speech: A spoken sentence in a format, for speech-to-text that works without a vendor;
            without it, what needs one is skipped.

    Raises:
        ProviderError: There is no such plugin, or it does not take the options.
    """
    given = dict(options or {})
    found = case(kind, name)
    results: list[Result] = []
    offline = found is None and create(kind, name, given).offline
    for check in CHECKS[kind]:
        if found is not None:
            result = await _result(check, run_check(found.having(given), check))
        elif not offline:
            result = _skipped(check, "its package brings no fake of its vendor")
        elif check.needs_fake:
            continue
        elif speech is None and kind in (Kind.STT, Kind.VAD):
            result = _skipped(check, "there is no spoken sample")
        else:
            heard = speech or letters
            result = await _result(check, run_check_without_fake(kind, name, check, given, heard))
        results.append(result)
        tell(result)
    return results


def _skipped(check: Check, why: str) -> Result:
    return Result(check.name, check.promise, "skipped", why)


async def _result(check: Check, running: Awaitable[None]) -> Result:
    clock = asyncio.get_running_loop().time
    begun = clock()
    try:
        await running
    except AssertionError as error:
        return Result(check.name, check.promise, "failed", str(error), clock() - begun)
    return Result(check.name, check.promise, "passed", "", clock() - begun)
