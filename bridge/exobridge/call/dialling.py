"""What a call's events say of the dialling of a human, and of the whole call. No I/O, no clock.

Whom a Connect applet dialled, and what became of it, is told in many places, and any of them may
be missing: whom we answered, the dial events, a Passthru after the Connect applet, the status
callback, the call's details. Each saying is one :class:`Sign`. What Exotel says of the call as a
whole is a :class:`Report`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeVar, cast

from exobridge.call.events import JSON, CallEvent, EventKind

FINAL = frozenset({"completed", "failed", "busy", "no-answer", "canceled"})
"""Exotel's statuses of a call that is over."""

MOST = 100
"""Most signs, and reports, kept of a call: the latest. Ten attempts make fewer than fifty."""


class SignKind(StrEnum):
    """What is said of the dialling."""

    ASKED = "asked"
    """A Connect applet asked, and was told whom to dial."""
    EXHAUSTED = "exhausted"
    """It asked, and was told nobody, or nobody any more."""
    DIALLED = "dialled"
    """A number is dialled, rings, or is done with."""
    REACHED = "reached"
    """A human took the call."""
    MISSED = "missed"
    """The dialling is over, and nobody took the call."""
    HUNG_UP = "hung-up"
    """The caller hung up while a human was dialled."""
    TALKED = "talked"
    """The call had a second leg that talked, so far as its sums tell: less than ``REACHED``."""
    SILENT = "silent"
    """It had none, so far as its sums tell."""


SUMS = frozenset({SignKind.TALKED, SignKind.SILENT})
"""Told after the call, and of all of it."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One saying of the dialling.

    Attributes:
        number: Who is dialled, as it was told; empty: it was not.
        attempt: 1 for the first; 0 where it is not told.
        transfer: Key of the ``transfer-requested`` event; empty where it is not told.
        lasting: A Passthru told it. Its parameters stay with the call: they may be of a dialling
            before.
    """

    at: datetime
    kind: SignKind
    number: str = ""
    attempt: int = 0
    transfer: str = ""
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What Exotel says of the whole call; ``None``, or empty: it does not say.

    Attributes:
        at: When it was told.
        source: ``passthru``, ``status`` (the callback) or ``details``.
        status: Exotel's word, in lower case.
        ended_at: When the call ended, by Exotel's clock.
        seconds: How long it lasted.
        talked_seconds: How long two legs were connected.
        price: What Exotel takes for it, in the account's currency.
    """

    at: datetime
    source: str
    status: str
    ended_at: datetime | None = None
    seconds: int | None = None
    talked_seconds: int | None = None
    price: float | None = None

    @property
    def is_final(self) -> bool:
        """Whether the call is over."""
        return self.status in FINAL

    @property
    def is_summary(self) -> bool:
        """Whether it was told of the whole call, after it. A Passthru tells how the call stands in
        the flow, which may go on."""
        return self.is_final and self.source != EventKind.PASSTHRU

    @property
    def over_at(self) -> datetime:
        """When the call ended; it cannot have ended after this was told."""
        return min(self.ended_at or self.at, self.at)


class _Dated(Protocol):
    @property
    def at(self) -> datetime: ...


_Told = TypeVar("_Told", bound=_Dated)
_Number = TypeVar("_Number", int, float)


def with_more(known: Sequence[_Told], told: Iterable[_Told]) -> tuple[_Told, ...]:
    """All of both, each once, by time; of very many the latest ``MOST``, whatever the order in
    which they came."""
    return tuple(sorted({*known, *told}, key=lambda one: (one.at, repr(one)))[-MOST:])


def signs_of(event: CallEvent) -> list[Sign]:
    """What an event says of the dialling."""
    match event.kind:
        case EventKind.DIAL_ASKED:
            return _asked(event)
        case EventKind.DIAL:
            reached = text(event, "event_type").lower() == "answered"
            kind = SignKind.REACHED if reached else SignKind.DIALLED
            return [Sign(event.at, kind, text(event, "number"))]
        case EventKind.PASSTHRU:
            return _after_connect(event)
        case EventKind.STATUS | EventKind.DETAILS:
            return _sums(event)
        case _:
            return []


def reports_of(event: CallEvent) -> list[Report]:
    """What an event says of the whole call. A callback for the event ``answered`` tells no end,
    whatever its status."""
    if event.kind is EventKind.PASSTHRU:
        return [Report(event.at, event.kind.value, word) for word in _end_told(event)]
    if event.kind not in (EventKind.STATUS, EventKind.DETAILS):
        return []
    was_answered = text(event, "event_type") == "answered"
    price = event.data.get("price")
    return [
        Report(
            event.at,
            event.kind.value,
            "in-progress" if was_answered else text(event, "status"),
            _time(event, "ended_at"),
            _whole(event.data, "seconds"),
            _whole(event.data, "conversation_seconds"),
            float(price) if isinstance(price, int | float) else None,
        )
    ]


_OVER_TYPES = frozenset({"completed", "client-hangup", "incomplete", "voicemail"})
"""``CallType`` behind a Connect applet: the flow has little left."""


def _end_told(event: CallEvent) -> list[str]:
    """The status of a call that a Passthru says is over. ``CallType`` counts where ``CallStatus``
    does not tell, and says by itself that the caller hung up."""
    told, call_type = text(event, "call_status"), text(event, "call_type")
    if told in FINAL:
        return [told]
    is_over = call_type == "client-hangup" or (not told and call_type in _OVER_TYPES)
    return ["completed"] if is_over else []


_BELIEVED = (EventKind.PASSTHRU, EventKind.STATUS, EventKind.DETAILS)
"""Sources of reports, the best last."""


def together(reports: Sequence[Report]) -> Report | None:
    """All reports of a call as one; ``None`` without any.

    Of two that tell the same thing, the one that is final counts before one that is not, the call's
    details before the callback and that before a Passthru, and the later before the earlier.
    """
    told = sorted(reports, key=lambda r: (r.is_final, _BELIEVED.index(EventKind(r.source)), r.at))
    if not told:
        return None
    best = told[-1]
    for other in reversed(told[:-1]):
        best = Report(
            best.at,
            best.source,
            best.status or other.status,
            best.ended_at or other.ended_at,
            _either(best.seconds, other.seconds),
            _either(best.talked_seconds, other.talked_seconds),
            _either(best.price, other.price),
        )
    return best


def _either(first: _Number | None, second: _Number | None) -> _Number | None:
    return second if first is None else first


def text(event: CallEvent, name: str) -> str:
    """A text of the event's data; empty where there is none."""
    value = event.data.get(name)
    return value if isinstance(value, str) else ""


def _asked(event: CallEvent) -> list[Sign]:
    numbers, transfer = event.data.get("numbers"), text(event, "transfer")
    if isinstance(numbers, list | tuple) and numbers:
        attempt = _whole(event.data, "attempt") or 0
        return [Sign(event.at, SignKind.ASKED, str(numbers[0]), attempt, transfer)]
    # Asked while no transfer was pending, nobody is dialled, which says nothing of any.
    return [Sign(event.at, SignKind.EXHAUSTED, transfer=transfer)] if transfer else []


def _after_connect(event: CallEvent) -> list[Sign]:
    """What a Passthru tells after a Connect applet. ``CallType`` is ``call-attempt`` where there
    was none, which says nothing."""
    dialled, call_type = text(event, "dial_status"), text(event, "call_type")
    number, legs = text(event, "dial_whom"), _legs(event)
    talked = [leg for leg in legs if (_whole(leg, "seconds") or 0) > 0]
    if "completed" in (dialled, call_type) or talked:
        whom = str(talked[-1].get("number") or "") if talked else ""
        return [Sign(event.at, SignKind.REACHED, whom or number, lasting=True)]
    if call_type == "client-hangup":
        return [Sign(event.at, SignKind.HUNG_UP, number, lasting=True)]
    silent = legs and all(_whole(leg, "seconds") == 0 for leg in legs)
    if dialled in FINAL or call_type in ("incomplete", "voicemail") or silent:
        return [Sign(event.at, SignKind.MISSED, number, lasting=True)]
    return []


def _sums(event: CallEvent) -> list[Sign]:
    """What the call's sums tell of a second leg. The first leg is the caller's own; in a call that
    was placed he converses with the bot, too."""
    conversation = _whole(event.data, "conversation_seconds")
    talked = [] if conversation and text(event, "direction") == "outgoing" else [conversation]
    talked += [_whole(leg, "seconds") for leg in _legs(event)[1:]]
    known = [seconds for seconds in talked if seconds is not None]
    if not known:
        return []
    return [Sign(event.at, SignKind.TALKED if any(s > 0 for s in known) else SignKind.SILENT)]


def _legs(event: CallEvent) -> list[Mapping[str, JSON]]:
    legs = event.data.get("legs")
    if not isinstance(legs, list | tuple):
        return []
    return [cast("Mapping[str, JSON]", leg) for leg in legs if isinstance(leg, Mapping)]


def _whole(data: Mapping[str, JSON], name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) else None


def _time(event: CallEvent, name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text(event, name))
    except ValueError:
        return None
    return found if found.utcoffset() is not None else None
