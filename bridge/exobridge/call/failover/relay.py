"""What the relays of speech-to-text and text-to-speech share: one session at work, and the next."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from exobridge.call.failover.formed import Types, check_formed
from exobridge.call.failover.lineup import Lineup, Seat
from exobridge.call.failover.means import Closable, Means
from exobridge.templates.provider_table import Choice
from exobridge_providers.base import Provider
from exobridge_providers.errors import ProviderError, ProviderUnavailableError

ProviderT = TypeVar("ProviderT", bound=Provider)
SessionT = TypeVar("SessionT", bound=Closable)
EventT = TypeVar("EventT")

EARLY_S = 60.0
"""Before a session is as old as it may get, from when on a pause is waited for in which the next
can take over; of a session that is shorter than twice that, its second half."""

LOOK_S = 0.1
"""How often it is looked whether there is one."""


class Relay(ABC, Generic[ProviderT, SessionT, EventT]):
    """Passes a call's requests to the session at work, and that one's events on. When it fails, the
    next provider's is opened, and is given what is still to be done.

    Args:
        language: BCP-47 tag.
        fail: Is told when no provider is left.
    """

    _declared: Types
    """The classes of a kind's events."""

    def __init__(
        self,
        lineup: Lineup[ProviderT],
        means: Means,
        language: str,
        fail: Callable[[ProviderError], None],
    ) -> None:
        self._lineup = lineup
        self._means = means
        self._language: str = language
        self._speaks: str = language
        """The language of the session at work, or of the last one."""
        self._fail = fail
        self._now = asyncio.get_running_loop().time
        self._seat: Seat[ProviderT, SessionT] | None = None
        self._pumping: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._ageing: asyncio.TimerHandle | None = None
        self._closed = False

    # -------------------------------------------------------------- what a kind does

    @abstractmethod
    def _session_seconds(self, provider: ProviderT) -> float | None:
        """A provider's longest session, as it declares."""

    @property
    @abstractmethod
    def _is_idle(self) -> bool:
        """Nothing is under way that another session would have to do again."""

    @abstractmethod
    async def _open_session(self, provider: ProviderT, choice: Choice) -> SessionT:
        """Open a provider's session in the language of the call."""

    @abstractmethod
    def _events(self, session: SessionT) -> AsyncIterator[EventT]:
        """What a session gives out."""

    @abstractmethod
    def _begin(self, seat: Seat[ProviderT, SessionT]) -> None:
        """Give a new session what is to be done."""

    @abstractmethod
    def _take(self, seat: Seat[ProviderT, SessionT], event: EventT) -> None:
        """Take an event of the session at work."""

    @abstractmethod
    def _halt(self) -> None:
        """The session at work is none any more."""

    async def _may_begin(self) -> None:
        """Wait until a session in another language may take the place of the one at work."""
        return

    def _stay(self) -> None:
        """Another language could not be had: it is the one before again."""
        return

    # -------------------------------------------------------------- from one to the next

    async def open(self) -> None:
        """Open the first session.

        Raises:
            ProviderError: No provider could.
        """
        self._sit(await self._lineup.open(self._open_session, self._language))

    def switch_language(self, language: str) -> None:
        """Go on in another language, with the first provider that knows it; if none does, nothing
        changes. The session at work goes on until the next one is open."""
        if language == self._language:
            return
        self._language = language
        if self._renewing is not None:
            self._renewing.cancel()
        self._renewing = self._means.spawn(self._renew())

    def _sit(self, seat: Seat[ProviderT, SessionT]) -> None:
        self._seat = seat
        self._speaks = self._language
        self._pumping = self._means.spawn(self._pump(seat))
        try:
            self._begin(seat)
        except Exception as error:  # a plugin's bug: what it opened is no session
            self._lost(seat, error)
        else:
            self._age(seat)

    def _age(self, seat: Seat[ProviderT, SessionT]) -> None:
        """See to it that another takes over before the vendor ends the session."""
        longest_s = self._session_seconds(seat.provider)
        if longest_s is None or seat is not self._seat:
            return
        early_s = min(EARLY_S, longest_s / 2)
        loop = asyncio.get_running_loop()
        begun_at = loop.time()
        ends_at = begun_at + longest_s - early_s / 4
        self._ageing = loop.call_at(begun_at + longest_s - early_s, self._grown_old, seat, ends_at)

    def _grown_old(self, seat: Seat[ProviderT, SessionT], ends_at: float) -> None:
        self._ageing = None
        if seat is self._seat and self._renewing is None and not self._is_over:
            self._renewing = self._means.spawn(self._renew(ends_at))

    async def _until_idle(self, until: float) -> None:
        while self._seat is not None and not self._is_idle and self._now() < until:  # noqa: ASYNC110
            await asyncio.sleep(LOOK_S)  # a caller who falls silent is no event here

    async def _pump(self, seat: Seat[ProviderT, SessionT]) -> None:
        error: Exception = ProviderUnavailableError("the session ended by itself")
        try:
            async for event in self._events(seat.session):
                if seat is not self._seat:
                    return
                check_formed(event, self._declared, "event", seat.choice.name)
                self._take(seat, event)
        except Exception as raised:
            error = raised
        self._lost(seat, error)

    def _lost(self, seat: Seat[ProviderT, SessionT], error: Exception) -> None:
        """The session at work failed: another takes over, or the call cannot go on."""
        if seat is not self._seat or self._closed:
            return
        name = seat.choice.name
        self._leave()
        failure = self._means.reported(str(self._lineup.kind), name, error)
        if not self._lineup.failed(name, failure):
            self._fail(failure)
        elif self._renewing is None:
            self._renewing = self._means.spawn(self._renew())

    def _leave(self) -> None:
        """Part with the session at work."""
        seat, self._seat = self._seat, None
        self._rest()
        pumping, self._pumping = self._pumping, None
        if pumping is not None and pumping is not asyncio.current_task():
            pumping.cancel()
        if seat is not None:
            self._halt()
            self._means.retire(str(self._lineup.kind), seat.session)

    def _rest(self) -> None:
        if self._ageing is not None:
            self._ageing.cancel()
            self._ageing = None

    async def _renew(self, until: float = 0.0) -> None:
        """Open another session, and let it take over.

        Args:
            until: So long the one at work may be waited for to have nothing to do.
        """
        await self._until_idle(until)
        try:
            seat = await self._lineup.open(self._open_session, self._language)
        except ProviderError as error:
            self._renewing = None
            self._not_renewed(error)
            return
        try:
            await self._until_idle(until)
            await self._may_begin()
        except asyncio.CancelledError:
            self._means.retire(str(self._lineup.kind), seat.session)
            raise
        self._renewing = None
        if self._closed:  # in the very moment in which it was opened
            self._means.retire(str(self._lineup.kind), seat.session)
            return
        self._leave()
        self._sit(seat)
        self._lineup.replaced(seat.choice.name)

    def _not_renewed(self, error: ProviderError) -> None:
        if self._language == self._speaks:
            if self._seat is None:
                self._fail(error)
            else:  # it is as well as it was: if its vendor ends it, that is told
                stage = str(self._lineup.kind)
                self._means.log.warning("session not renewed", stage=stage, error=str(error))
            return
        self._means.log.warning(
            "language not switched",
            stage=str(self._lineup.kind),
            language=self._language,
            error=str(error),
        )
        self._language = self._speaks
        self._stay()
        if self._seat is None:  # lost meanwhile
            self._renewing = self._means.spawn(self._renew())

    @property
    def _is_over(self) -> bool:
        """Whether the session at work, or the call, has ended: timers may come later than that."""
        pumping = self._pumping
        return pumping is None or pumping.done() or pumping.cancelling() > 0

    async def aclose(self) -> None:
        """Close the session at work."""
        self._closed = True
        self._rest()
        seat, self._seat = self._seat, None
        if seat is not None:
            self._halt()
            await self._means.close(str(self._lineup.kind), seat.session)
