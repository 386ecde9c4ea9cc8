"""What a call's relays stand on, for a test: the fakes, a pool of them, and a group of tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog
from structlog.testing import capture_logs

from exobridge.call.failover.means import Means
from exobridge.call.meters import Meters
from exobridge.call.plan import Waits
from exobridge.call.tally import Tally
from exobridge.provider_pool import ProviderPool
from exobridge.templates.provider_table import Choice
from exobridge_providers.base import Options, Provider
from exobridge_providers.errors import ProviderError
from exobridge_providers.registry import Kind
from exobridge_providers.testing.fakes import FakeDialogue, FakeStt, FakeTts

_FAKES = "exobridge_providers.testing.fakes"
FIRST = {
    Kind.STT: f"{_FAKES}:FakeStt",
    Kind.TTS: f"{_FAKES}:FakeTts",
    Kind.DIALOGUE: f"{_FAKES}:FakeDialogue",
}
SECOND = {
    Kind.STT: "tests.call.failover.house:SpareStt",
    Kind.TTS: "tests.call.failover.house:SpareTts",
    Kind.DIALOGUE: "tests.call.failover.house:SpareDialogue",
}

ProviderT = TypeVar("ProviderT", bound=Provider)


class SpareStt(FakeStt):
    """Another name for the fake."""


class SpareTts(FakeTts):
    """Another name for the fake."""


class SpareDialogue(FakeDialogue):
    """Another name for the fake."""


LONGEST_S = 100.0
"""How long a session of the mortals may last."""


class MortalStt(FakeStt):
    """A vendor that ends a session when it has lasted for so long."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.capabilities = replace(self.capabilities, session_seconds=LONGEST_S)


class MortalTts(FakeTts):
    """Likewise."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.capabilities = replace(self.capabilities, session_seconds=LONGEST_S)


@dataclass(slots=True)
class House:
    """One call's surroundings.

    Attributes:
        means: What relays are given.
        failures: What ended the call.
        log: Everything that was logged.
    """

    means: Means
    log: list[MutableMapping[str, Any]]
    failures: list[ProviderError] = field(default_factory=list[ProviderError])

    def logged(self, event: str) -> list[MutableMapping[str, Any]]:
        """The entries of this name."""
        return [entry for entry in self.log if entry["event"] == event]

    async def provider(self, kind: Kind, choice: Choice, of: type[ProviderT]) -> ProviderT:
        """The provider behind a choice, to look at its sessions."""
        return await self.means.pool.get(kind, choice.name, choice.options, of)


@asynccontextmanager
async def house() -> AsyncGenerator[House]:
    """A call that goes on for the length of the block."""
    pool = ProviderPool()
    with capture_logs() as log:
        async with asyncio.TaskGroup() as tasks:
            started: set[asyncio.Task[None]] = set()

            def spawn(work: Any) -> asyncio.Task[None]:
                task = tasks.create_task(work)
                started.add(task)
                return task

            logger = structlog.stdlib.get_logger("test")
            means = Means(pool, Waits(), Meters(), Tally(), spawn, logger)
            yield House(means, log)
            for task in started:
                task.cancel()
        await means.settled()
        await pool.aclose()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, f"a session was not closed: {left}"


def first(kind: Kind, **options: Any) -> Choice:
    """The fake, with these options."""
    return Choice(FIRST[kind], options)


def mortal(kind: Kind, **options: Any) -> Choice:
    """The fake, whose sessions last :data:`LONGEST_S`."""
    name = {Kind.STT: "MortalStt", Kind.TTS: "MortalTts"}[kind]
    return Choice(f"tests.call.failover.house:{name}", options)


def second(kind: Kind, **options: Any) -> Choice:
    """The fake by its other name."""
    return Choice(SECOND[kind], options)
