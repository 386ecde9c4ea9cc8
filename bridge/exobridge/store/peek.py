"""Looks into a database without opening it for work: nothing is made, migrated or changed."""

from __future__ import annotations

from pathlib import Path

from exobridge.store.engine import make_engine, read_url
from exobridge.store.numbers import NumberRow, NumberRows
from exobridge.store.visits import Visit, VisitRows

BUSY_MS = 2000
"""How long another process's transaction is waited for."""


async def peek_numbers(url: str) -> tuple[list[NumberRow], list[Visit]]:
    """The numbers and the visits of a database; none of a file that is not there.

    Raises:
        StoreOpenError: The URL cannot be used.
        StoreUnavailableError: It is no database of this version, or does not answer.
    """
    where = read_url(url)
    if not _is_there(str(where.database)):
        return [], []
    engine = make_engine(where, busy_timeout_ms=BUSY_MS, writes=False)
    try:
        numbers = await NumberRows(engine, engine).listed()
        return numbers, await VisitRows(engine, engine).listed()
    finally:
        await engine.dispose()


def _is_there(file: str) -> bool:
    return Path(file).is_file()
