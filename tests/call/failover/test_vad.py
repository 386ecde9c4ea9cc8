"""Voice detection whose session dies in the middle of a call, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from exobridge.call.failover.lineup import Lineup
from exobridge.call.failover.vad import VadRelay
from exobridge.templates.provider_table import Choice
from exobridge_providers import base
from exobridge_providers.base import OnVadFailure, OnVoice
from exobridge_providers.errors import ProviderAuthError, ProviderError, ProviderUnavailableError
from exobridge_providers.registry import Kind
from tests.call.failover.house import House, house
from tests.virtual_time import virtual_time

CHOICE = Choice("tests.call.failover.test_vad:Vad", {})


@dataclass
class Session:
    """A session that a test speaks for.

    Attributes:
        frames: What it was given.
        closed: Whether it was closed.
    """

    on_voice: OnVoice
    on_failure: OnVadFailure
    frames: list[bytes] = field(default_factory=list[bytes])
    closed: bool = False

    def send(self, pcm: bytes) -> None:
        """Keep it; ``x`` is a bug."""
        if pcm == b"x":
            raise ZeroDivisionError
        self.frames.append(pcm)

    def close(self) -> None:
        self.closed = True


class Vad(base.VadProvider):
    """A provider of such sessions, of as many as it may open."""

    sample_rates = (8000,)

    def __init__(self, options: base.Options) -> None:
        super().__init__(options)
        self.sessions: list[Session] = []
        self.refuses = False

    def open(self, sample_rate: int, on_voice: OnVoice, on_failure: OnVadFailure) -> Session:
        if self.refuses:
            raise ProviderUnavailableError("no room")
        self.sessions.append(Session(on_voice, on_failure))
        return self.sessions[-1]


@dataclass
class Call:
    """A caller before a relay."""

    house: House
    relay: VadRelay
    provider: Vad
    told: list[tuple[float, float]]

    @property
    def sessions(self) -> list[Session]:
        return self.provider.sessions

    @property
    def failures(self) -> list[ProviderError]:
        return self.house.failures


@asynccontextmanager
async def call() -> AsyncGenerator[Call]:
    """A call whose voice detection is open."""
    async with house() as around:
        provider = await around.provider(Kind.VAD, CHOICE, Vad)
        told: list[tuple[float, float]] = []
        relay = VadRelay(
            Lineup(Kind.VAD, base.VadProvider, [CHOICE], around.means, "en-IN"),
            around.means,
            CHOICE,
            provider,
            8000,
            on_voice=lambda end_ms, probability: told.append((end_ms, probability)),
            fail=around.failures.append,
        )
        relay.open()
        yield Call(around, relay, provider, told)
        relay.close()


@virtual_time
async def test_a_new_sessions_times_go_on_where_the_last_ones_stopped() -> None:
    """What the last one still tells is nobody's."""
    async with call() as c:
        for _ in range(10):
            c.relay.send(b"f")
        c.sessions[0].on_voice(32, 0.1)
        c.sessions[0].on_failure(ProviderUnavailableError("died"))
        assert c.sessions[0].closed
        c.relay.send(b"g")
        c.sessions[0].on_voice(64, 0.2)
        c.sessions[0].on_failure(ProviderUnavailableError("died again"))
        c.sessions[1].on_voice(32, 0.9)
        assert c.told == [(32, 0.1), (232, 0.9)]
        assert c.sessions[1].frames == [b"g"]
        assert c.failures == []


@virtual_time
async def test_it_is_opened_anew_once_in_a_minute() -> None:
    """For a bug as well."""
    async with call() as c:
        c.relay.send(b"x")
        assert c.failures == []
        c.relay.send(b"x")
        assert [str(error) for error in c.failures] == ["vad failed: ZeroDivisionError"]
        assert len(c.sessions) == 2
        c.relay.send(b"x")
        assert len(c.failures) == 1
    async with call() as c:
        for _ in range(3):
            c.relay.send(b"x")
            await asyncio.sleep(61)
        assert c.failures == []


@virtual_time
async def test_what_will_not_help_is_not_tried() -> None:
    """Nor is a provider that has no room asked for ever."""
    async with call() as c:
        c.sessions[0].on_failure(ProviderAuthError("no"))
        assert [str(error) for error in c.failures] == ["no"]
        assert len(c.sessions) == 1
    async with call() as c:
        c.provider.refuses = True
        c.sessions[0].on_failure(ProviderUnavailableError("died"))
        assert [str(error) for error in c.failures] == ["no room"]


@virtual_time
async def test_garbage_that_a_session_tells_is_its_bug() -> None:
    """Whether it is told as voice or as a failure, another session takes its place."""
    async with call() as c:
        c.sessions[0].on_voice(cast(Any, "soon"), 0.9)
        assert len(c.house.logged("provider crashed")) == 1
        assert c.failures == []
        c.sessions[1].on_failure(cast(Any, "a plain text"))
        assert [str(error) for error in c.failures] == ["failed with str, which is no error"]
        assert c.told == []
