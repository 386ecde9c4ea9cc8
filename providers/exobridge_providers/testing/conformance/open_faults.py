"""What can go wrong before anything is said, for both kinds; and what errors must be like."""

from __future__ import annotations

import asyncio

from exobridge_providers.base import TtsTrouble
from exobridge_providers.errors import (
    ProviderAuthError,
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind
from exobridge_providers.testing.conformance.calls import CLOSE_LIMIT_SECONDS
from exobridge_providers.testing.conformance.stage import SENTENCE, Stage
from exobridge_providers.testing.contract.promises import promise, within
from exobridge_providers.testing.faults import Fault, FaultKind, VendorError

CONNECT_SECONDS = 0.2
"""Of the plugin, where the vendor does not answer."""


def passes(error: BaseException | None, what: str) -> None:
    """Promise that an error says that it may be tried again."""
    promise(
        isinstance(error, ProviderUnavailableError) and error.retryable,
        f"{what} is told by a retryable ProviderUnavailableError, not by {error!r}",
    )


def stays(error: BaseException | None, what: str) -> None:
    """Promise that an error says that a second try is no use."""
    promise(
        isinstance(error, ProviderError) and not error.retryable,
        f"{what} is told by a ProviderError that is not retryable, not by {error!r}",
    )


async def failure(stage: Stage) -> BaseException | None:
    """What is raised when a session is opened and used; ``None``: nothing was."""
    try:
        if stage.kind is Kind.STT:
            return await _heard(stage)
        return await _spoken(stage)
    except Exception as error:
        return error


async def _heard(stage: Stage) -> BaseException | None:
    call = await stage.hear()
    try:
        call.ask(SENTENCE)
        await call.answered()
        if call.error is None:
            await call.settle()
    finally:
        await call.aclose()
    return call.error


async def _spoken(stage: Stage) -> BaseException | None:
    call = await stage.speak()
    try:
        await call.say("only", SENTENCE)
        await call.done("only")
        if call.error is None:
            await call.settle()
    finally:
        await call.aclose()
    troubles = [each.error for each in call.events if isinstance(each, TtsTrouble)]
    return call.error or next(iter(troubles), None)


async def refused_key(stage: Stage) -> None:
    """By the handshake."""
    for status in (401, 403):
        stage.vendor.faults = [Fault(FaultKind.REFUSE, status=status)]
        error = await failure(stage)
        promise(
            isinstance(error, ProviderAuthError) and not error.retryable,
            f"a key that is refused ({status}) is a ProviderAuthError, not {error!r}",
        )


async def wrong_key(stage: Stage) -> None:
    """The vendor looks at the key itself, wherever it is sent."""
    stage.vendor.key = "another"
    error = await failure(stage)
    promise(
        isinstance(error, ProviderAuthError),
        f"a wrong key is told by a ProviderAuthError, not by {error!r}",
    )


async def busy_vendor(stage: Stage) -> None:
    """Handshakes that are refused for now, and those that will be again."""
    for status in (429, 500, 502, 503, 504):
        stage.vendor.faults = [Fault(FaultKind.REFUSE, status=status)]
        passes(await failure(stage), f"a handshake that is answered with {status}")
    for status in (402, 404):
        stage.vendor.faults = [Fault(FaultKind.REFUSE, status=status)]
        stays(await failure(stage), f"a handshake that is answered with {status}")
    stage.vendor.faults = [Fault(FaultKind.REFUSE, status=400)]
    error = await failure(stage)
    promise(
        isinstance(error, ProviderConfigError),
        f"a request that the vendor does not understand is a ProviderConfigError, not {error!r}",
    )


async def vendor_errors(stage: Stage) -> None:
    """What the vendor says in its own words, where its documents have words for it."""
    told = [kind for kind in VendorError if stage.vendor.error_messages(kind)]
    promise(bool(told), "the fake has the vendor's own words for an error: error_messages()")
    for kind in told:
        stage.vendor.faults = [Fault(FaultKind.ERROR, error=kind)]
        error = await failure(stage)
        match kind:
            case VendorError.AUTH:
                promise(
                    isinstance(error, ProviderAuthError),
                    f"the vendor's word for a wrong key is a ProviderAuthError, not {error!r}",
                )
            case VendorError.QUOTA:
                stays(error, "the vendor's word for an account without credit")
            case _:
                passes(error, f"the vendor's word for an error that passes ({kind})")


async def no_answer(stage: Stage) -> None:
    """To the handshake: waiting for it is bounded, and can be given up."""
    stage.vendor.faults = [Fault(FaultKind.HANG)]
    passes(await failure(stage), "a handshake that is not answered")


async def opening_is_given_up(stage: Stage) -> None:
    """By a caller who hangs up at once: nothing is left of it."""
    stage.vendor.faults = [Fault(FaultKind.HANG)]
    for pause in (0.0, 0.001, 0.01, 0.05):
        opening = asyncio.create_task(failure(stage))
        await asyncio.sleep(pause)
        opening.cancel()
        await within(asyncio.wait([opening]), 2, "opening a session can be given up")


async def silent_greeting(stage: Stage) -> None:
    """A vendor that takes the connection and then says nothing: opening it ends in time."""
    stage.vendor.faults = [Fault(FaultKind.SILENCE)]
    try:
        async with asyncio.timeout(CONNECT_SECONDS + CLOSE_LIMIT_SECONDS):
            call = await (stage.hear() if stage.kind is Kind.STT else stage.speak())
    except TimeoutError:
        raise AssertionError("broken promise: open ends within connect_seconds") from None
    except ProviderError as error:
        passes(error, "a vendor that does not say that it is ready")
    else:
        await call.aclose()
