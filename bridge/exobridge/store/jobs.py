"""Work that must not be lost: rows of ``jobs``, each done at least once.

A job is waiting until somebody leases it. Only who holds the lease may settle it, and a lease that
ran out, as its holder died, is taken by the next. One row is leased once at a time, whatever the
number of processes: SQLite's write lock is held from the transaction's first word, and elsewhere
the rows are locked, those of others passed over.

Jobs of one *line* are done one after another: one is leased only once all that were added before it
are done or given up. Those behind are *queued*, and cost nothing while they are; see
:func:`exobridge.store.job_rows.heads`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import (
    Column,
    CursorResult,
    Select,
    and_,
    case,
    delete,
    func,
    literal,
    select,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exobridge.call.events import JSON
from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new
from exobridge.store.job_rows import (
    OVER,
    Job,
    JobState,
    NewJob,
    heads,
    job_row,
    read_job,
)
from exobridge.store.tables import jobs as table
from exobridge.store.unbroken import Unbroken, unbroken

__all__ = ["MAX_ERROR_CHARS", "MAX_PAGE", "Backlog", "Job", "JobState", "Jobs", "NewJob", "job_row"]

MAX_PAGE = 1000
"""Most jobs that one :meth:`Jobs.listed` gives."""

MAX_ERROR_CHARS = 500


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is left to do, of all processes.

    Attributes:
        waiting: Jobs that are queued, waiting or running, due or not.
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
        added: Set by others, too, that add jobs.

    Attributes:
        added: Set when a job was added or hurried by this process; whoever waits clears it.
    """

    def __init__(
        self,
        reader: AsyncEngine,
        writer: AsyncEngine,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        added: asyncio.Event | None = None,
    ) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer
        self._clock = clock
        self.added = added or asyncio.Event()

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
        line: str = "",
    ) -> bool:
        """Add a job. It is durable when this returns.

        Args:
            due_at: Not to be tried before; ``None``: at once.
            line: In which it stands; empty: in none.

        Returns:
            ``False`` if the kind has a job of this key, whatever its state; nothing changed then.

        Raises:
            StoreRefusedError: Its words cannot be encoded.
        """
        now = self._clock()
        row = job_row(NewJob(kind, key, call_sid, payload, due_at or now, line), now)
        async with writing(self._writer) as connection:
            insert = insert_new(table, connection.dialect.name).values(row).returning(table.c.id)
            is_new = (await connection.execute(insert)).scalar() is not None
            await _go_on(connection, {line})
        if is_new:
            self.added.set()
        return is_new

    @unbroken
    async def amend(
        self, kind: str, key: str, payload: Mapping[str, JSON], *, due_at: datetime
    ) -> bool:
        """Lay more over the payload of a job, and have it tried at ``due_at``, even if it was done
        or given up. One that is running keeps its lease, and sees it the next time. Not for jobs
        of a line.

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
        waiting = _due(kind, JobState.WAITING, table.c.due_at, now, limit)
        abandoned = _due(kind, JobState.RUNNING, table.c.leased_until, now, limit)
        async with writing(self._writer) as connection:
            found = [
                *(await connection.execute(abandoned)).all(),
                *(await connection.execute(waiting)).all(),
            ]
            ids = [job_id for _, job_id in sorted((at, job_id) for job_id, at in found)[:limit]]
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
            taken = [read_job(row) for row in (await connection.execute(change)).mappings()]
        return sorted(taken, key=lambda job: (job.due_at, job.id))

    async def renew(self, *jobs: Job, until: datetime) -> set[int]:
        """Hold leases for longer, in one transaction.

        Returns:
            The ids of those that are still held; the others are another's, or gone.
        """
        return await self._held(jobs, {"leased_until": until})

    async def done(self, *jobs: Job, now: datetime) -> set[int]:
        """They are done: their payloads are forgotten, but of those of a line. See
        :meth:`renew`."""
        payload = case((table.c.line == "", literal({}, table.c.payload.type)), else_=_PAYLOAD)
        change: dict[str, Any] = {"state": JobState.DONE, "payload": payload, "error": ""}
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
            ids = set((await connection.execute(changed)).scalars())
            has_gone_on = await _go_on(connection, {job.line for job in jobs})
        if has_gone_on:
            self.added.set()
        return ids

    # -------------------------------------------------------------- looking after

    @unbroken
    async def next_due(self, kinds: Collection[str]) -> dict[str, datetime]:
        """When the next job of each of these kinds can be taken, if it has any: a waiting one, or
        one whose lease ends."""
        firsts = [
            _first(column, kind, state)
            for kind in kinds
            for column, state in (
                (table.c.due_at, JobState.WAITING),
                (table.c.leased_until, JobState.RUNNING),
            )
        ]
        if not firsts:
            return {}
        async with reading(self._reader) as connection:
            rows = (await connection.execute(union_all(*firsts))).all()
        found = [row for row in rows if row.at is not None]
        # The later ones first, so that the earliest stands.
        return {row.kind: row.at for row in sorted(found, key=lambda row: row.at, reverse=True)}

    @unbroken
    async def backlog(self, now: datetime) -> Backlog:
        """What is left to do."""
        left = table.c.state != JobState.DONE
        count = select(table.c.state, func.count()).where(left).group_by(table.c.state)
        oldest = select(func.min(table.c.due_at)).where(
            table.c.state == JobState.WAITING, table.c.due_at <= now
        )
        async with reading(self._reader) as connection:
            by_state = {row[0]: row[1] for row in await connection.execute(count)}
            due_at = (await connection.execute(oldest)).scalar()
        failed = by_state.pop(JobState.FAILED, 0)
        return Backlog(sum(by_state.values()), failed, due_at)

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
            return [read_job(row) for row in (await connection.execute(query)).mappings()]

    @unbroken
    async def found(
        self,
        kind: str,
        *,
        states: Collection[JobState] = (),
        call_sid: str = "",
        since: datetime | None = None,
        before: int | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> list[Job]:
        """Jobs of a kind, the newest first; with ``after`` the oldest.

        Args:
            states: Those in these states; empty: in any.
            call_sid: Those of this call; empty: of any.
            since: Those that were added at or after this time, aware.
            before: Those with a smaller id, ``after`` those with a greater one.
            limit: 1 to ``MAX_PAGE``.

        Raises:
            ValueError: ``limit`` is out of range.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}")
        order = table.c.id.desc() if after is None else table.c.id
        # Of the ids first, by an index alone: there may be many, and what they hold is long.
        ids = select(table.c.id).where(table.c.kind == kind).order_by(order).limit(limit)
        if states:
            ids = ids.where(table.c.state.in_(states))
        if call_sid:
            ids = ids.where(table.c.call_sid == call_sid)
        if since is not None:
            ids = ids.where(table.c.created_at >= since)
        if before is not None:
            ids = ids.where(table.c.id < before)
        if after is not None:
            ids = ids.where(table.c.id > after)
        query = select(table).where(table.c.id.in_(ids)).order_by(order)
        async with reading(self._reader) as connection:
            return [read_job(row) for row in (await connection.execute(query)).mappings()]

    @unbroken
    async def get(self, kind: str, key: str) -> Job | None:
        """The job of a kind with this key; ``None``: there is none."""
        query = select(table).where(table.c.kind == kind, table.c.key == key)
        async with reading(self._reader) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else read_job(row)

    async def revive(self, job_id: int, *, now: datetime) -> bool:
        """Have a job tried at once that waits or was given up, as if for the first time. One of a
        line takes its place there; what is behind another there cannot be hurried.

        Returns:
            Whether there is such a job, waiting or given up.
        """
        change = {"attempts": 0, "due_at": now, "done_at": None}
        hurried = and_(table.c.id == job_id, table.c.state == JobState.WAITING)
        async with writing(self._writer) as connection:
            waits = _count(await connection.execute(update(table).where(hurried).values(change)))
        return bool(waits) or bool(await self.again([job_id], now=now, states={JobState.FAILED}))

    @unbroken
    async def again(
        self, job_ids: Collection[int], *, now: datetime, states: Collection[JobState] = OVER
    ) -> set[int]:
        """Have jobs done once more, as if for the first time; those of a line in its order. What
        is done keeps its payload in lines only: for others ``states`` is those given up.

        Args:
            job_ids: At most ``MAX_PAGE``.

        Returns:
            The ids of those that were in one of these states.
        """
        which = and_(table.c.id.in_(job_ids), table.c.state.in_(states))
        state = case((table.c.line == "", JobState.WAITING), else_=JobState.QUEUED)
        done_at = case((table.c.line == "", None), else_=now)
        change = {"state": state, "attempts": 0, "due_at": now, "done_at": done_at, "error": ""}
        again = update(table).where(which).values(change).returning(table.c.id, table.c.line)
        async with writing(self._writer) as connection:
            rows = (await connection.execute(again)).all()
            await _go_on(connection, {row.line for row in rows})
        if rows:
            self.added.set()
        return {row.id for row in rows}

    @unbroken
    async def expire(self, kind: str, before: datetime, *, now: datetime, limit: int) -> int:
        """Give up jobs that nobody is at, and that were added, or wanted again, before this.

        Args:
            limit: Of those that go at once.

        Returns:
            How many that were.
        """
        since = func.coalesce(table.c.done_at, table.c.created_at)
        idle = table.c.state.in_([JobState.QUEUED, JobState.WAITING])
        old = select(table.c.id).where(table.c.kind == kind, idle, since < before).limit(limit)
        change = {"state": JobState.FAILED, "error": "not done in time", "done_at": now}
        expired = update(table).where(table.c.id.in_(old)).values(change).returning(table.c.line)
        async with writing(self._writer) as connection:
            lines = (await connection.execute(expired)).scalars().all()
            await _go_on(connection, set(lines))
        return len(lines)

    @unbroken
    async def forget(self, before: datetime, *, but: Collection[str] = (), kind: str = "") -> int:
        """Delete jobs that were done or given up before this; how many.

        Args:
            but: Not those of these kinds.
            kind: Only those of this kind; empty: of any.
        """
        old = delete(table).where(table.c.state.in_(OVER), table.c.done_at < before)
        if but:
            old = old.where(table.c.kind.not_in(but))
        if kind:
            old = old.where(table.c.kind == kind)
        async with writing(self._writer) as connection:
            return _count(await connection.execute(old))


_NO_LEASE = {"lease": "", "leased_until": None}
_PAYLOAD = table.c.payload


async def _go_on(connection: AsyncConnection, lines: Collection[str]) -> bool:
    """Let the next of these lines wait where it is its turn; whether one does now."""
    named = [line for line in lines if line]
    return bool(named) and (await connection.execute(heads(named))).first() is not None


def _first(column: Column[datetime], kind: str, state: JobState) -> Select[Any, datetime]:
    """The earliest of a kind's times in a state."""
    of_kind = (table.c.kind == kind, table.c.state == state)
    return select(literal(kind).label("kind"), func.min(column).label("at")).where(*of_kind)


def _due(
    kind: str, state: JobState, column: Column[datetime], now: datetime, limit: int
) -> Select[Any, Any]:
    """Jobs of a kind in a state whose time has come, with their due time, the longest due first."""
    return (
        select(table.c.id, table.c.due_at)
        .where(table.c.kind == kind, table.c.state == state, column <= now)
        .order_by(table.c.due_at, table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _count(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount


def _cut(error: str) -> str:
    return error[:MAX_ERROR_CHARS]
