"""A store on a file of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exobridge.store import Store, StoreOptions, WriterOptions
from tests.database import migrated

QUICK = StoreOptions(busy_timeout_ms=20, writer=WriterOptions(retry_seconds=(0.01, 0.01)))
"""Gives up soon, where a test makes the database fail."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The database file."""
    return tmp_path / "calls.sqlite3"


@pytest.fixture
def url(path: Path) -> str:
    """The database's URL."""
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def store(path: Path, url: str) -> AsyncIterator[Store]:
    """An open store."""
    migrated(path)
    store = await Store.open(url, QUICK)
    yield store
    await store.aclose()
