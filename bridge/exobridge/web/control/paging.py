"""Long lists, a page at a time: ``limit`` and ``after`` in, ``items`` and ``next`` out.

The cursor says where the last page ended, by the values that the list is ordered by. It is no
secret and not signed: whoever makes one up is told another part of what he may see anyway.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from pydantic import Field

from exobridge.web.control.operation import Model
from exobridge.web.control.problems import BAD_QUERY, wrong

DEFAULT_PAGE, MAX_PAGE = 50, 200

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")


class PageQuery(Model):
    """Base of the query of a list."""

    limit: int = Field(DEFAULT_PAGE, ge=1, le=MAX_PAGE, description="Most items of this page.")
    after: str = Field(
        "", max_length=600, description="The `next` of the page before; without it the first page."
    )


class Page(Model, Generic[ItemT]):
    """Base of a list's answer. Derive from it, for the sake of the name: ``CallPage(Page[…])``."""

    items: list[ItemT] = Field(description="In the list's order.")
    next: str | None = Field(
        description="Ask with `after` for the next page; null: it was the last."
    )


def page_of(
    rows: Sequence[RowT], limit: int, item: Callable[[RowT], ItemT], cursor: Callable[[RowT], str]
) -> dict[str, Any]:
    """The fields of a page.

    Args:
        rows: Asked for with ``limit + 1``, which tells whether there is a next page.
    """
    shown = rows[:limit]
    more = cursor(shown[-1]) if len(rows) > limit else None
    return {"items": [item(row) for row in shown], "next": more}


def cursor_of(*parts: str | int | datetime) -> str:
    """A cursor of the values that a row is ordered by."""
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in parts]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def read_cursor(after: str, *kinds: type[str] | type[int] | type[datetime]) -> tuple[Any, ...]:
    """The values of a cursor, of these kinds; empty for the first page.

    Raises:
        ProblemError: It is none of this list (400).
    """
    if not after:
        return ()
    try:
        padded = after.encode("ascii") + b"=" * (-len(after) % 4)
        found = json.loads(base64.b64decode(padded, b"-_", validate=True))
        if not isinstance(found, list):
            raise ValueError("no list")
        parts = cast(list[object], found)
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise wrong(BAD_QUERY, [("after", "is no cursor of this list")]) from None


def _part(part: object, kind: type) -> Any:
    if kind is datetime and isinstance(part, str):
        at = datetime.fromisoformat(part)
        if at.utcoffset() is None or not 1970 <= at.year < 3000:
            raise ValueError("no time of a row")
        return at
    fits = type(part) is kind and (not isinstance(part, str) or _is_text(part))
    if not fits or (isinstance(part, int) and abs(part) >= 1 << 63):
        raise ValueError("another kind")
    return part


def _is_text(part: str) -> bool:
    """What every database takes."""
    return "\0" not in part and not any("\ud800" <= sign <= "\udfff" for sign in part)
