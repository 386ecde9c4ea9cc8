"""Which facts are told, and as what: a job for each, written with the fact itself.

A call is told of once it is ours: it asked for an answer, its stream began, or we had it placed.
``call.ended`` is told whenever such a call comes to its end, and again if what is heard later
changes how it ended; the rule of each stands in ``docs/reference/webhooks.md``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from datetime import datetime

import structlog

from exobridge.call.events import JSON, CallEvent, Decision, EventKind, Turn
from exobridge.call.state import Call, State
from exobridge.store.jobs import NewJob
from exobridge.webhooks import types
from exobridge.webhooks.facts import call_fact, recording_fact, transfer_fact, turn_fact

KIND = "webhook"
"""Of these jobs."""

_log = structlog.stdlib.get_logger("exobridge.webhooks")


def webhook_id(call_sid: str, kind: str, key: str) -> str:
    """The ``webhook-id``: of one fact always the same. What it is made of came from outside, so
    that a header takes only a digest."""
    told = "\0".join((call_sid, kind, key)).encode(errors="surrogatepass")
    return "wh_" + hashlib.blake2b(told, digest_size=12).hexdigest()


class Messages:
    """Makes the jobs; see :class:`~exobridge.store.transaction.Beside`.

    Args:
        wanted: The types that are sent.
    """

    def __init__(self, wanted: Collection[str]) -> None:
        self._wanted = frozenset(wanted)

    def of_event(self, event: CallEvent, before: Call | None, call: Call) -> Sequence[NewJob]:
        """What an event has to tell."""
        return self._guarded(call, lambda: self._of_event(event, before, call))

    def of_turn(self, turn: Turn, call: Call, at: datetime) -> Sequence[NewJob]:
        """What a turn has."""
        key = f"{turn.stream_sid}\0{turn.number}"

        def made() -> list[NewJob]:
            fact: dict[str, JSON] = {"turn": turn_fact(turn)}
            return [_job(types.CALL_TURN, key, call, at, fact)] if _is_ours(call) else []

        return self._guarded(call, made) if types.CALL_TURN in self._wanted else ()

    def _guarded(self, call: Call, make: Callable[[], list[NewJob]]) -> Sequence[NewJob]:
        try:
            return make()
        except Exception as error:  # the fact is kept whatever is wrong here
            _log.error("webhook not made", call_sid=call.call_sid, error=type(error).__name__)
            return ()

    def _of_event(self, event: CallEvent, before: Call | None, call: Call) -> list[NewJob]:
        if not _is_ours(call):
            return []
        told = _told(event, before if before and _is_ours(before) else None, call)
        # Keys of the event: each can bring a call to its end, or a transfer on, once.
        return [
            _job(kind, kind if kind == types.CALL_STARTED else event.key, call, event.at, fact)
            for kind, fact in told.items()
            if kind in self._wanted
        ]


def _told(event: CallEvent, before: Call | None, call: Call) -> dict[str, dict[str, JSON]]:
    """What there is to tell, by type, besides the call itself."""
    told: dict[str, dict[str, JSON]] = {}
    if event.kind is EventKind.PLACED:
        told[types.CALL_PLACED] = {}
    if _has_begun(call) and not (before and _has_begun(before)):
        told[types.CALL_STARTED] = {}
    if call.transfer and _standing(call) != (_standing(before) if before else None):
        told[types.CALL_TRANSFER] = {"transfer": transfer_fact(call, event)}
    if event.kind is EventKind.RECORDING:
        told[types.RECORDING_READY] = {"recording": recording_fact(event)}
    if call.state is State.ENDED and (before is None or call.outcome is not before.outcome):
        told[types.CALL_ENDED] = {"usage": asdict(call.usage)}
    return told


def _is_ours(call: Call) -> bool:
    return bool(call.decision or call.started_at or call.placed.dial)


def _has_begun(call: Call) -> bool:
    is_refused = call.decision in (None, Decision.REFUSE)
    return call.started_at is not None or not is_refused


def _standing(call: Call) -> tuple[str, str, str] | None:
    """What of a transfer makes a difference."""
    transfer = call.transfer
    return (transfer.key, transfer.status.value, transfer.number) if transfer else None


def _job(kind: str, key: str, call: Call, at: datetime, fact: dict[str, JSON]) -> NewJob:
    payload: dict[str, JSON] = {
        "type": kind,
        "timestamp": at.isoformat(),
        "data": {"call": call_fact(call), **fact},
    }
    line = f"{KIND}:{call.call_sid}"
    return NewJob(KIND, webhook_id(call.call_sid, kind, key), call.call_sid, payload, at, line)
