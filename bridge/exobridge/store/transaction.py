"""What one transaction writes: events and turns, the calls that follow from them, and jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

from sqlalchemy import Connection, bindparam, select, update

from exobridge.call.events import CallEvent, EventKind, Turn
from exobridge.call.state import Call, apply
from exobridge.store.engine import insert_new
from exobridge.store.job_rows import NewJob, heads, job_row
from exobridge.store.rows import call_row, event_row, read_call, turn_row
from exobridge.store.tables import call_events, calls, jobs, turns

JobBeside = Callable[[CallEvent, Call], NewJob | None]
"""The job that an event leaves behind, if it does, given the call as it stands then: both are
written, or neither."""


class Beside(Protocol):
    """Says which jobs facts leave behind, several for one fact too. It must not raise."""

    def of_event(self, event: CallEvent, before: Call | None, call: Call) -> Sequence[NewJob]:
        """Those of an event, given the call as it stood before it (``None``: nothing was known of
        it) and as it stands now."""
        ...

    def of_turn(self, turn: Turn, call: Call, at: datetime) -> Sequence[NewJob]:
        """Those of a turn, given the call as it stands; ``at`` is when it is written."""
        ...


WAKE_SECONDS = 0.1
"""From a commit with jobs that are due to the wake of who does them: facts come one by one, and to
look after each would cost the calls."""


@dataclass(slots=True)
class Besides:
    """All that say so.

    Attributes:
        added: Set soon after jobs that are due were committed.
    """

    events: list[JobBeside] = field(default_factory=list[JobBeside])
    all: list[Beside] = field(default_factory=list[Beside])
    added: asyncio.Event = field(default_factory=asyncio.Event)
    _is_waking: bool = False

    def wake_soon(self) -> None:
        """Jobs that are due have been committed."""
        if not self._is_waking:
            self._is_waking = True
            asyncio.get_running_loop().call_later(WAKE_SECONDS, self._wake)

    def _wake(self) -> None:
        self._is_waking = False
        self.added.set()


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction has written.

    Attributes:
        is_new: Whether each was new, in the order in which it was told.
        has_due: Jobs were left that can be done now.
    """

    is_new: list[bool]
    has_due: bool


_AFTERWARDS = frozenset({EventKind.DETAILS, EventKind.RECORDING})
"""What is told of a call that is known: these make none, so that one that was erased stays so."""


def write(
    connection: Connection,
    told: Sequence[CallEvent | Turn],
    besides: Besides,
    now: datetime,
) -> Written:
    """Write what was told, in its order, inside the connection's transaction.

    A call's row is made and locked before its events are written, so that two processes that learn
    of one call at once do not overwrite what the other derived.

    Args:
        now: When turns are written; events tell their own time.
    """
    events = [what for what in told if isinstance(what, CallEvent)]
    turns_told = [what for what in told if isinstance(what, Turn)]
    made = _make_calls(connection, [event for event in events if event.kind not in _AFTERWARDS])
    concerned = told if besides.all else events
    known = _lock_calls(connection, sorted({what.call_sid for what in concerned}))
    fresh_events = _write_events(connection, [e for e in events if e.call_sid in known])
    fresh_turns = _write_turns(connection, turns_told) if turns_told else set[_TurnKey]()
    changed: dict[str, Call] = {}
    left: list[tuple[NewJob, datetime]] = []
    is_new: list[bool] = []
    for what in told:
        call = changed.get(what.call_sid) or known.get(what.call_sid)
        if isinstance(what, Turn):
            is_new.append(_turn_key(what) in fresh_turns)
            fresh_turns.discard(_turn_key(what))
            if is_new[-1] and call is not None:
                of_turn = (job for each in besides.all for job in each.of_turn(what, call, now))
                left += [(job, now) for job in of_turn]
            continue
        is_new.append(call is not None and next(fresh_events))
        if is_new[-1]:
            before = None if what.call_sid in made and what.call_sid not in changed else call
            changed[what.call_sid] = call = apply(before, what)
            left += [(job, what.at) for job in _left(besides, what, before, call)]
    _update_calls(connection, changed.values())
    return Written(is_new, _write_jobs(connection, left, now))


def _left(besides: Besides, event: CallEvent, before: Call | None, call: Call) -> list[NewJob]:
    ones = (job_beside(event, call) for job_beside in besides.events)
    several = (job for beside in besides.all for job in beside.of_event(event, before, call))
    return [*(job for job in ones if job is not None), *several]


def _write_events(connection: Connection, events: Sequence[CallEvent]) -> Iterator[bool]:
    """Whether each of them is new."""
    if not events:
        return iter(())
    insert = insert_new(call_events, connection.dialect.name)
    inserted = connection.execute(
        insert.returning(call_events.c.call_sid, call_events.c.key),
        [event_row(event) for event in events],
    )
    keys = [(event.call_sid, event.key) for event in events]
    return iter(_firsts(keys, {(row.call_sid, row.key) for row in inserted}))


def _write_turns(connection: Connection, told: Sequence[Turn]) -> set[_TurnKey]:
    """Which of them are new."""
    insert = insert_new(turns, connection.dialect.name)
    key = (turns.c.call_sid, turns.c.stream_sid, turns.c.number)
    inserted = connection.execute(insert.returning(*key), [turn_row(turn) for turn in told])
    return {(row.call_sid, row.stream_sid, row.number) for row in inserted}


_TurnKey: TypeAlias = "tuple[str, str, int]"


def _turn_key(turn: Turn) -> _TurnKey:
    return turn.call_sid, turn.stream_sid, turn.number


def _make_calls(connection: Connection, events: Sequence[CallEvent]) -> set[str]:
    """Make the calls of which nothing is known; those that are new, their first event applied."""
    first = {event.call_sid: event for event in reversed(events)}
    rows = [call_row(apply(None, first[call_sid])) for call_sid in sorted(first)]
    if not rows:
        return set()
    insert = insert_new(calls, connection.dialect.name).returning(calls.c.call_sid)
    return set(connection.execute(insert, rows).scalars())


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


def _write_jobs(
    connection: Connection, left: Sequence[tuple[NewJob, datetime]], now: datetime
) -> bool:
    """Whether there is one that can be done now: none that waits for another of its line."""
    if not left:
        return False
    rows = [job_row(job, at) for job, at in left]
    connection.execute(insert_new(jobs, connection.dialect.name), rows)
    due = [job.line for job, _ in left if job.due_at <= now]
    if lines := {job.line for job, _ in left if job.line}:
        has_gone_on = connection.execute(heads(lines)).first() is not None
        return has_gone_on if any(due) else "" in due
    return bool(due)


def _firsts(keys: Sequence[tuple[str, str]], inserted: set[tuple[str, str]]) -> list[bool]:
    """Whether each event is the one that was inserted under its key: the first of the batch."""
    left = set(inserted)
    fresh: list[bool] = []
    for key in keys:
        fresh.append(key in left)
        left.discard(key)
    return fresh
