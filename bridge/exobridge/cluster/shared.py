"""The slots of the whole server as one worker uses them: it asks, and remembers what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from exobridge.admission import ToldOfCall, slots_of
from exobridge.cluster.messages import (
    AskCalls,
    Calls,
    FromWorker,
    Heed,
    Hold,
    Release,
    Take,
    Taken,
    ToWorker,
)

_log = structlog.stdlib.get_logger("exobridge.cluster")


class Supervisor(Protocol):
    """Who keeps the book."""

    def tell(self, message: FromWorker) -> None:
        """Tell something. Messages come in the order in which they were told."""
        ...

    async def ask(self, question: Callable[[int], FromWorker]) -> ToWorker | None:
        """Ask something; ``None`` if no answer came in time."""
        ...


@dataclass(frozen=True, slots=True)
class _Slot:
    refusal: bool
    stream_sid: str


class SharedAdmission:
    """A worker's :class:`~exobridge.admission.Admission`.

    Without an answer in time the worker decides by itself: it gives out its share of the slots, and
    tells the supervisor. No caller is left waiting.

    Args:
        max_calls: Of the whole server.
        workers: How many share them.
        on_unused: Told the CallSid of a slot that was freed because no stream came.
        on_replaced: Told the CallSid of a stream whose call another worker has taken over.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        max_calls: int,
        workers: int,
        on_unused: ToldOfCall,
        on_replaced: ToldOfCall,
    ) -> None:
        self._supervisor = supervisor
        self._share = slots_of(max(1, max_calls // workers))
        self._on_unused = on_unused
        self._on_replaced = on_replaced
        self._asked: dict[int, Take] = {}
        self._own: dict[str, _Slot] = {}

    @property
    def calls(self) -> int:
        """As :attr:`~exobridge.admission.Admission.calls`."""
        return self._used(refusal=False)

    @property
    def waiting(self) -> int:
        """As :attr:`~exobridge.admission.Admission.waiting`."""
        return sum(not slot.stream_sid for slot in self._own.values())

    def _used(self, *, refusal: bool) -> int:
        return sum(slot.refusal is refusal for slot in self._own.values())

    async def total(self) -> int:
        """As :meth:`~exobridge.admission.Admission.total`; without an answer, this worker's."""
        answer = await self._supervisor.ask(AskCalls)
        return answer.calls if isinstance(answer, Calls) else self.calls

    async def take(
        self, call_sid: str, *, refusal: bool = False, again: bool = False, stream_sid: str = ""
    ) -> bool:
        """As :meth:`~exobridge.admission.Admission.take`."""
        number = 0

        def question(ask: int) -> Take:
            nonlocal number
            number = ask
            self._asked[ask] = take = Take(ask, call_sid, refusal, stream_sid, again)
            return take

        try:
            answer = await self._supervisor.ask(question)
        except asyncio.CancelledError:
            if stream_sid:  # it has gone while it was asked for
                self._forget(call_sid, stream_sid)
                self._supervisor.tell(Release(call_sid, stream_sid))
            raise
        finally:
            self._asked.pop(number, None)
        if not isinstance(answer, Taken):
            return self._take_alone(call_sid, refusal, again, stream_sid)
        if answer.granted and stream_sid:
            # Unless it went to a still newer stream, elsewhere, in the meantime.
            return self._own.get(call_sid) == _Slot(refusal, stream_sid)
        return answer.granted

    def _take_alone(self, call_sid: str, refusal: bool, again: bool, stream_sid: str) -> bool:
        has_room = again or self._used(refusal=refusal) < self._share[refusal]
        granted = call_sid in self._own or has_room
        _log.warning("supervisor did not answer", call_sid=call_sid, taken=granted)
        if granted:
            self._note(call_sid, refusal, stream_sid)
            self._supervisor.tell(Hold(call_sid, refusal, stream_sid))
        else:  # so that a late yes holds nothing
            self._supervisor.tell(Release(call_sid, stream_sid))
        return granted

    def release(self, call_sid: str) -> None:
        """As :meth:`~exobridge.admission.Admission.release`."""
        if slot := self._own.pop(call_sid, None):
            self._supervisor.tell(Release(call_sid, slot.stream_sid))

    def heed(self, active: int, limit: int | None, seconds: float) -> None:
        """As :meth:`~exobridge.admission.Admission.heed`."""
        self._supervisor.tell(Heed(active, limit, seconds))

    def close(self) -> None:
        """As :meth:`~exobridge.admission.Admission.close`. It is the supervisor who waits."""

    # -------------------------------------------------------------- told by the supervisor

    def taken(self, answer: Taken) -> None:
        """An answer came. Noted before whoever asked goes on, as the next message may undo it."""
        asked = self._asked.get(answer.ask)
        if asked is not None and answer.yours:
            self._note(asked.call_sid, asked.refusal, asked.stream_sid)

    def _note(self, call_sid: str, refusal: bool, stream_sid: str) -> None:
        """The call is this worker's. Asked again without a stream, it keeps the one it has."""
        if stream_sid or call_sid not in self._own:
            self._own[call_sid] = _Slot(refusal, stream_sid)

    def moved(self, call_sid: str, stream_sid: str) -> None:
        """The call is another worker's now."""
        if self._forget(call_sid, stream_sid) and stream_sid:
            self._on_replaced(call_sid)

    def unused(self, call_sid: str) -> None:
        """No stream came for this call. It may have been another worker's that died."""
        self._forget(call_sid, "")
        self._on_unused(call_sid)

    def _forget(self, call_sid: str, stream_sid: str) -> bool:
        slot = self._own.get(call_sid)
        if slot is None or slot.stream_sid != stream_sid:
            return False
        del self._own[call_sid]
        return True
