"""Takes wishes that somebody be called, and tells what became of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from exobridge.call.events import CallEvent
from exobridge.numbers import normalise
from exobridge.outbound.checks import Ground, check, check_number, own_number
from exobridge.outbound.models import (
    Attempt,
    Dial,
    DialRefusedError,
    DialRequest,
    DialState,
    KeyReusedError,
    NewDial,
    PlacedCall,
    UnknownDialError,
    Wish,
    custom_field,
    read_custom_field,
)
from exobridge.outbound.placed import placed_event
from exobridge.outbound.rules import next_call
from exobridge.store import Store, StoreError

FURTHEST = timedelta(days=366)
"""How long before its time a call can be wished for."""

TEMPLATE_GONE = timedelta(minutes=1)
"""How long a dial waits for its template to come back, if it is not there any more."""

TO_STREAM = timedelta(seconds=100)
"""From the request for a call to its stream at most, its ringing apart: 40 s until Exotel has
answered, and a minute in its flow."""

_log = structlog.stdlib.get_logger("exobridge.outbound")


class EventRecorder(Protocol):
    """Keeps a call's facts."""

    async def append(self, event: CallEvent) -> None:
        """Keep one; raises :class:`StoreError` if it is not kept."""
        ...

    def append_soon(self, event: CallEvent) -> None:
        """Keep one, as soon as that can be done."""
        ...


class Outbound:
    """Calling out, for who asks for it. The calls are placed by the dialler of a server, which
    looks at the same database.

    Args:
        ground: What the checks go by, as it is now.
        recorder: Keeps what is known of calls; ``None``: nobody tells of any here.
        clock: The time of day, aware.

    Attributes:
        woken: Set when something is due; the dialler clears it.
    """

    def __init__(
        self,
        store: Store,
        ground: Callable[[], Ground],
        recorder: EventRecorder | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._rows = store.dials
        self._ground = ground
        self._recorder = recorder
        self._clock = clock
        self.woken = asyncio.Event()

    # -------------------------------------------------------------- wishes

    def check(self, wish: Wish) -> DialRequest:
        """How this wish would be called.

        Raises:
            DialRefusedError: It would not.
        """
        return self.judge(wish).request

    def judge(self, wish: Wish) -> NewDial:
        """What becomes of this wish, which is not kept by that.

        Raises:
            DialRefusedError: Nobody is called for it.
        """
        ground = self._ground()
        number = check_number(wish.number, ground.numbers)
        request = check(wish, ground)
        if number == request.caller_id:
            raise own_number()
        now = self._clock()
        not_before = max(now, wish.not_before or now)
        if not_before > now + FURTHEST:
            raise DialRefusedError(
                "bad-time", f"The time is more than {FURTHEST.days} days away.", "not_before"
            )
        due_at = self.opening(request, not_before)
        if due_at is None:
            raise DialRefusedError(
                "never-open", "The template's outbound.hours never open.", "template"
            )
        return NewDial(
            id=new_id(),
            number=number,
            request=request,
            due_at=due_at,
            give_up_at=due_at + timedelta(seconds=request.policy.patience),
            key=wish.key,
            fingerprint=_fingerprint(wish) if wish.key else "",
        )

    def opening(self, request: DialRequest, now: datetime) -> datetime | None:
        """From when on somebody may be called, ``now`` itself or later; ``None``: never. By the
        hours of the template that is in force."""
        template = self._ground().templates.get(request.template)
        if template is None:
            return now + TEMPLATE_GONE
        purposes = (request.purpose, template.outbound.purpose)
        return next_call(now, promotional="promotional" in purposes, hours=template.outbound.hours)

    def lacks(self, request: DialRequest) -> str:
        """What is gone that a call needs, as a sentence; empty: nothing."""
        if request.template in self._ground().templates:
            return ""
        return (
            f"The server has no template {request.template}: put its file there, and let the "
            "server read its templates (SIGHUP)."
        )

    async def dial(self, wish: Wish) -> tuple[Dial, bool]:
        """Have somebody called. It is durable when this returns.

        Returns:
            The dial, and whether it is new.

        Raises:
            DialRefusedError: Nobody is called for this.
            KeyReusedError: Its key was used for something else.
            StoreError: It could not be kept.
        """
        fingerprint = _fingerprint(wish)
        if wish.key and wish.key.isprintable():
            known = await self._rows.of_key(wish.key)
            if known is not None:
                return _same(known, fingerprint), False
        dial, is_new = await self._rows.add(self.judge(wish), self._clock())
        self.wake()
        return _same(dial, fingerprint), is_new

    # -------------------------------------------------------------- dials

    async def dials(
        self,
        limit: int = 50,
        before: str | None = None,
        *,
        batch_id: str | None = None,
        state: DialState | None = None,
    ) -> list[Dial]:
        """Dials, the newest first.

        Args:
            limit: 1 to 1000.
            before: Id of the last one of the page before.
        """
        return await self._rows.listed(limit, before, batch_id=batch_id, state=state)

    async def find(self, dial_id: str) -> Dial | None:
        """One dial."""
        return await self._rows.find(dial_id)

    async def attempts(self, dial_id: str) -> list[Attempt]:
        """What was asked of Exotel for it, the first first."""
        return await self._rows.attempts(dial_id)

    async def cancel(self, dial_id: str) -> Dial:
        """Call nobody for it any more. A call that is under way goes on, and is not repeated.

        Raises:
            UnknownDialError: There is none of this id.
        """
        dial = await self._rows.cancel(dial_id, self._clock())
        if dial is None:
            raise UnknownDialError("there is no such dial")
        return dial

    # -------------------------------------------------------------- calls

    async def adopt(self, call_sid: str, custom_field: str, at: datetime) -> PlacedCall | None:
        """A webhook tells of a call; if it is one that we placed, its dial knows it from now on.

        Returns:
            ``None``: it is none of ours.

        Raises:
            StoreError: The database does not answer.
        """
        named = read_custom_field(custom_field)
        if named is None:
            return None
        dial_id, attempt = named
        known = await self._store.call(call_sid)
        if known is not None and known.placed.dial:
            dial = await self._rows.find(dial_id)
        else:
            dial = await self._store.dial_steps.placed(dial_id, attempt, call_sid, at)
        if dial is None:
            return None
        placed = PlacedCall(dial_id, attempt, dial.number, dial.request)
        if known is None or not known.placed.dial:
            await self.record(call_sid, at, placed)
        return placed

    async def adopt_stream(
        self, call_sid: str, number: str, exophone: str, at: datetime
    ) -> PlacedCall | None:
        """A stream tells of a call that nothing else has: of a static URL, which brings no
        ``CustomField``. It is ours if we are just having this number called from this ExoPhone: a
        later one may be of who saw that we called, and calls back.

        Args:
            number, exophone: E.164.

        Returns:
            ``None``: it is none of ours, for all that is known.

        Raises:
            StoreError: The database does not answer.
        """
        known = await self._rows.of_call(call_sid)
        dial = known or await self._rows.asked_for(number)
        if dial is None or dial.request.caller_id != exophone:
            return None
        attempts = await self._rows.attempts(dial.id)
        rings = timedelta(seconds=dial.request.ring_seconds)
        if not attempts or (known is None and at > attempts[-1].asked_at + rings + TO_STREAM):
            return None
        return await self.adopt(call_sid, custom_field(dial.id, attempts[-1].number), at)

    async def record(self, call_sid: str, at: datetime, placed: PlacedCall) -> None:
        """Have the call's record know what it was placed for. If it cannot be kept now it is kept
        as soon as it can: the dial knows its call by then."""
        if self._recorder is None:
            return
        event = placed_event(call_sid, at, placed)
        try:
            await self._recorder.append(event)
        except StoreError as error:
            _log.warning("placed call not recorded", call_sid=call_sid, error=str(error))
            self._recorder.append_soon(event)

    def wake(self) -> None:
        """Something is due now."""
        self.woken.set()


def new_id() -> str:
    """An id for a dial that nobody can guess, short enough for a ``CustomField``."""
    return secrets.token_hex(8)


def _same(dial: Dial, fingerprint: str) -> Dial:
    if dial.key and dial.fingerprint != fingerprint:
        raise KeyReusedError(dial.id)
    return dial


def _fingerprint(wish: Wish) -> str:
    """Of what is asked, however its number is written."""
    told = {
        "number": normalise(wish.number) or wish.number,
        "template": wish.template,
        "caller_id": normalise(wish.caller_id) or wish.caller_id,
        "variables": dict(wish.variables),
        "mode": wish.mode,
        "not_before": wish.not_before.isoformat() if wish.not_before else "",
    }
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()
