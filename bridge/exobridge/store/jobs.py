"""Work that must not be lost: rows of ``jobs``, each done at least once.

A job is waiting until somebody leases it. Only who holds the lease may settle it, and a lease that
ran out, as its holder died, is taken by the next. One row is leased once at a time, whatever the
number of processes: SQLite's write lock is held from the transaction's first word, and elsewhere
the rows are locked, those of others passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import (
    Column,
    ColumnElement,
    CursorResult,
    Select,
    Update,
    and_,
    delete,
    func,
    or_,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from exobridge.call.events import JSON
from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new
from exobridge.store.tables import jobs as table
from exobridge.store.unbroken import Unbroken, unbroken

MAX_PAGE = 1000
"""Most jobs that one :meth:`Jobs.listed` gives."""

MAX_ERROR_CHARS = 500


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Given up: nobody tries it again unless somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Attributes:
        key: There is one job of a kind for each key.
        call_sid: The call it is about; empty: none.
        payload: What it needs; empty once it is done.
        attempts: How often it has been tried and did not merely have to wait, this time included.
        due_at: Not to be tried before.
        leased_until: While it is running: when another may take it.
        lease: Proves who holds it.
        error: Why it was not done last time, without secrets and numbers.
        done_at: When it was done or given up.
    """

    id: int
    kind: str
    key: str
    call_sid: str
    payload: Mapping[str, JSON]
    state: JobState
    attempts: int
    due_at: datetime
    leased_until: datetime | None
    lease: str
    error: str
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be added, unless its kind has one of this key. See :class:`Job`."""

    kind: str
    key: str
    call_sid: str
    payload: Mapping[str, JSON]
    due_at: datetime


def job_row(job: NewJob, now: datetime) -> dict[str, Any]:
    """A new job as a row."""
    return {
        "kind": job.kind,
        "key": job.key,
        "call_sid": job.call_sid,
        "payload": dict(job.payload),
        "state": JobState.WAITING,
        "due_at": job.due_at,
        "created_at": now,
    }


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left to do, of all processes.

    Attributes:
        waiting: Jobs that are waiting or running, due or not.
        failed: Jobs that were given up.
        oldest_due_at: The due time of the one that is due longest and waits; ``None``: none waits.
    """

    waiting: int = 0
    failed: int = 0
    oldest_due_at: datetime | None = None


class Jobs(Unbroken):
    """The jobs of a store.

    Every method raises :class:`StoreUnavailableError` if the database does not answer.

    Args:
        clock: When a job was made; all other times are given.

    Attributes:
        added: Set when a job was added or hurried by this process; whoever waits clears it.
    """

    def __init__(
        self,
        reader: AsyncEngine,
        writer: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self.added = asyncio.Event()

    # -------------------------------------------------------------- putting in

    @unbroken
    async def add(
        self,
        kind: str,
        key: str,
        payload: Mapping[str, JSON],
        *,
        call_sid: str = "",
        due_at: datetime | None = None,
    ) -> bool:
        """Add a job. It is durable when this returns.

        Args:
            due_at: Not to be tried before; ``None``: at once.

        Returns:
            ``False`` if the kind has a job of this key, whatever its state; nothing changed then.

        Raises:
            StoreRefusedError: Its words cannot be encoded.
        """
        now = self._clock()
        row = job_row(NewJob(kind, key, call_sid, payload, due_at or now), now)
        async with writing(self._writer) as connection:
            insert = insert_new(table, connection.dialect.name).values(row).returning(table.c.id)
            is_new = (await connection.execute(insert)).scalar() is not None
        if is_new:
            self.added.set()
        return is_new

    @unbroken
    async def amend(
        self, kind: str, key: str, payload: Mapping[str, JSON], *, due_at: datetime
    ) -> bool:
        """Lay more over the payload of a job, and have it tried at ``due_at``, even if it was done
        or given up. One that is running keeps its lease, and sees it the next time.

        Returns:
            Whether there is such a job.
        """
        of_key = and_(table.c.kind == kind, table.c.key == key)
        async with writing(self._writer) as connection:
            query = select(table.c.id, table.c.payload, table.c.state).where(of_key)
            row = (await connection.execute(query.with_for_update())).one_or_none()
            if row is None:
                return False
            change: dict[str, Any] = {"payload": {**row.payload, **payload}, "due_at": due_at}
            if row.state in (JobState.DONE, JobState.FAILED):
                change |= {"state": JobState.WAITING, "attempts": 0, "done_at": None}
            await connection.execute(update(table).where(table.c.id == row.id).values(change))
        self.added.set()
        return True

    # -------------------------------------------------------------- doing

    @unbroken
    async def lease(self, kind: str, *, now: datetime, until: datetime, limit: int) -> list[Job]:
        """Take jobs that are due, the longest due first, in one transaction; they count as tried
        once more.

        Args:
            until: When others may take them, unless they are settled or renewed.
        """
        due = (
            select(table.c.id)
            .where(table.c.kind == kind, _is_due(now))
            .order_by(table.c.due_at, table.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        async with writing(self._writer) as connection:
            ids = (await connection.execute(due)).scalars().all()
            change = (
                update(table)
                .where(table.c.id.in_(ids))
                .values(
                    state=JobState.RUNNING,
                    attempts=table.c.attempts + 1,
                    leased_until=until,
                    lease=uuid4().hex,
                )
                .returning(*table.c)
            )
            taken = [_read(row) for row in (await connection.execute(change)).mappings()]
        return sorted(taken, key=lambda job: (job.due_at, job.id))

    async def renew(self, *jobs: Job, until: datetime) -> set[int]:
        """Hold leases for longer, in one transaction.

        Returns:
            The ids of those that are still held; the others are another's, or gone.
        """
        return await self._held(jobs, {"leased_until": until})

    async def done(self, *jobs: Job, now: datetime) -> set[int]:
        """They are done: their payloads are forgotten. See :meth:`renew`."""
        change: dict[str, Any] = {"state": JobState.DONE, "payload": {}, "error": ""}
        return await self._held(jobs, {**change, "done_at": now, **_NO_LEASE})

    async def retry(self, *jobs: Job, at: datetime, error: str, counted: bool = True) -> set[int]:
        """They are to be tried again. See :meth:`renew`.

        Args:
            counted: This try counts; ``False``: it merely had to wait.
        """
        change: dict[str, Any] = {"state": JobState.WAITING, "due_at": at, "error": _cut(error)}
        if not counted:
            change["attempts"] = table.c.attempts - 1
        return await self._held(jobs, {**change, **_NO_LEASE})

    async def fail(self, *jobs: Job, now: datetime, error: str) -> set[int]:
        """They are given up. See :meth:`renew`."""
        change = {"state": JobState.FAILED, "error": _cut(error), "done_at": now}
        return await self._held(jobs, {**change, **_NO_LEASE})

    @unbroken
    async def _held(self, jobs: Sequence[Job], change: Mapping[str, Any]) -> set[int]:
        leases = [(job.id, job.lease) for job in jobs if job.lease]
        held = and_(
            table.c.id.in_([job.id for job in jobs]), tuple_(table.c.id, table.c.lease).in_(leases)
        )
        changed = update(table).where(held).values(change).returning(table.c.id)
        async with writing(self._writer) as connection:
            return set((await connection.execute(changed)).scalars())

    # -------------------------------------------------------------- looking after

    @unbroken
    async def next_due(self, kinds: Collection[str]) -> dict[str, datetime]:
        """When the next job of each of these kinds can be taken, if it has any: a waiting one, or
        one whose lease ends."""
        waiting = _firsts(table.c.due_at, kinds, JobState.WAITING)
        leased = _firsts(table.c.leased_until, kinds, JobState.RUNNING)
        async with reading(self._reader) as connection:
            found = (await connection.execute(union_all(waiting, leased))).all()
        # The later ones first, so that the earliest stands.
        return {row.kind: row.at for row in sorted(found, key=lambda row: row.at, reverse=True)}

    @unbroken
    async def backlog(self, now: datetime) -> Backlog:
        """What is left to do."""
        left = table.c.state.in_([JobState.WAITING, JobState.RUNNING, JobState.FAILED])
        count = select(table.c.state, func.count()).where(left).group_by(table.c.state)
        oldest = select(func.min(table.c.due_at)).where(
            table.c.state == JobState.WAITING, table.c.due_at <= now
        )
        async with reading(self._reader) as connection:
            by_state = {row[0]: row[1] for row in await connection.execute(count)}
            due_at = (await connection.execute(oldest)).scalar()
        waiting = by_state.get(JobState.WAITING, 0) + by_state.get(JobState.RUNNING, 0)
        return Backlog(waiting, by_state.get(JobState.FAILED, 0), due_at)

    @unbroken
    async def listed(
        self, state: JobState | None = None, *, call_sid: str = "", limit: int = 100
    ) -> list[Job]:
        """Jobs, the newest first.

        Args:
            state: Those in this state; ``None``: in any.
            call_sid: Those of this call; empty: of any.
            limit: 1 to ``MAX_PAGE``.

        Raises:
            ValueError: ``limit`` is out of range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}")
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if state is not None:
            query = query.where(table.c.state == state)
        if call_sid:
            query = query.where(table.c.call_sid == call_sid)
        async with reading(self._reader) as connection:
            return [_read(row) for row in (await connection.execute(query)).mappings()]

    async def revive(self, job_id: int, *, now: datetime) -> bool:
        """Have a job tried at once that waits or was given up, as if for the first time.

        Returns:
            Whether there is such a job, waiting or given up.
        """
        idle = table.c.state.in_([JobState.WAITING, JobState.FAILED])
        change = {"state": JobState.WAITING, "attempts": 0, "due_at": now, "done_at": None}
        this = and_(table.c.id == job_id, idle)
        revived = await self._change(update(table).where(this).values(change)) == 1
        if revived:
            self.added.set()
        return revived

    @unbroken
    async def forget(self, before: datetime) -> int:
        """Delete jobs that were done or given up before this; how many."""
        over = table.c.state.in_([JobState.DONE, JobState.FAILED])
        async with writing(self._writer) as connection:
            gone = await connection.execute(delete(table).where(over, table.c.done_at < before))
        return _count(gone)

    @unbroken
    async def _change(self, change: Update) -> int:
        async with writing(self._writer) as connection:
            return _count(await connection.execute(change))


_NO_LEASE = {"lease": "", "leased_until": None}


def _firsts(
    column: Column[datetime], kinds: Collection[str], state: JobState
) -> Select[Any, datetime]:
    """The earliest of a state's times, by kind."""
    wanted = (table.c.kind.in_(kinds), table.c.state == state)
    return select(table.c.kind, func.min(column).label("at")).where(*wanted).group_by(table.c.kind)


def _is_due(now: datetime) -> ColumnElement[bool]:
    waiting = and_(table.c.state == JobState.WAITING, table.c.due_at <= now)
    abandoned = and_(table.c.state == JobState.RUNNING, table.c.leased_until <= now)
    return or_(waiting, abandoned)


def _read(row: Mapping[Any, Any]) -> Job:
    values: dict[str, Any] = {**row, "state": JobState(row["state"])}
    return Job(**values)


def _count(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount


def _cut(error: str) -> str:
    return error[:MAX_ERROR_CHARS]
