"""From a list of people to the dials of a batch: each row checked, what is wrong named. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import uuid4

from exobridge.errors import ExobridgeError
from exobridge.numbers import normalise
from exobridge.outbound.csv_rows import NUMBER_COLUMNS, Sheet, SheetError, SheetRow, open_sheet
from exobridge.outbound.models import DialRefusedError, DialRequest, NewDial, Wish
from exobridge.store.batches import ListRow

SHOWN_FAULTS = 20
"""Rows that are named of those that cannot be used; all are counted."""

MAX_AT_ONCE = 500
MAX_PER_MINUTE = 200
"""What Exotel takes of a whole account."""

CALL_SECONDS = 180.0
"""What a call is thought to take, its ringing included, where it is told how long a list takes."""


@dataclass(frozen=True, slots=True)
class BatchWish:
    """That all of a list be called.

    Attributes:
        source: The list, as CSV.
        template: Of the rows that name none; empty: ``default``.
        caller_id: Likewise, the ExoPhone; empty: the template's, or the one registered with it.
        mode: Empty: the template's.
        calls_at_once: Most calls under way at a time, 1 to ``MAX_AT_ONCE``.
        calls_per_minute: Most calls asked for in a minute, 1 to ``MAX_PER_MINUTE``.
        key: Asked twice under one key, it is one batch; empty: none.
        skip_bad_rows: Call the others, in place of nobody.
    """

    source: bytes = field(repr=False)
    name: str = ""
    template: str = ""
    caller_id: str = field(default="", repr=False)
    mode: Literal["", "flow", "stream"] = ""
    calls_at_once: int = 10
    calls_per_minute: int = 60
    key: str = ""
    skip_bad_rows: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row cannot be called.

    Attributes:
        line: Of the file, from 1.
        column: Empty: the row as a whole.
        problem: Without what the row holds.
    """

    line: int
    column: str
    problem: str


class BatchRefusedError(ExobridgeError):
    """Nobody is called for this list.

    Attributes:
        kind: ``unreadable-list``, ``bad-rows``, or the rule of a dial that says so.
        detail: What is wrong, as sentences.
        faults: The first of the rows that cannot be used.
        count: How many those are.
        is_partial: The others can be.
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        faults: tuple[Fault, ...] = (),
        count: int = 0,
        *,
        is_partial: bool = False,
    ) -> None:
        self.kind, self.detail, self.faults, self.count = kind, detail, faults, count
        self.is_partial = is_partial
        super().__init__(detail)


Judge = Callable[[Wish], NewDial]
"""What a wish becomes, or :class:`DialRefusedError`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A list that has been checked.

    Attributes:
        rows: All of them; those with a fault have it as their dial's ``error``.
        faults: The first of them.
        bad_rows: How many have one.
    """

    columns: tuple[str, ...]
    rows: tuple[ListRow, ...]
    faults: tuple[Fault, ...]
    bad_rows: int


def plan(
    wish: BatchWish, judge: Judge, now: datetime, after_row: Callable[[], None] = lambda: None
) -> Plan:
    """Check each row. Takes a second for some thousand rows: not on the loop.

    Args:
        after_row: Done after each row.

    Raises:
        BatchRefusedError: Nobody is called: the list cannot be read, a row cannot be used and
            ``skip_bad_rows`` is off, or none can.
    """
    try:
        sheet = open_sheet(wish.source)
        rows: list[tuple[ListRow, Fault | None]] = []
        for row in _rows(sheet, wish, judge, now):
            rows.append(row)
            after_row()
    except SheetError as error:
        raise BatchRefusedError("unreadable-list", _sentence(str(error))) from None
    faults = [fault for _, fault in rows if fault is not None]
    few, bad = tuple(faults[:SHOWN_FAULTS]), len(faults)
    if bad == len(rows):
        raise BatchRefusedError("bad-rows", "No row can be called.", few, bad)
    if bad and not wish.skip_bad_rows:
        detail = f"{bad} of {len(rows)} rows cannot be called, so nobody is."
        raise BatchRefusedError("bad-rows", detail, few, bad, is_partial=True)
    more = for_all(len(rows), wish.calls_per_minute, wish.calls_at_once)
    return Plan(sheet.columns, tuple(_patient(each, more) for each, _ in rows), few, bad)


def _rows(
    sheet: Sheet, wish: BatchWish, judge: Judge, now: datetime
) -> Iterator[tuple[ListRow, Fault | None]]:
    lines: dict[str, int] = {}
    for row in sheet.rows():
        found = _judged(sheet, row, wish, judge)
        if isinstance(found, NewDial) and found.number in lines:
            problem = f"the number is that of line {lines[found.number]} already"
            found = Fault(row.line, sheet.columns[sheet.number_at], problem)
        if isinstance(found, Fault):
            number = normalise(row.cells[sheet.number_at].strip().removeprefix("'")) or ""
            yield ListRow(_refused(row, number, found, now), row.cells), found
        else:
            lines[found.number] = row.line
            yield ListRow(replace(found, row=row.number), row.cells), None


def _judged(sheet: Sheet, row: SheetRow, wish: BatchWish, judge: Judge) -> NewDial | Fault:
    if row.problem:
        return Fault(row.line, "", row.problem)
    cells = dict(zip(sheet.columns, map(str.strip, row.cells), strict=True))
    name = sheet.columns[sheet.number_at]
    number = cells[name].removeprefix("'")
    if not number:
        return Fault(row.line, name, "the number is missing")
    try:
        return judge(
            Wish(
                number=number,
                template=cells.get("template") or wish.template,
                caller_id=cells.get("caller_id") or wish.caller_id,
                variables=_variables(cells),
                mode=wish.mode,
            )
        )
    except DialRefusedError as error:
        if not error.field:
            raise BatchRefusedError(error.kind, error.detail) from None
        rounded = error.field == "number" and "E+" in number.upper()
        column = name if error.field == "number" else error.field
        return Fault(row.line, column, _ROUNDED if rounded else error.detail)


_ROUNDED = "A spreadsheet has rounded the number: format the column as text, and write it anew."

_NOTHING = DialRequest(template="", caller_id="")


def _variables(cells: dict[str, str]) -> dict[str, str]:
    """An empty cell leaves the template's own value."""
    others = (*NUMBER_COLUMNS, "template", "caller_id")
    return {name: cell for name, cell in cells.items() if cell and name not in others}


def _refused(row: SheetRow, number: str, fault: Fault, now: datetime) -> NewDial:
    """Stands in the results of its batch, and is found when the person's data is erased."""
    error = f"{fault.column}: {fault.problem}" if fault.column else fault.problem
    return NewDial(uuid4().hex, number, _NOTHING, now, now, row=row.number, error=error)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def for_all(rows: int, per_minute: int, at_once: int) -> timedelta:
    """How long the last of a list may wait for its turn: calls are made in half of a day's
    hours."""
    return timedelta(seconds=2 * rows * max(60 / per_minute, CALL_SECONDS / at_once))


def _patient(row: ListRow, more: timedelta) -> ListRow:
    """Also if it is to be called again: its turn is behind all that are due before."""
    request = row.dial.request
    policy = replace(request.policy, patience=request.policy.patience + more.total_seconds())
    dial = replace(row.dial, request=replace(request, policy=policy))
    return ListRow(replace(dial, give_up_at=dial.give_up_at + more), row.cells)
