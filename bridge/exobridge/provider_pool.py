"""The providers of this process: each made and started once, whoever asks first."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TypeVar, cast

import structlog

from exobridge.call.failover.circuits import Circuits, ProviderKey, provider_key
from exobridge_providers.base import AnyOptions, Provider
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind, create

ProviderT = TypeVar("ProviderT", bound=Provider)

START_SECONDS = 60.0
"""Longest start of a provider: loading a model on a slow disk."""

CLOSE_SECONDS = 5.0
"""Longest wait for a provider to close."""

_log = structlog.stdlib.get_logger(__name__)


class ProviderPool:
    """Providers by kind, name and options. A start that failed is tried again by the next call.

    Attributes:
        start_failures: How often each could not be made or started, by kind and name; 0 for those
            that never failed.
        circuits: How they do in calls.
    """

    def __init__(self) -> None:
        self.start_failures: Counter[tuple[str, str]] = Counter()
        self.circuits = Circuits()
        self._starts: dict[ProviderKey, asyncio.Task[Provider]] = {}

    async def get(
        self, kind: Kind, name: str, options: AnyOptions, base: type[ProviderT]
    ) -> ProviderT:
        """A started provider.

        Args:
            base: The kind's base class, for the type checker's sake.

        Raises:
            ProviderError: It cannot be made or started.
        """
        key = provider_key(kind, name, options)
        start = self._starts.get(key)
        if start is None or (start.done() and _failed(start)):
            start = asyncio.create_task(self._start(kind, name, options))
            self._starts[key] = start
        # Shielded: a call that hangs up must not cancel a start that others wait for.
        return cast(ProviderT, await asyncio.shield(start))

    def started(self, key: ProviderKey) -> Provider | None:
        """The provider, if its start is over and went well."""
        start = self._starts.get(key)
        return start.result() if start is not None and start.done() and not _failed(start) else None

    async def _start(self, kind: Kind, name: str, options: AnyOptions) -> Provider:
        self.start_failures[kind, name] += 0
        try:
            return await self._made(kind, name, options)
        except Exception:
            self.start_failures[kind, name] += 1
            raise

    async def _made(self, kind: Kind, name: str, options: AnyOptions) -> Provider:
        provider = create(kind, name, options)
        try:
            async with asyncio.timeout(START_SECONDS):
                await provider.start()
        except TimeoutError as error:
            raise ProviderError(
                f"did not start within {START_SECONDS:.0f} s", provider=name, retryable=True
            ) from error
        _log.info("provider started", kind=str(kind), provider=name)
        return provider

    async def aclose(self) -> None:
        """Close every provider that was started."""
        starts, self._starts = list(self._starts.values()), {}
        for start in starts:
            if not start.done():
                start.cancel()
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, Provider):
                await _close(result)


async def _close(provider: Provider) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await provider.aclose()
    except Exception as error:  # a plugin's bug must not keep the others open
        name = type(provider).__name__
        _log.warning("provider not closed cleanly", provider=name, error=type(error).__name__)


def _failed(start: asyncio.Task[Provider]) -> bool:
    return start.cancelled() or start.exception() is not None
