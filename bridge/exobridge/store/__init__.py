"""The record of calls: events, calls, turns."""

from exobridge.store.errors import (
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreOpenError,
    StoreRefusedError,
    StoreUnavailableError,
)
from exobridge.store.store import Store, StoreOptions, check_store
from exobridge.store.writer import WriterOptions

__all__ = [
    "Store",
    "StoreClosedError",
    "StoreError",
    "StoreFullError",
    "StoreOpenError",
    "StoreOptions",
    "StoreRefusedError",
    "StoreUnavailableError",
    "WriterOptions",
    "check_store",
]
