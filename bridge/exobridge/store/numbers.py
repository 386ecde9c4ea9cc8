"""The ExoPhones that are kept: rows of ``numbers``. Of those of the environment nothing is kept but
what the account told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exobridge.store.access import reading, writing
from exobridge.store.engine import insert_new
from exobridge.store.tables import numbers as table
from exobridge.store.unbroken import Unbroken, unbroken


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One ExoPhone.

    Attributes:
        number: E.164.
        template: Answers for it; ``None``: nobody does.
        name: Of the user's choice, or the account's.
        applet_app_id: The flow that calls from it go through; empty: the template's.
        exophone_sid: What the account calls it; empty: not known there, when it was asked last.
        flow_url: The account's ``voice_url``, as it was told last.
        synced_at: When the account was asked last; ``None``: never.
    """

    number: str = field(repr=False)
    template: str | None
    name: str
    applet_app_id: str
    exophone_sid: str
    flow_url: str
    region: str
    created_at: datetime
    updated_at: datetime
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class NumberWish:
    """What a user says of a number. Attributes as of :class:`NumberRow`."""

    template: str | None = None
    name: str = ""
    applet_app_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the account tells of a number. Attributes as of :class:`NumberRow`."""

    number: str = field(repr=False)
    name: str
    exophone_sid: str
    flow_url: str
    region: str


@dataclass(frozen=True, slots=True)
class Synced:
    """What a look at the account changed. Numbers in E.164, sorted."""

    added: tuple[str, ...] = field(repr=False)
    changed: tuple[str, ...] = field(repr=False)
    missing: tuple[str, ...] = field(repr=False)


class LastServedError(Exception):
    """It is the last number that somebody answers for."""


class NumberRows(Unbroken):
    """The numbers of a store. Every method raises :class:`StoreUnavailableError` if the database
    does not answer."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        super().__init__()
        self._reader = reader
        self._writer = writer

    async def listed(self) -> list[NumberRow]:
        """All of them, in the numbers' order."""
        async with reading(self._reader) as connection:
            rows = (await connection.execute(select(table).order_by(table.c.number))).mappings()
            return [NumberRow(**row) for row in rows]

    async def get(self, number: str) -> NumberRow | None:
        """One of them; ``None``: it is not kept."""
        query = select(table).where(table.c.number == number)
        async with reading(self._reader) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        return None if row is None else NumberRow(**row)

    async def version(self) -> frozenset[tuple[str, datetime]]:
        """Changes whenever a number is added, changed or removed, also by a clock that is late."""
        query = select(table.c.number, table.c.updated_at)
        async with reading(self._reader) as connection:
            return frozenset((row[0], row[1]) for row in await connection.execute(query))

    @unbroken
    async def put(
        self, number: str, wish: NumberWish, now: datetime, *, only_new: bool, keep_one: bool
    ) -> bool | None:
        """Keep what is said of a number, in place of what was said before.

        Args:
            only_new: Leave one alone that is kept already.
            keep_one: Somebody must answer for some number afterwards, if somebody does now.

        Returns:
            Whether it is new; ``None``: it was left alone.

        Raises:
            LastServedError: Nobody would answer any more.
        """
        async with writing(self._writer) as connection:
            insert = insert_new(table, connection.dialect.name).values(
                number=number, **asdict(wish), created_at=now, updated_at=now
            )
            if (await connection.execute(insert.returning(table.c.number))).scalar():
                return True
            if only_new:
                return None
            if keep_one and wish.template is None:
                await _refuse_last(connection, number)
            this = update(table).where(table.c.number == number)
            await connection.execute(this.values(**asdict(wish), updated_at=now))
            return False

    @unbroken
    async def remove(self, number: str, *, keep_one: bool) -> bool:
        """Forget a number; whether it was kept. ``keep_one`` as in :meth:`put`.

        Raises:
            LastServedError: Nobody would answer any more.
        """
        async with writing(self._writer) as connection:
            if keep_one:
                await _refuse_last(connection, number)
            this = delete(table).where(table.c.number == number)
            gone = (await connection.execute(this.returning(table.c.number))).scalar()
            return gone is not None

    @unbroken
    async def sync(
        self, found: Sequence[Found], expected: Collection[str], now: datetime
    ) -> Synced:
        """Keep what the account tells: new numbers without a template, and of the known ones what
        is the account's to say. What the user said stays.

        Args:
            found: All of the account's.
            expected: Numbers that should be among them, besides those that are kept.
        """
        theirs = {each.number: each for each in found}
        async with writing(self._writer) as connection:
            rows = (await connection.execute(select(table).with_for_update())).mappings().all()
            known = {row.number: row for row in (NumberRow(**row) for row in rows)}
            added = sorted(theirs.keys() - known.keys())
            missing = sorted((known.keys() | set(expected)) - theirs.keys())
            changed = [number for number, row in known.items() if _differs(row, theirs.get(number))]
            insert = insert_new(table, connection.dialect.name)
            for number in added:
                new = {**asdict(theirs[number]), "created_at": now, "updated_at": now}
                await connection.execute(insert.values(**new, synced_at=now))
            for number, row in known.items():
                told = _told(row, theirs.get(number))
                if number in changed:
                    told["updated_at"] = now
                this = update(table).where(table.c.number == number)
                await connection.execute(this.values(**told, synced_at=now))
        return Synced(tuple(added), tuple(sorted(changed)), tuple(missing))

    @unbroken
    async def assigned(self, found: Found, now: datetime) -> None:
        """Keep which flow a number of the account has now."""
        told = {**asdict(found), "updated_at": now, "synced_at": now}
        async with writing(self._writer) as connection:
            insert = insert_new(table, connection.dialect.name)
            await connection.execute(insert.values(**told, created_at=now))
            del told["name"]
            this = update(table).where(table.c.number == found.number)
            await connection.execute(this.values(**told))


def _told(row: NumberRow, found: Found | None) -> dict[str, object]:
    """What the account says of a kept number; of one that it has no more, that it is gone."""
    if found is None:
        return {"exophone_sid": "", "flow_url": ""}
    told = asdict(found)
    told["name"] = row.name or found.name
    return told


def _differs(row: NumberRow, found: Found | None) -> bool:
    kept = asdict(row)
    return any(kept[name] != value for name, value in _told(row, found).items())


async def _refuse_last(connection: AsyncConnection, number: str) -> None:
    query = select(table.c.number).where(table.c.template.is_not(None)).limit(2)
    served = (await connection.execute(query.with_for_update())).scalars().all()
    if served == [number]:
        raise LastServedError
