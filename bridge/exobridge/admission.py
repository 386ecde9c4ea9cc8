"""How many calls at once: one slot a call, however often it asks, freed when no stream comes.

:class:`Slots` is the book. A server of one process keeps it itself (:class:`OwnAdmission`); where
several workers serve together, one book is kept for all of them, and each worker asks for it
(:mod:`exobridge.cluster`). Both are an :class:`Admission` to whoever takes calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

ToldOfCall = Callable[[str], None]
"""Told a CallSid."""

HeldStream = tuple[str, str]
"""``call_sid`` and ``stream_sid``."""


def slots_of(max_calls: int) -> dict[bool, int]:
    """Slots for conversations (``False``), and for calls that only hear one line (``True``)."""
    return {False: max_calls, True: max(2, max_calls // 4)}


class AccountStreams:
    """What Exotel says of the account's streams, and what follows until it is asked again. Pure.

    The streams that are not of this server stay as many as they were; its own are known.
    """

    def __init__(self) -> None:
        self._others = 0
        self._limit: int | None = None
        self._until = 0.0

    def told(self, active: int, limit: int | None, own: int, until: float) -> None:
        """Exotel was asked.

        Args:
            active: Open streams of the whole account.
            limit: The most there may be; ``None``: not told.
            own: Those of them that are this server's.
            until: When this is too old to be heeded, by the event loop's clock.
        """
        self._others = max(0, active - own)
        self._limit = limit
        self._until = until

    def has_room(self, own: int, now: float) -> bool:
        """Whether another stream may open. What is unknown or too old forbids nothing.

        Args:
            own: This server's streams, those that are awaited among them.
        """
        known = self._limit is not None and now < self._until
        return not known or self._others + own < (self._limit or 0)


class Slots:
    """The book of slots. To be used on the event loop only.

    Args:
        max_calls: Slots for conversations.
        unused_seconds: How long a slot waits for its stream.
        on_unused: Told the CallSid of a slot that was freed because no stream came.

    A call that is turned away by a spoken line needs a stream too. It takes one of a quarter as
    many slots beside these, so that a full house can still say so, and a flood of such calls
    cannot hurt those that are being served.

    No slot is given to a call whose stream Exotel would fail, as the account has no more.
    """

    def __init__(self, max_calls: int, unused_seconds: float, on_unused: ToldOfCall) -> None:
        self._limits = slots_of(max_calls)
        self._account = AccountStreams()
        self._used = {False: 0, True: 0}
        self._unused_seconds = unused_seconds
        self._on_unused = on_unused
        self._taken: dict[str, bool] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    @property
    def calls(self) -> int:
        """Slots taken by conversations."""
        return self._used[False]

    @property
    def waiting(self) -> int:
        """Slots whose stream is still to come."""
        return len(self._waiting)

    def heed(self, active: int, limit: int | None, seconds: float) -> None:
        """What Exotel says of the account's streams, to be heeded for so long; as
        :meth:`AccountStreams.told`."""
        own = len(self._taken) - len(self._waiting)
        until = asyncio.get_running_loop().time() + seconds
        self._account.told(active, limit, own, until)

    def take(
        self, call_sid: str, *, refusal: bool = False, again: bool = False, is_open: bool = False
    ) -> bool:
        """A slot for this call; whether it has one now.

        Args:
            refusal: For one spoken line only.
            again: The call was in conversation before, and has one even above the limit.
            is_open: Its stream is there already: Exotel has let it in.
        """
        if call_sid in self._taken:
            return True
        if not again and self._used[refusal] >= self._limits[refusal]:
            return False
        now = asyncio.get_running_loop().time()
        if not is_open and not self._account.has_room(len(self._taken), now):
            return False
        self.hold(call_sid, refusal=refusal)
        return True

    def hold(self, call_sid: str, *, refusal: bool = False) -> None:
        """Count a call that has been taken already, even above the limit."""
        if call_sid in self._taken:
            return
        self._taken[call_sid] = refusal
        self._used[refusal] += 1
        loop = asyncio.get_running_loop()
        self._waiting[call_sid] = loop.call_later(self._unused_seconds, self._unused, call_sid)

    def stream_opened(self, call_sid: str) -> None:
        """The call's stream has come; the slot is in use until :meth:`release`."""
        if waiting := self._waiting.pop(call_sid, None):
            waiting.cancel()

    def _unused(self, call_sid: str) -> None:
        self.release(call_sid)
        self._on_unused(call_sid)

    def release(self, call_sid: str) -> None:
        """The call is over."""
        self.stream_opened(call_sid)
        if (refusal := self._taken.pop(call_sid, None)) is not None:
            self._used[refusal] -= 1

    def close(self) -> None:
        """Stop waiting for streams."""
        for waiting in self._waiting.values():
            waiting.cancel()
        self._waiting.clear()


class Admission(Protocol):
    """Who has a slot, as those see it who take calls."""

    @property
    def calls(self) -> int:
        """Slots of this worker that are taken by conversations. Over all workers they add up to
        the calls of the whole server."""
        ...

    @property
    def waiting(self) -> int:
        """Slots that this worker gave out and whose stream is still to come; it may come to another
        worker. A worker that stops waits for them."""
        ...

    async def total(self) -> int:
        """Slots of the whole server that are taken by conversations."""
        ...

    async def take(
        self, call_sid: str, *, refusal: bool = False, again: bool = False, stream_sid: str = ""
    ) -> bool:
        """A slot for this call; whether it has one now.

        Args:
            refusal: For one spoken line only.
            again: The call was in conversation before, and has one even above the limit.
            stream_sid: The stream that has come for it, which holds the slot until
                :meth:`release`; empty: it is waited for.
        """
        ...

    def release(self, call_sid: str) -> None:
        """The call's stream is over."""
        ...

    def heed(self, active: int, limit: int | None, seconds: float) -> None:
        """What Exotel says of the account's streams; as :meth:`Slots.heed`."""
        ...

    def close(self) -> None:
        """Stop waiting for streams."""
        ...


MakeAdmission = Callable[[ToldOfCall, ToldOfCall], Admission]
"""Makes an admission that tells the first of a slot that was freed because no stream came, and the
second of a stream of this worker whose call another worker has taken over."""


class OwnAdmission:
    """The slots of a server of one process.

    Args:
        max_calls, unused_seconds, on_unused: As those of :class:`Slots`.
    """

    def __init__(self, max_calls: int, unused_seconds: float, on_unused: ToldOfCall) -> None:
        self._slots = Slots(max_calls, unused_seconds, on_unused)

    @property
    def calls(self) -> int:
        """As :attr:`Admission.calls`."""
        return self._slots.calls

    @property
    def waiting(self) -> int:
        """As :attr:`Admission.waiting`."""
        return self._slots.waiting

    async def total(self) -> int:
        """As :meth:`Admission.total`."""
        return self._slots.calls

    async def take(
        self, call_sid: str, *, refusal: bool = False, again: bool = False, stream_sid: str = ""
    ) -> bool:
        """As :meth:`Admission.take`. Never waits."""
        is_open = bool(stream_sid)
        if not self._slots.take(call_sid, refusal=refusal, again=again, is_open=is_open):
            return False
        if stream_sid:
            self._slots.stream_opened(call_sid)
        return True

    def release(self, call_sid: str) -> None:
        """As :meth:`Admission.release`."""
        self._slots.release(call_sid)

    def heed(self, active: int, limit: int | None, seconds: float) -> None:
        """As :meth:`Admission.heed`."""
        self._slots.heed(active, limit, seconds)

    def close(self) -> None:
        """As :meth:`Admission.close`."""
        self._slots.close()
