"""Which dials may be called now: one transaction decides, for all processes.

Nobody starves: single dials and each batch take turns, who has waited longest for a call first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    BindParameter,
    Boolean,
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    select,
    update,
)

from exobridge.call.state import State
from exobridge.store.dial_pace import WINDOW, Limits, Traffic
from exobridge.store.dial_rows import read_dial
from exobridge.store.dial_types import Dial, DialOutcome, DialRequest, DialState
from exobridge.store.tables import UNDER_WAY, batches, calls, dial_attempts, dials

Opening = Callable[[DialRequest, datetime], datetime | None]
"""From when on somebody may be called, ``now`` itself or later; ``None``: never."""

Lacks = Callable[[DialRequest], str]
"""What is gone that a call needs, as a sentence; empty: nothing."""

LOOKED_AT = 100
"""Most rows that one transaction looks at: calls under way write to the same database."""

RUNNING, CANCELLED = "running", "cancelled"
"""States of a batch: its people may be called, or are not any more."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a transaction has found.

    Attributes:
        dials: Now claimed.
        ended: How often dials were given up meanwhile, by outcome.
        is_all: It has looked at all that was due and might be called.
    """

    dials: list[Dial]
    ended: list[DialOutcome]
    is_all: bool


@dataclass(slots=True)
class _Source:
    """A batch, or the dials by themselves (``None``)."""

    batch_id: str | None
    room: int


def literal_states(*states: str) -> BindParameter[str]:
    """States that are written out: only then does SQLite see that a partial index holds them."""
    return bindparam("states", list(states), Text(), expanding=True, literal_execute=True)


def under_way() -> ColumnElement[bool]:
    """Dials of which somebody's phone may be ringing."""
    return dials.c.state.in_(literal_states(*UNDER_WAY))


def due_of(batch_id: Any, now: datetime) -> ColumnElement[bool]:
    """Dials of a batch, or of none, that are due."""
    whose = dials.c.batch_id.is_(None) if batch_id is None else dials.c.batch_id == batch_id
    return and_(whose, dials.c.state == DialState.WAITING, dials.c.due_at <= now)


def running_and_due(now: datetime) -> ColumnElement[bool]:
    """Batches that run, and have dials that are due."""
    return and_(batches.c.state == RUNNING, exists().where(due_of(batches.c.id, now)))


def claim(
    connection: Connection,
    now: datetime,
    until: datetime,
    limits: Limits,
    opening: Opening,
    lacks: Lacks,
) -> Claims:
    """Take dials that may be called now.

    Args:
        until: When another may take them, unless Exotel has been asked.
    """
    traffic = traffic_of(connection, now)
    room = traffic.room(limits, now)
    sources = _sources(connection, traffic, now) if room else []
    claimed: list[Dial] = []
    ended: list[DialOutcome] = []
    looked = 0
    while sources and len(claimed) < room and looked < LOOKED_AT:
        source = sources.pop(0)
        dial = _first_due(connection, source, now)
        if dial is None:
            continue
        looked += 1
        at = opening(dial.request, now)
        outcome = _given_up(dial, at, now)
        lack = lacks(dial.request)
        if outcome is not None:
            outcome = DialOutcome.FAILED if lack else outcome
            _end(connection, dial, outcome, now, lack or dial.error)
            ended.append(outcome)
            sources.insert(0, source)
        elif at is not None and at > now:
            looked += _put_off(connection, source, dial, at, now, lack) - 1
            sources.insert(0, source)
        else:
            claimed.append(_take(connection, dial, until))
            source.room -= 1
            if source.room:
                sources.append(source)
    return Claims(claimed, ended, is_all=not sources or len(claimed) == room)


def traffic_of(connection: Connection, now: datetime) -> Traffic:
    """What is under way, and was asked for of late."""
    traffic = Traffic()
    recent = dial_attempts.c.asked_at.between(now - WINDOW, now + WINDOW)
    asked = (
        select(dials.c.batch_id, dial_attempts.c.asked_at)
        .join(dials, dials.c.id == dial_attempts.c.dial_id)
        .where(recent)
    )
    traffic.asked = [(row.batch_id, row.asked_at) for row in connection.execute(asked)]
    # A conversation, or a call that goes on without us: neither takes a place besides.
    inside = [State.ANSWERED, State.STREAMING, State.ENDED]
    seen = and_(dials.c.state == DialState.PLACED, calls.c.state.in_(inside))
    is_inside = case((seen, True), else_=False).cast(Boolean).label("is_inside")
    count = func.count().label("n")
    silent = and_(
        dials.c.state == DialState.UNSURE, func.coalesce(dials.c.leased_until <= now, False)
    )
    open_dials = (
        select(dials.c.batch_id, dials.c.state, is_inside, count)
        .outerjoin(calls, calls.c.call_sid == dials.c.call_sid)
        .where(under_way(), ~silent)
        .group_by(dials.c.batch_id, dials.c.state, is_inside)
    )
    for row in connection.execute(open_dials):
        batch_id = row.batch_id
        traffic.under_way[batch_id] = traffic.under_way.get(batch_id, 0) + row.n
        if row.state == DialState.CLAIMED:
            traffic.claimed[batch_id] = traffic.claimed.get(batch_id, 0) + row.n
        if not row.is_inside:
            traffic.outside += row.n
    return traffic


def minute_is_full(connection: Connection, per_minute: int, now: datetime) -> bool:
    """Whether so many calls have been asked for in the last minute."""
    recent = dial_attempts.c.asked_at.between(now - WINDOW, now + WINDOW)
    count = select(func.count()).select_from(dial_attempts).where(recent)
    return connection.execute(count).scalar_one() >= per_minute


def _sources(connection: Connection, traffic: Traffic, now: datetime) -> list[_Source]:
    """Where dials may be taken from, who had no call for the longest time first."""
    found = [_Source(None, LOOKED_AT)]
    columns = (batches.c.id, batches.c.calls_at_once, batches.c.calls_per_minute)
    for row in connection.execute(select(*columns).where(running_and_due(now))):
        room = traffic.room_of(row.id, row.calls_at_once, row.calls_per_minute, now)
        if room:
            found.append(_Source(row.id, room))
    last = traffic.last_asked()
    waiting = [source for source in found if source.batch_id not in last]
    served = [source for source in found if source.batch_id in last]
    return waiting + sorted(served, key=lambda source: last[source.batch_id])


def _first_due(connection: Connection, source: _Source, now: datetime) -> Dial | None:
    """Whose turn it is, those passed over whose number is being called already."""
    other = dials.alias("other")
    is_called = exists().where(
        other.c.number == dials.c.number, other.c.state.in_(literal_states(*UNDER_WAY))
    )
    query: Select[Any] = (
        select(dials)
        .where(due_of(source.batch_id, now), ~is_called)
        .order_by(dials.c.due_at, dials.c.row)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_dial(row)


def _given_up(dial: Dial, at: datetime | None, now: datetime) -> DialOutcome | None:
    """Whether it is too late for a dial."""
    if dial.give_up_at is not None and dial.give_up_at <= now:
        return DialOutcome.EXPIRED
    if at is None or (dial.give_up_at is not None and at >= dial.give_up_at):
        return DialOutcome.OUT_OF_HOURS
    return None


def _end(
    connection: Connection, dial: Dial, outcome: DialOutcome, now: datetime, error: str
) -> None:
    change = {"state": DialState.DONE, "outcome": outcome, "done_at": now, "error": error}
    connection.execute(_this(dial).values(change))


def _put_off(
    connection: Connection, source: _Source, dial: Dial, at: datetime, now: datetime, error: str
) -> int:
    """Have a dial wait for its hours, and those behind it to which the same apply; how many. At the
    end of a day whole lists are, and one by one they would hold the database for minutes."""
    request = dials.c.request
    alike = and_(
        due_of(source.batch_id, now),
        request["template"].as_string() == dial.request.template,
        request["purpose"].as_string() == dial.request.purpose,
        func.coalesce(dials.c.give_up_at > at, True),
    )
    few = select(dials.c.id).where(alike).order_by(dials.c.due_at, dials.c.row).limit(LOOKED_AT)
    change: dict[str, Any] = {"due_at": at}
    if error:
        change["error"] = error
    put_off = update(dials).where(dials.c.id.in_(few.scalar_subquery())).values(change)
    return len(connection.execute(put_off.returning(dials.c.id)).all())


def _take(connection: Connection, dial: Dial, until: datetime) -> Dial:
    values = {"state": DialState.CLAIMED, "lease": uuid4().hex, "leased_until": until}
    changed = _this(dial).values(values).returning(*dials.c)
    return read_dial(connection.execute(changed).mappings().one())


def _this(dial: Dial) -> Any:
    return update(dials).where(dials.c.id == dial.id)
