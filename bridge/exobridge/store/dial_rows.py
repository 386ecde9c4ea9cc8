"""Rows of ``dials`` and ``dial_attempts`` to what they mean, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from exobridge.store.dial_types import (
    Attempt,
    Dial,
    DialOutcome,
    DialRequest,
    DialState,
    NewDial,
)
from exobridge.store.rows import Row
from exobridge.store.tables import dials

MAX_ERROR_CHARS = 500


def dial_row(dial: NewDial, now: datetime) -> Row:
    """A new dial as a row."""
    is_over = bool(dial.error)
    return {
        "id": dial.id,
        "key": dial.key or None,
        "fingerprint": dial.fingerprint,
        "batch_id": dial.batch_id,
        "row": dial.row,
        "number": dial.number,
        "request": dial.request.data(),
        "state": DialState.DONE if is_over else DialState.WAITING,
        "due_at": dial.due_at,
        "give_up_at": dial.give_up_at,
        "outcome": DialOutcome.REFUSED if is_over else None,
        "error": dial.error[:MAX_ERROR_CHARS],
        "created_at": now,
        "done_at": now if is_over else None,
    }


def read_dial(row: Mapping[Any, Any]) -> Dial:
    """The dial in a row."""
    return Dial(
        id=row["id"],
        key=row["key"] or "",
        fingerprint=row["fingerprint"],
        batch_id=row["batch_id"],
        row=row["row"],
        number=row["number"],
        request=DialRequest.read(row["request"]),
        state=DialState(row["state"]),
        attempts=row["attempts"],
        due_at=row["due_at"],
        give_up_at=row["give_up_at"],
        lease=row["lease"],
        call_sid=row["call_sid"] or "",
        outcome=DialOutcome(row["outcome"]) if row["outcome"] else None,
        error=row["error"],
        created_at=row["created_at"],
        done_at=row["done_at"],
    )


def read_attempt(row: Mapping[Any, Any]) -> Attempt:
    """The attempt in a row."""
    return Attempt(
        dial_id=row["dial_id"],
        number=row["number"],
        asked_at=row["asked_at"],
        call_sid=row["call_sid"] or "",
        ended_at=row["ended_at"],
        outcome=DialOutcome(row["outcome"]) if row["outcome"] else None,
        error=row["error"],
    )


NO_LEASE: Row = {"lease": "", "leased_until": None}
"""Of a dial that no process has."""


def lock_dial(connection: Connection, dial_id: str) -> Dial | None:
    """A dial that nobody else changes before this transaction is over; ``None``: there is none."""
    query = select(dials).where(dials.c.id == dial_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else read_dial(row)


def change_dial(connection: Connection, dial: Dial, **values: Any) -> None:
    """Change its row."""
    connection.execute(update(dials).where(dials.c.id == dial.id).values(values))


def cancelled(now: datetime) -> Row:
    """What makes a dial one that was cancelled."""
    ended = {"state": DialState.DONE, "outcome": DialOutcome.CANCELLED, "done_at": now}
    return {**ended, **NO_LEASE}
