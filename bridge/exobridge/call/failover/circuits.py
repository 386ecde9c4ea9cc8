"""The circuits of a process: one for each provider and its options."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable

import structlog

from exobridge.call.failover.breaker import Circuit, CircuitState
from exobridge_providers.base import AnyOptions
from exobridge_providers.errors import ProviderAuthError, ProviderConfigError, ProviderError
from exobridge_providers.registry import Kind

ProviderKey = tuple[Kind, str, str]
"""Kind, name and options: another key, say, is another account at the vendor."""

_log = structlog.stdlib.get_logger(__name__)


def provider_key(kind: Kind, name: str, options: AnyOptions) -> ProviderKey:
    """What tells one provider of a process from another."""
    return kind, name, json.dumps(dict(options), sort_keys=True, default=str)


class Circuits:
    """How the providers have done so far.

    Args:
        now: The clock, in seconds; the event loop's where none is given.
    """

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._circuits: dict[ProviderKey, Circuit] = {}

    def of(self, key: ProviderKey) -> Circuit:
        """A provider's circuit."""
        return self._circuits.setdefault(key, Circuit())

    def failed(self, key: ProviderKey, error: ProviderError) -> None:
        """A provider failed; nobody need try again soon what its settings or its key forbid."""
        for_good = isinstance(error, ProviderConfigError | ProviderAuthError)
        rest_s = self.of(key).failed(self._now(), for_good=for_good)
        if rest_s is not None:
            kind, name, _ = key
            _log.warning(
                "circuit opened",
                kind=str(kind),
                provider=name,
                seconds=round(rest_s),
                error=str(error),
            )

    def worked(self, key: ProviderKey, asked_at: float) -> None:
        """A provider did what it was asked for at ``asked_at``."""
        if self.of(key).worked(asked_at):
            kind, name, _ = key
            _log.info("circuit closed", kind=str(kind), provider=name)

    def states(self) -> Counter[tuple[Kind, str, CircuitState]]:
        """How many circuits of each provider are in each state, 0 too."""
        now = self._now()
        found: Counter[tuple[Kind, str, CircuitState]] = Counter()
        for (kind, name, _), circuit in self._circuits.items():
            found.update({(kind, name, state): 0 for state in CircuitState})
            found[kind, name, circuit.state(now)] += 1
        return found
