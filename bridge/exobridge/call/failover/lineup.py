"""Which provider of a kind a call asks next, and how long it waits for it."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from exobridge.call.failover.circuits import ProviderKey, provider_key
from exobridge.call.failover.means import Means
from exobridge.templates.provider_table import Choice
from exobridge_providers.base import Provider
from exobridge_providers.errors import (
    ProviderConfigError,
    ProviderError,
    ProviderUnavailableError,
)
from exobridge_providers.registry import Kind

FAILURES = 2
"""So often may a provider fail in a call within ``WINDOW_S``: its session is opened anew once."""

WINDOW_S = 60.0
"""A session that held for so long has made good for the failures before it."""

RETRY_PAUSE_S = 0.25
"""Before a provider that has just failed is asked again."""

ProviderT = TypeVar("ProviderT", bound=Provider)
SessionT = TypeVar("SessionT")
OpenedT = TypeVar("OpenedT")


@dataclass(slots=True)
class Seat(Generic[ProviderT, SessionT]):
    """A provider at work in the call.

    Attributes:
        asked_at: When it was asked for its session, on the loop's clock.
        proven: It has done what it is for.
    """

    choice: Choice
    provider: ProviderT
    session: SessionT
    asked_at: float
    proven: bool = field(default=False)


class Lineup(Generic[ProviderT]):
    """The providers of one kind, in the template's order.

    Args:
        base: The kind's base class.
        choices: One or more.
        language: The template's, a BCP-47 tag.
        speaks: Whether a provider knows a language.
    """

    def __init__(
        self,
        kind: Kind,
        base: type[ProviderT],
        choices: Sequence[Choice],
        means: Means,
        language: str,
        speaks: Callable[[ProviderT, str], bool] = lambda provider, language: True,
    ) -> None:
        self.kind = kind
        self._language = language
        self._base = base
        self._choices = tuple(choices)
        self._means = means
        self._speaks = speaks
        self._now = asyncio.get_running_loop().time
        self._keys: dict[str, ProviderKey] = {
            choice.name: provider_key(kind, choice.name, choice.options) for choice in choices
        }
        self._barred: set[str] = set()
        self._failures: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=FAILURES))

    # -------------------------------------------------------------- who there is

    def share(self, limit_s: float) -> float:
        """What of a wait each provider gets, so that all can have their turn."""
        return limit_s / len(self._choices)

    def has_other(self, name: str) -> bool:
        """Whether another provider could take over from this one."""
        return any(
            choice.name != name and self._is_worth_asking(choice.name) for choice in self._left()
        )

    def knows(self, language: str) -> bool:
        """Whether a provider knows a language; one that has not been started yet may."""
        return any(
            provider is None or self._speaks(cast(ProviderT, provider), language)
            for provider in map(self._means.pool.started, self._keys.values())
        )

    def _left(self) -> list[Choice]:
        return [
            choice
            for choice in self._choices
            if choice.name not in self._barred and self._recent_failures(choice.name) < FAILURES
        ]

    def _recent_failures(self, name: str) -> int:
        since = self._now() - WINDOW_S
        return sum(at > since for at in self._failures[name])

    def _is_worth_asking(self, name: str) -> bool:
        return self._means.pool.circuits.of(self._keys[name]).admits(self._now())

    def _next(self, passed_over: set[str]) -> Choice | None:
        """Who has failed least; those whose circuit is open come last, and are asked if there is
        nobody else."""

        def cost(choice: Choice) -> tuple[bool, int]:
            return not self._is_worth_asking(choice.name), self._recent_failures(choice.name)

        left = [choice for choice in self._left() if choice.name not in passed_over]
        return min(left, key=cost, default=None)

    # -------------------------------------------------------------- opening

    async def open(
        self,
        opening: Callable[[ProviderT, Choice], Awaitable[SessionT]],
        language: str,
    ) -> Seat[ProviderT, SessionT]:
        """A session of the first provider that can open one.

        Raises:
            ProviderError: None could; it is the last one's error.
        """
        deadline = self._now() + self._means.waits.open
        passed_over: set[str] = set()
        error: ProviderError | None = None
        while (choice := self._next(passed_over)) is not None:
            await self._pause(choice.name)
            try:
                return await self._open(choice, opening, language, deadline)
            except _OtherLanguageError:
                passed_over.add(choice.name)
            except ProviderError as failure:
                error = failure
                if language != self._language:
                    # What is wrong may be the language: it is not held against the provider.
                    passed_over.add(choice.name)
                elif not self.failed(choice.name, failure, in_time=self._now() < deadline):
                    break
        raise error or self._no_such_language(language)

    async def _pause(self, name: str) -> None:
        last = self._failures[name][-1] if self._failures[name] else -math.inf
        await asyncio.sleep(max(0.0, last + RETRY_PAUSE_S - self._now()))

    async def _open(
        self,
        choice: Choice,
        opening: Callable[[ProviderT, Choice], Awaitable[SessionT]],
        language: str,
        deadline: float,
    ) -> Seat[ProviderT, SessionT]:
        key, asked_at, pool = self._keys[choice.name], self._now(), self._means.pool
        pool.circuits.of(key).asked(asked_at)
        until = deadline
        if self.has_other(choice.name):
            until = min(deadline, asked_at + self.share(self._means.waits.open))
        try:
            async with asyncio.timeout_at(until):
                provider = await pool.get(self.kind, choice.name, choice.options, self._base)
                if not self._speaks(provider, language):
                    raise _OtherLanguageError
                session = await opening(provider, choice)
        except _OtherLanguageError:
            raise
        except TimeoutError as late:
            message = "did not open in time"
            raise ProviderUnavailableError(message, provider=choice.name) from late
        except Exception as error:
            raise self._means.reported(self.kind, choice.name, error) from error
        return Seat(choice, provider, session, asked_at)

    def _no_such_language(self, language: str) -> ProviderError:
        names = " and ".join(choice.name for choice in self._choices)
        return ProviderConfigError(
            f"{names} does not know the language {language!r}", provider=self._choices[0].name
        )

    # -------------------------------------------------------------- what becomes of them

    def failed(self, name: str, error: ProviderError, *, in_time: bool = True) -> bool:
        """A provider failed in this call.

        Args:
            in_time: There is time left for another.

        Returns:
            Whether another, or a new session of it, may take over; then the failure is in the log
            and in the metrics. If not, whoever asks has to say so.
        """
        self._means.pool.circuits.failed(self._keys[name], error)
        self._failures[name].append(self._now())
        if not error.retryable:
            self._barred.add(name)
        if not in_time or not self._left():
            return False
        self._means.meters.session_lost(str(self.kind), name, error)
        self._means.log.warning(
            "session lost",
            stage=str(self.kind),
            provider=name,
            error=str(error),
            retryable=error.retryable,
        )
        return True

    def worked(self, seat: Seat[ProviderT, SessionT]) -> None:
        """A provider did what it is for."""
        if not seat.proven:
            seat.proven = True
            self._means.pool.circuits.worked(self._keys[seat.choice.name], seat.asked_at)

    def replaced(self, name: str) -> None:
        """A session of this provider took over."""
        self._means.log.info("session replaced", stage=str(self.kind), provider=name)


class _OtherLanguageError(Exception):
    """A provider does not know the call's language; never leaves this module."""
