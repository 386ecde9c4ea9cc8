"""What one transaction writes: a batch of events and turns, and the calls that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.state import Call, apply
from exobridge.store.engine import insert_new
from exobridge.store.jobs import NewJob, job_row
from exobridge.store.rows import call_row, event_row, read_call, turn_row
from exobridge.store.tables import call_events, calls, jobs, turns

JobBeside = Callable[[CallEvent, Call], NewJob | None]
"""The job that an event leaves behind, if it does, given the call as it stands then: both are
written, or neither."""

_AFTERWARDS = frozenset({EventKind.DETAILS, EventKind.RECORDING})
"""What is told of a call that is known: these make none, so that one that was erased stays so."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What waits to be written, in the order in which it was told."""

    events: Sequence[CallEvent]
    turns: Sequence[Turn]


def write(
    connection: Connection, batch: Batch, jobs_beside: Sequence[JobBeside] = ()
) -> list[bool]:
    """Write a batch, inside the connection's transaction.

    A call's row is made and locked before its events are written, so that two processes that learn
    of one call at once do not overwrite what the other derived.

    Returns:
        Whether each event was new, in the batch's order.
    """
    fresh = _write_events(connection, batch.events, jobs_beside) if batch.events else []
    if batch.turns:
        insert = insert_new(turns, connection.dialect.name)
        connection.execute(insert, [turn_row(turn) for turn in batch.turns])
    return fresh


def _write_events(
    connection: Connection, told: Sequence[CallEvent], jobs_beside: Sequence[JobBeside]
) -> list[bool]:
    call_sids = sorted({event.call_sid for event in told})  # one order, so no deadlock
    _make_calls(connection, [event for event in told if event.kind not in _AFTERWARDS])
    known = _lock_calls(connection, call_sids)
    events = [event for event in told if event.call_sid in known]
    if not events:
        return [False] * len(told)
    insert = insert_new(call_events, connection.dialect.name)
    inserted = connection.execute(
        insert.returning(call_events.c.call_sid, call_events.c.key),
        [event_row(event) for event in events],
    )
    fresh = _firsts(
        [(event.call_sid, event.key) for event in events],
        {(row.call_sid, row.key) for row in inserted},
    )
    changed: dict[str, Call] = {}
    left: list[tuple[NewJob, CallEvent]] = []
    for event, is_new in zip(events, fresh, strict=True):
        if is_new:
            call = apply(changed.get(event.call_sid) or known[event.call_sid], event)
            changed[event.call_sid] = call
            made = (job_beside(event, call) for job_beside in jobs_beside)
            left += [(job, event) for job in made if job is not None]
    _update_calls(connection, changed.values())
    _write_jobs(connection, left)
    fresh_of = iter(fresh)
    return [event.call_sid in known and next(fresh_of) for event in told]


def _make_calls(connection: Connection, events: Sequence[CallEvent]) -> None:
    first = {event.call_sid: event for event in reversed(events)}
    rows = [call_row(apply(None, first[call_sid])) for call_sid in sorted(first)]
    if rows:
        connection.execute(insert_new(calls, connection.dialect.name), rows)


def _lock_calls(connection: Connection, call_sids: Sequence[str]) -> dict[str, Call]:
    """The calls as they stand; SQLite's write lock is held already, elsewhere rows are locked."""
    found = connection.execute(
        select(calls.c.call_sid, calls.c.facts)
        .where(calls.c.call_sid.in_(call_sids))
        .order_by(calls.c.call_sid)
        .with_for_update()
    )
    return {row.call_sid: read_call(row.call_sid, row.facts) for row in found}


def _update_calls(connection: Connection, changed: Iterable[Call]) -> None:
    rows = [{"sid": call.call_sid, **call_row(call)} for call in changed]
    if rows:
        connection.execute(update(calls).where(calls.c.call_sid == bindparam("sid")), rows)


def _write_jobs(connection: Connection, left: Iterable[tuple[NewJob, CallEvent]]) -> None:
    rows = [job_row(job, event.at) for job, event in left]
    if rows:
        connection.execute(insert_new(jobs, connection.dialect.name), rows)


def _firsts(keys: Sequence[tuple[str, str]], inserted: set[tuple[str, str]]) -> list[bool]:
    """Whether each event is the one that was inserted under its key: the first of the batch."""
    left = set(inserted)
    fresh: list[bool] = []
    for key in keys:
        fresh.append(key in left)
        left.discard(key)
    return fresh
