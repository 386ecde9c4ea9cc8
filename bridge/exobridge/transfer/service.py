"""Whom a Connect applet is to dial: the record is asked, the answer is kept, the same for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from exobridge.call import events
from exobridge.call.events import CallEvent
from exobridge.call.plan import Recorder
from exobridge.call.state import Call, replay
from exobridge.desk import Desk, Verdict
from exobridge.exotel.connect import Contract, DialEvent
from exobridge.exotel.passthru import PassthruParams
from exobridge.numbers import normalise
from exobridge.observe.watch import Watchers
from exobridge.passthrus import passthru_event
from exobridge.store import Store, StoreError
from exobridge.store.patience import Patience
from exobridge.templates import Template
from exobridge.templates.transfer import Found, TransferTable
from exobridge.transfer.attempts import Attempt, attempt, next_attempt
from exobridge.transfer.lookup import Lookup
from exobridge.transfer.pending import HUNG_UP, Asked, Nobody, Pending, pending, read_asked

Wants = Callable[[str], Contract]
"""The contract of a request, given what its template forces."""

PASSTHRU = "passthru"
"""Who asked, where it was no Connect applet but the Passthru before one."""

_FAILED = (Nobody.EXPIRED, Nobody.UNKNOWN_TARGET, Nobody.CLOSED)
"""Why a transfer that is asked about for the first time has failed."""

_log = structlog.stdlib.get_logger("exobridge.transfer")


@dataclass(frozen=True, slots=True)
class Dial:
    """Whom to dial.

    Attributes:
        template: Whose rules apply.
        call: ``None``: nothing is known of it.
        numbers: E.164; empty: nobody, for ``reason``.
        again: Exotel is to ask again if nobody is reached.
        attempt: From 1 on; 0: no transfer is pending.
        transfer: Key of the transfer's event; empty: none is known.
        asked_at: When the caller was handed over; ``None``, likewise.
        summary: What the dialogue told the human.
    """

    contract: Contract
    template: Template
    call: Call | None = None
    numbers: tuple[str, ...] = ()
    reason: str = ""
    again: bool = False
    parallel: int = 0
    attempt: int = 0
    transfer: str = ""
    asked_at: datetime | None = None
    summary: str = ""

    @property
    def table(self) -> TransferTable:
        """The template's ``[transfer]``."""
        return self.template.transfer


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of a call.

    Attributes:
        pending: ``None``: the database did not tell.
    """

    call: Call | None
    placed: Verdict
    pending: Pending | Nobody | None

    @property
    def table(self) -> TransferTable:
        return self.placed.template.transfer


class Transfers:
    """Answers what Connect applets ask.

    Args:
        watchers: Told of each fact that is new.
        clock: The time of day, aware.
        store_seconds: Longest wait for the database, each time it is asked: the caller is on hold.
            What is late is kept all the same.
    """

    def __init__(
        self,
        *,
        desk: Desk,
        store: Store,
        recorder: Recorder,
        watchers: Watchers,
        lookup: Lookup,
        clock: Callable[[], datetime],
        store_seconds: float,
    ) -> None:
        self._desk = desk
        self._store = store
        self._recorder = recorder
        self._watchers = watchers
        self._lookup = lookup
        self._clock = clock
        self._patience = Patience(store_seconds)
        self._asking: dict[tuple[str, ...], asyncio.Task[Dial]] = {}

    # -------------------------------------------------------------- the questions

    async def dial(self, params: PassthruParams, wants: Wants) -> Dial:
        """Whom to dial. Never raises; the same question that comes meanwhile is the same one."""
        question = (params.call_sid, params.dial_status, params.dial_whom, wants("auto").value)
        task = self._asking.get(question)
        if task is None:
            task = asyncio.create_task(self._dial(params, wants))
            self._asking[question] = task
            task.add_done_callback(lambda _: self._asking.pop(question))
        return await asyncio.shield(task)

    async def is_pending(self, params: PassthruParams) -> Nobody | None:
        """What a Passthru applet asks before the Connect applet does: why nobody would be dialled;
        ``None``: somebody would. What it tells is kept."""
        seen = await self._see(params)
        self._keep(params, seen)
        reason = self._foreseen(params, seen)
        if reason is not None and reason in _FAILED:
            self._keep_nobody(params.call_sid, seen, PASSTHRU, reason)
        return reason

    def _foreseen(self, params: PassthruParams, seen: _Seen) -> Nobody | None:
        now = self._clock()
        match seen.pending:
            case None:
                return None if _by_itself(seen.table, params, now) else Nobody.NO_RECORD
            case Nobody() as reason:
                return reason
            case Pending() as transfer:
                if isinstance(number := next_attempt(transfer, params, now), Nobody):
                    return number
                if transfer.asked and not transfer.asked[-1].numbers:
                    return Nobody.EXHAUSTED
                if seen.table.lookup.url or not seen.table.names_somebody:
                    return None  # it is asked when it comes to dialling, or Exotel's flow knows
                return _problem(seen.table.find(transfer.target, transfer.at))

    def told(self, event: DialEvent) -> None:
        """Keep how the dialling goes."""
        self._recorder.append_soon(
            events.dial(
                event.call_sid,
                self._clock(),
                event_type=event.event_type,
                number=event.number,
                status=event.status,
                told_at=event.told_at,
            )
        )

    async def aclose(self) -> None:
        """Let what is late come to its end."""
        await self._patience.aclose()

    # -------------------------------------------------------------- the answer

    async def _dial(self, params: PassthruParams, wants: Wants) -> Dial:
        seen, now = await self._see(params), self._clock()
        nobody = Dial(wants(seen.table.contract), seen.placed.template, seen.call)
        if params.dial_status and seen.call is not None:
            self._keep(params, seen)
        match seen.pending:
            case None:
                return _without_record(nobody, params, now)
            case Nobody() as reason:
                return self._nobody(params.call_sid, seen, nobody, reason)
            case Pending() as transfer:
                number = next_attempt(transfer, params, now)
                if isinstance(number, Nobody):
                    return self._nobody(params.call_sid, seen, nobody, number)
                known = next((each for each in transfer.asked if each.attempt == number), None)
                if known is not None:
                    return _as_asked(nobody, known, transfer)
                return await self._attempt(params, seen, nobody, transfer, number)

    async def _attempt(
        self,
        params: PassthruParams,
        seen: _Seen,
        nobody: Dial,
        transfer: Pending,
        number: int,
    ) -> Dial:
        found = await self._find(params, seen, transfer, number)
        problem = found if isinstance(found, Nobody) else _problem(found)
        name = seen.placed.template_name
        rotates = isinstance(found, Found) and found.rotate and not problem

        def make(turn: int) -> CallEvent:
            tried, parallel = Attempt(()), 0
            if isinstance(found, Found) and problem is None:
                tried = attempt(
                    found,
                    number,
                    transfer.asked,
                    contract=nobody.contract,
                    dialled=normalise(params.dial_whom),
                    turn=max(turn, 1),
                )
                parallel = found.parallel
            return events.dial_asked(
                params.call_sid,
                self._clock(),
                transfer=transfer.key,
                attempt=number,
                numbers=tried.numbers,
                contract=nobody.contract.value,
                reason="" if tried.numbers else (problem or Nobody.EXHAUSTED).value,
                again=tried.again,
                parallel=parallel,
            )

        counter = f"rotate:{name}:{found.name}" if rotates and number == 1 else ""
        event = await self._first(make, counter)
        return _as_asked(nobody, read_asked(event), transfer)

    async def _first(self, make: Callable[[int], CallEvent], counter: str) -> CallEvent:
        """The event of this attempt that stands, whoever made it."""
        mine = make(0)
        try:
            event, is_new = await self._patience.wait(
                self._store.counters.first(mine.call_sid, mine.key, make, counter=counter)
            )
        except StoreError as error:
            _log.error("dialling not recorded", call_sid=mine.call_sid, error=str(error))
            return mine
        if is_new:
            self._watchers.event(event)
        return event

    def _nobody(self, call_sid: str, seen: _Seen, nobody: Dial, reason: Nobody) -> Dial:
        """Nobody is to be dialled; kept once, of a call that is ours."""
        if seen.call is not None:
            self._keep_nobody(call_sid, seen, nobody.contract.value, reason)
        return replace(nobody, reason=reason.value)

    async def _find(
        self, params: PassthruParams, seen: _Seen, transfer: Pending, number: int
    ) -> Found | Nobody:
        """Whom the transfer means: by the user's own system, if there is one and it knows."""
        table = seen.table
        if table.lookup.url:
            named = await self._lookup.ask(table.lookup, _question(params, seen, transfer, number))
            if named is None:
                return Nobody.DECLINED
            found = table.find(named, transfer.at, trusted=True) if named else Found("unknown")
            if named and found.problem == "unknown":
                _log.warning(
                    "transfer lookup failed",
                    call_sid=params.call_sid,
                    template=seen.placed.template_name,
                    error="the answer names no known target",
                )
            if found.problem != "unknown":
                return found
        return table.find(transfer.target, transfer.at)

    # -------------------------------------------------------------- the record

    def _keep_nobody(self, call_sid: str, seen: _Seen, contract: str, reason: Nobody) -> None:
        """That nobody is dialled: of the call's transfer where it has failed by that. Of one for
        which somebody was dialled before, it says nothing: a human may have taken the call."""
        transfer = seen.call.transfer if seen.call and reason in _FAILED else None
        is_untried = transfer is not None and not transfer.attempts
        self._recorder.append_soon(
            events.dial_asked(
                call_sid,
                self._clock(),
                transfer=transfer.key if transfer and is_untried else "",
                attempt=1,
                numbers=(),
                contract=contract,
                reason=reason.value,
            )
        )

    def _keep(self, params: PassthruParams, seen: _Seen) -> None:
        params = self._desk.with_direction(params)
        self._recorder.append_soon(passthru_event(params, self._clock(), seen.call))

    async def _see(self, params: PassthruParams) -> _Seen:
        try:
            known = await self._patience.wait(self._store.events(params.call_sid))
        except StoreError as error:
            _log.error("call not looked up", call_sid=params.call_sid, error=str(error))
            return _Seen(None, self._desk.place(params, None), None)
        call = replay(known)
        placed = self._desk.place(params, call)
        found = pending(known, self._clock(), placed.template.transfer)
        if isinstance(found, Pending) and params.call_type == HUNG_UP:
            found = Nobody.OVER
        return _Seen(call, placed, found)


def _problem(found: Found) -> Nobody | None:
    return {"": None, "unknown": Nobody.UNKNOWN_TARGET, "closed": Nobody.CLOSED}[found.problem]


def _by_itself(table: TransferTable, params: PassthruParams, now: datetime) -> Found | None:
    """Whom to dial where the record cannot be had: whoever has come this far most likely asked for
    a human, and is not sent round in a circle."""
    found = table.find("", now)
    was_dialled = params.dial_status or params.call_type == HUNG_UP
    return None if was_dialled or found.problem else found


def _without_record(nobody: Dial, params: PassthruParams, now: datetime) -> Dial:
    found = _by_itself(nobody.table, params, now)
    if found is None:
        return replace(nobody, reason=Nobody.NO_RECORD.value)
    return replace(nobody, numbers=found.numbers, parallel=found.parallel, attempt=1)


def _as_asked(nobody: Dial, asked: Asked, transfer: Pending) -> Dial:
    return replace(
        nobody,
        numbers=asked.numbers,
        reason=asked.reason,
        again=asked.again,
        parallel=asked.parallel,
        attempt=asked.attempt,
        transfer=transfer.key,
        asked_at=transfer.at,
        summary=transfer.summary,
    )


def _question(
    params: PassthruParams, seen: _Seen, transfer: Pending, number: int
) -> dict[str, Any]:
    """What the user's own system is told."""
    return {
        "call_sid": params.call_sid,
        "template": seen.placed.template_name,
        "caller": seen.placed.caller,
        "called": seen.placed.called,
        "custom_field": seen.placed.custom_field,
        "target": transfer.target,
        "summary": transfer.summary,
        "attempt": number,
        "dial_status": params.dial_status if transfer.asked else "",
        "dialled": normalise(params.dial_whom) if transfer.asked else None,
    }
