"""Jobs as they stand in the table, and the lines in which some of them stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import exists, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from exobridge.call.events import JSON
from exobridge.store.tables import jobs as table


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    """Behind another of its line; it waits once that one is over."""
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """Given up: nobody tries it again unless somebody asks for it."""


ACTIVE = (JobState.WAITING, JobState.RUNNING)
"""States of which a line has one job at most."""

OVER = (JobState.DONE, JobState.FAILED)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work.

    Attributes:
        key: There is one job of a kind for each key.
        call_sid: The call it is about; empty: none.
        payload: What it needs; empty once it is done, unless it is of a line: that may be wanted
            again.
        attempts: How often it has been tried and did not merely have to wait, this time included.
        due_at: Not to be tried before.
        leased_until: While it is running: when another may take it.
        lease: Proves who holds it.
        error: Why it was not done last time, without secrets and numbers.
        done_at: When it was done or given up; of one that was wanted again since, when that was.
        line: Jobs of one line are done one after another, in the order in which they were added;
            empty: of none.
    """

    id: int
    kind: str
    key: str
    call_sid: str
    payload: Mapping[str, JSON] = field(repr=False)
    state: JobState
    attempts: int
    due_at: datetime
    leased_until: datetime | None
    lease: str
    error: str
    created_at: datetime
    done_at: datetime | None
    line: str = ""


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be added, unless its kind has one of this key. See :class:`Job`."""

    kind: str
    key: str
    call_sid: str
    payload: Mapping[str, JSON] = field(repr=False)
    due_at: datetime
    line: str = ""


def job_row(job: NewJob, now: datetime) -> dict[str, Any]:
    """A new job as a row. Of a line it is queued: :func:`heads` is for the same transaction."""
    return {
        "kind": job.kind,
        "key": job.key,
        "call_sid": job.call_sid,
        "payload": dict(job.payload),
        "state": JobState.QUEUED if job.line else JobState.WAITING,
        "due_at": job.due_at,
        "created_at": now,
        "line": job.line,
    }


def heads(lines: Collection[str]) -> ReturningUpdate[tuple[int]]:
    """Makes the first queued job of each of these lines wait, where none waits or runs. So at most
    one does, the first that is not over, which the database holds, too
    (``uq_jobs_line_head``).

    Belongs into each transaction that adds jobs to lines, or after which one of them is over; what
    is returned are the jobs that were taken forward.
    """
    other = table.alias()
    active = exists().where(other.c.line == table.c.line, other.c.state.in_(ACTIVE))
    first = (
        select(func.min(table.c.id))
        .where(table.c.line.in_(lines), table.c.state == JobState.QUEUED, ~active)
        .group_by(table.c.line)
    )
    change = update(table).where(table.c.id.in_(first)).values(state=JobState.WAITING)
    return change.returning(table.c.id)


def read_job(row: Mapping[Any, Any]) -> Job:
    """A row as a job."""
    values: dict[str, Any] = {**row, "state": JobState(row["state"])}
    return Job(**values)
