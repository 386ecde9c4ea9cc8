"""``/api/v1/health``: how the server is, for those who operate it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from pydantic import Field

from exobridge.account_limit import AccountWatch
from exobridge.desk import Desk
from exobridge.outbound.dialler import Dialler
from exobridge.settings import Settings
from exobridge.store import Store, StoreError
from exobridge.store.jobs import Backlog
from exobridge.web.control.operation import Asked, Model, Operation, Role


class DatabaseModel(Model):
    """The database, as this process sees it."""

    ready: bool = Field(description="Whether it answers and the writer works.")
    pending: int = Field(description="Facts that wait to be written.")
    dropped: int = Field(description="Facts that were given up since the start.")


class BacklogModel(Model):
    """Jobs that are to be done, of all processes, as counted last."""

    waiting: int = Field(description="Not done yet.")
    failed: int = Field(description="Given up.")
    oldest_due_at: datetime | None = Field(description="Null: none waits that is due.")


class AccountModel(Model):
    """What Exotel says of the account's streams."""

    active: int = Field(description="Open ones.")
    limit: int | None = Field(description="The most there may be; null: not told.")


class DialsModel(Model):
    """People to call, as counted last."""

    waiting: int = Field(description="Still to be called, due or not.")
    under_way: int = Field(description="Being called, or they may be.")
    trouble: str = Field(
        description="Why nobody is called at present, as Exotel says it; empty: nothing is wrong."
    )


class HealthModel(Model):
    """How the server is."""

    version: str = Field(description="Of exobridge.")
    ready: bool = Field(description="Whether this process takes calls.")
    draining: bool = Field(description="Whether it is stopping.")
    workers: int = Field(description="Processes that serve together.")
    calls: int = Field(description="Conversations of the whole server.")
    max_calls: int = Field(description="The most there may be.")
    database: DatabaseModel = Field(description="Where the record is.")
    jobs: BacklogModel = Field(description="Work that must not be lost.")
    dials: DialsModel | None = Field(
        description="Null: another process places the calls, or Exotel's credentials are not set."
    )
    exotel: AccountModel | None = Field(
        description="Null: it is not asked, cannot be reached, or another process asks."
    )
    problems: list[str] = Field(description="Why it is not ready, as `/health/ready` tells it.")


@dataclass(frozen=True, slots=True)
class HealthSources:
    """Where the health is read.

    Attributes:
        problems: Why no calls can be taken; empty: they can.
        account: ``None``: Exotel is not asked.
        dialler: ``None``: it is another process's, or nobody is called.
    """

    settings: Settings
    store: Store
    desk: Desk
    backlog: Callable[[], Backlog]
    problems: Callable[[], Awaitable[list[str]]]
    account: Callable[[], AccountWatch | None]
    dialler: Callable[[], Dialler | None]


def operations(sources: HealthSources) -> list[Operation]:
    """The part of the API that tells of the server."""

    async def health(asked: Asked) -> HealthModel:
        del asked
        return await _health(sources)

    return [
        Operation(
            method="GET",
            path="/api/v1/health",
            name="getHealth",
            tag="Health",
            role=Role.VIEWER,
            summary="Get the server's health",
            description="Answered with 200 also where calls cannot be taken: `ready` says it.",
            result=HealthModel,
            handler=health,
        )
    ]


async def _health(sources: HealthSources) -> HealthModel:
    problems = await sources.problems()
    watch = sources.account()
    latest = watch.latest if watch is not None else None
    backlog = sources.backlog()
    return HealthModel(
        version=version("exobridge"),
        ready=not problems,
        draining=sources.desk.is_draining,
        workers=sources.settings.workers,
        calls=await sources.desk.admission.total(),
        max_calls=sources.settings.max_calls,
        database=await _database(sources.store),
        jobs=BacklogModel(**_fields(backlog)),
        dials=_dials(sources.dialler()),
        exotel=AccountModel(active=latest.active, limit=latest.limit) if latest else None,
        problems=problems,
    )


def _dials(dialler: Dialler | None) -> DialsModel | None:
    if dialler is None:
        return None
    waiting, under_way = dialler.waiting, dialler.under_way
    return DialsModel(waiting=waiting, under_way=under_way, trouble=dialler.trouble)


def _fields(backlog: Backlog) -> dict[str, Any]:
    return {name: getattr(backlog, name) for name in BacklogModel.model_fields}


async def _database(store: Store) -> DatabaseModel:
    try:
        await store.ping()
        ready = True
    except StoreError:
        ready = False
    return DatabaseModel(ready=ready, pending=store.pending, dropped=store.dropped)
