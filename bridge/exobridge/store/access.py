"""Connections of the two engines, their failures told as the store's errors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from exobridge.store.errors import StoreRefusedError, StoreUnavailableError, cause


@asynccontextmanager
async def reading(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """A connection to read with.

    Raises:
        StoreRefusedError: What is asked for cannot be encoded.
        StoreUnavailableError: The database does not answer.
    """
    try:
        async with engine.connect() as connection:
            yield connection
    except UnicodeError as error:
        # Its own words quote what was asked for.
        raise StoreRefusedError(f"it cannot be encoded ({cause(error)})") from None
    except SQLAlchemyError as error:
        raise StoreUnavailableError(f"the database cannot be read ({cause(error)})") from error


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncGenerator[AsyncConnection]:
    """A transaction, committed at the end of the block unless it raises.

    Raises:
        StoreRefusedError: The database does not take what was written, now or later.
        StoreUnavailableError: It does not answer.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except UnicodeError as error:
        # Its own words quote what was to be written.
        raise StoreRefusedError(f"it cannot be encoded ({cause(error)})") from None
    except IntegrityError as error:
        raise StoreRefusedError(f"the database refused it ({cause(error)})") from error
    except SQLAlchemyError as error:
        raise StoreUnavailableError(f"the database cannot be written ({cause(error)})") from error
