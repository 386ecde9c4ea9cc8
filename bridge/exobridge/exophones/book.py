"""The book of numbers in force: the environment's, and below them those that are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import structlog

from exobridge.numbers import DEFAULT_TEMPLATE, NumberBook, mask, normalise
from exobridge.store import StoreError
from exobridge.store.numbers import NumberRow, NumberRows
from exobridge.templates import Templates

PERIOD_SECONDS = 2.0
"""How often it is looked whether another process has changed a number."""

_log = structlog.stdlib.get_logger("exobridge")


class LiveBook:
    """Which template answers for which ExoPhone, now. To be asked like a
    :class:`~exobridge.numbers.NumberBook`; no answer waits for the database.

    Only a number with a template closes the door for others: what the account alone is known for
    changes nothing about who is served. A number whose template is gone is served by nobody.

    Args:
        environment: Wins, and does not change.
        templates: Those in force.

    Attributes:
        in_force: The templates.
    """

    def __init__(
        self,
        environment: NumberBook,
        templates: Templates,
        rows: Sequence[NumberRow] = (),
    ) -> None:
        self.environment = environment
        self.in_force = templates
        self._rows: dict[str, NumberRow] = {}
        self._entries: Mapping[str, str] | None = None
        self._vanished: frozenset[str] = frozenset()
        self._tellers: list[Callable[[], None]] = []
        self.use_rows(rows)

    # -------------------------------------------------------------- asked by calls

    @property
    def entries(self) -> Mapping[str, str] | None:
        """Template names by E.164 number; ``None``: every number gets ``default``."""
        return self._entries

    @property
    def is_set(self) -> bool:
        """Whether any number has a template."""
        return self._entries is not None

    @property
    def templates(self) -> frozenset[str]:
        """Names of the templates that answer for some number; all are in force."""
        if self._entries is None:
            return frozenset({DEFAULT_TEMPLATE})
        return frozenset(self._entries.values()) & self.in_force.keys()

    def template_for(self, number: str | None) -> str | None:
        """The template of an ExoPhone, written in any way; ``None``: nobody answers for it."""
        if self._entries is None:
            return DEFAULT_TEMPLATE
        found = self._entries.get(normalise(number) or "")
        return found if found in self.in_force else None

    def applet_app_id_for(self, number: str | None) -> str:
        """The flow that calls from this number go through; empty: its template's."""
        row = self._rows.get(normalise(number) or "")
        return row.applet_app_id if row is not None else ""

    # -------------------------------------------------------------- kept up to date

    def on_change(self, tell: Callable[[], None]) -> None:
        """Have this told whenever other templates answer."""
        self._tellers.append(tell)

    def use_templates(self, templates: Templates) -> None:
        """These are in force now."""
        self.in_force = templates
        self._tell_vanished()

    def use_rows(self, rows: Sequence[NumberRow]) -> None:
        """These are kept now."""
        before = self.templates
        self._rows = {row.number: row for row in rows}
        served = {row.number: row.template for row in rows if row.template is not None}
        environment = self.environment.entries
        if environment is not None or served:
            self._entries = MappingProxyType({**served, **(environment or {})})
        else:
            self._entries = None
        self._tell_vanished()
        if self.templates != before:
            for tell in self._tellers:
                tell()

    def missing(self, templates: Collection[str]) -> list[str]:
        """Names of templates that numbers have now and that are not among these."""
        return sorted(self.templates - set(templates))

    def _tell_vanished(self) -> None:
        entries = self._entries or {}
        vanished = frozenset(
            number for number, name in entries.items() if name not in self.in_force
        )
        for number in sorted(vanished - self._vanished):
            _log.error("template of a number is gone", number=mask(number), name=entries[number])
        self._vanished = vanished


class BookKeeper:
    """Keeps a book as the store has it.

    Args:
        period_seconds: Between two looks.
    """

    def __init__(
        self, book: LiveBook, rows: NumberRows, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self.book = book
        self._rows = rows
        self._period = period_seconds
        self._seen = frozenset[tuple[str, datetime]]()
        self._looking: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Look now.

        Raises:
            StoreError: The database does not answer.
        """
        version = await self._rows.version()
        if version != self._seen:
            self.book.use_rows(await self._rows.listed())
            self._seen = version

    def start(self) -> None:
        """Look from time to time, beside the serving."""
        self._looking = asyncio.create_task(self._look_on())

    async def aclose(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look_on(self) -> None:
        is_late = False
        while True:
            await asyncio.sleep(self._period)
            try:
                await self.refresh()
            except StoreError as error:
                if not is_late:
                    _log.warning("numbers not read", error=str(error))
                is_late = True
            else:
                is_late = False
