"""What a call's lineups and relays work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from exobridge.call.meters import Meters
from exobridge.call.plan import Waits
from exobridge.call.tally import Tally
from exobridge.provider_pool import ProviderPool
from exobridge_providers.errors import ProviderError, as_provider_error

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task that ends with the call."""


class Closable(Protocol):
    """A provider's session."""

    async def aclose(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True, slots=True)
class Means:
    """Of one call.

    Attributes:
        spawn: Starts a task that ends with the call.
        log: Names the call in every entry.
        closing: Sessions that are being closed.
    """

    pool: ProviderPool
    waits: Waits
    meters: Meters
    tally: Tally
    spawn: Spawn
    log: structlog.stdlib.BoundLogger
    closing: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def reported(self, stage: str, provider: str, error: Exception) -> ProviderError:
        """A plugin's bug goes into the log with its trace; to the call it is a provider's failure.
        The error bears the template's name of the provider from here on."""
        if not isinstance(error, ProviderError):
            self.log.error("provider crashed", stage=stage, provider=provider, exc_info=error)
        found = as_provider_error(error, stage, provider)
        found.provider = provider
        return found

    def retire(self, stage: str, session: Closable) -> None:
        """Close a session beside the call, which goes on without it."""
        # No task of the call's group: one that is cut short would leave its session open.
        task = asyncio.create_task(self.close(stage, session))
        self.closing.add(task)
        task.add_done_callback(self.closing.discard)

    async def settled(self) -> None:
        """Wait until every retired session is closed; each has its limit."""
        if self.closing:
            await asyncio.wait(self.closing)

    async def close(self, stage: str, session: Closable) -> None:
        """Close a session within the limit, whatever it does then."""
        try:
            async with asyncio.timeout(self.waits.close):
                await session.aclose()
        except Exception as error:  # a plugin's bug must not keep the other sessions open
            self.log.warning("session not closed cleanly", stage=stage, error=type(error).__name__)
