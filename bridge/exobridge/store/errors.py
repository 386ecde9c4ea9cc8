"""What can go wrong in the store.

    StoreError                any of these
    ├── StoreOpenError        the database cannot be used; the message names the cure
    ├── StoreUnavailableError a transaction or query failed (disk full, locked); may work later
    ├── StoreRefusedError     the database does not take this item, now or later
    ├── StoreFullError        too much is waiting to be written
    └── StoreClosedError      the store has been closed

No message holds a password, a phone number or a caller's words.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy.exc import DBAPIError

from exobridge.errors import ExobridgeError


class StoreError(ExobridgeError):
    """Base of the store's errors.

    Attributes:
        retryable: Whether the same call may succeed later.
    """

    retryable: ClassVar[bool] = False


class StoreOpenError(StoreError):
    """The database cannot be used; the message names the cure."""


class StoreUnavailableError(StoreError):
    """A transaction or a query failed: the disk is full, the database is locked or gone."""

    retryable = True


class StoreRefusedError(StoreError):
    """The database does not take this item: it breaks a constraint or cannot be encoded."""


class StoreFullError(StoreError):
    """More waits to be written than the queue may hold; nothing was queued."""

    retryable = True


class StoreClosedError(StoreError):
    """The store has been closed, or was closed before this could be written."""


def cause(error: BaseException) -> str:
    """What to say of a failure: its type, and SQLite's own words, which never quote a value."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig else error
    name = type(original).__name__
    if type(original).__module__ == "sqlite3":
        return f"{name}: {original}"
    return name
